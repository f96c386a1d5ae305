import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import type { OutputLine, ShellOutput } from "#shared/probes/shell.ts";

/** Output that a real program printed on a real kernel, played in place of the model's. */
export type Tape = Readonly<{
  /** Which commands it answers: every one of these words is among its arguments. */
  words: readonly string[];
  /** Below `test/fixtures/`. */
  file: string;
  /** What the capture was called, by what it is called here: addresses, MACs, names. */
  renamed?: Readonly<Record<string, string>>;
  /** On this machine alone; on all of them without it. */
  on?: string;
  /** As long as the real program took, milliseconds. */
  lastsMs?: number;
}>;

type Captured = Readonly<{ exitCode: number; stdout: string; stderr: string }>;

const fixtures = join(import.meta.dirname, "..", "test", "fixtures");

/** Header lines, then both streams as they came; an empty line before the second is the capture's own. */
export function readCapture(text: string): Captured {
  const [, exit] = /^# exit: (\d+)$/m.exec(text) ?? [];
  const parts = /^# --- stdout\n([\s\S]*?)^# --- stderr\n?([\s\S]*)$/m.exec(text);
  if (exit === undefined || parts === null) throw new Error("no capture: it has no exit code or no streams");
  return { exitCode: Number(exit), stdout: parts[1] ?? "", stderr: parts[2] ?? "" };
}

const renaming = (text: string, renamed: Readonly<Record<string, string>>): string =>
  Object.entries(renamed).reduce((said, [from, to]) => said.replaceAll(from, to), text);

const linesOf = (stream: OutputLine["stream"], text: string, at: number): readonly OutputLine[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => ({ at, stream, text: line }));

/** Plays tapes for the commands that they are of; everything else is the model's. A tape nobody played is a mistake. */
export function playing(
  tapes: readonly Tape[],
  ports: DiagnosePorts,
): Readonly<{ ports: DiagnosePorts; unplayed: () => readonly Tape[] }> {
  const played = new Set<Tape>();
  const withTapes: DiagnosePorts = {
    ...ports,
    shell: async (target, command, options) => {
      const tape = tapes.find(
        ({ words, on }) =>
          (on === undefined || on === target.name) && words.every((word) => command.argv.includes(word)),
      );
      if (tape === undefined) return ports.shell(target, command, options);
      played.add(tape);
      const startedAt = ports.clock.now();
      await ports.clock.sleep(tape.lastsMs ?? 20, options?.signal);
      const endedAt = ports.clock.now();
      const captured = readCapture(readFileSync(join(fixtures, tape.file), "utf8"));
      const stdout = renaming(captured.stdout, tape.renamed ?? {});
      const stderr = renaming(captured.stderr, tape.renamed ?? {});
      const output: ShellOutput = {
        exitCode: captured.exitCode,
        stdout,
        stderr,
        lines: [...linesOf("stdout", stdout, endedAt), ...linesOf("stderr", stderr, endedAt)],
        startedAt,
        endedAt,
      };
      return output;
    },
  };
  return { ports: withTapes, unplayed: () => tapes.filter((tape) => !played.has(tape)) };
}
