import { readFileSync } from "node:fs";
import type { ShellOutput } from "#shared/probes/shell.ts";

/** A capture of a real run: header lines with command, version and exit code, then both streams as they came. */
export type Captured = Readonly<{
  command: string;
  version: string;
  exitCode: number;
  stdout: string;
  stderr: string;
}>;

export function captured(folder: "arp" | "ip" | "nodes" | "hops" | "dig" | "http", name: string): Captured {
  const text = readFileSync(new URL(`../../fixtures/${folder}/${name}.txt`, import.meta.url), "utf8");
  const match =
    /^# command: (.*)\n# version: (.*)\n# exit: (\d+)\n# --- stdout\n([\s\S]*?)# --- stderr\n([\s\S]*)$/.exec(
      text,
    );
  if (!match) throw new Error(`fixture ${name} has no header`);
  const [, command, version, exitCode, stdout, stderr] = match as unknown as string[];
  return {
    command: command!,
    version: version!,
    exitCode: Number(exitCode),
    stdout: stdout!,
    stderr: stderr!,
  };
}

/** Output as the shell port hands it over; lines arrive 100 ms apart. */
export function shellOutput(
  parts: Readonly<{ stdout?: string; stderr?: string; exitCode?: number | null; startedAt?: number }>,
): ShellOutput {
  const { stdout = "", stderr = "", exitCode = 0, startedAt = 1_000_000 } = parts;
  const lines = (stream: "stdout" | "stderr", text: string) =>
    text
      .split("\n")
      .filter((_, i, all) => i < all.length - 1 || all[i] !== "")
      .map((line, i) => ({ at: startedAt + i * 100, stream, text: line }));
  return {
    exitCode,
    stdout,
    stderr,
    lines: [...lines("stdout", stdout), ...lines("stderr", stderr)],
    startedAt,
    endedAt: startedAt + 2_000,
  };
}

export const capturedOutput = (
  folder: "arp" | "ip" | "nodes" | "hops" | "dig" | "http",
  name: string,
): ShellOutput => shellOutput(captured(folder, name));
