import type { ProgramIo, RunProgram } from "#shared/twin/program.ts";
import { splitWords } from "./split-words.ts";

/** Exit code of a shell that cannot read its own command line. */
const syntaxError = 2;

/** On lab machines everybody may do everything: `sudo -n -- ip link` runs `ip link`. */
function withoutSudo(words: readonly string[]): readonly string[] {
  if (words[0] !== "sudo") return words;
  let rest = words.slice(1);
  while (rest[0] === "-n") rest = rest.slice(1);
  return rest[0] === "--" ? rest.slice(1) : rest;
}

/** Runs what a client sent as a command string, the way a login shell would run one simple command. */
export async function runLine(
  run: RunProgram,
  machine: string,
  line: string,
  io: ProgramIo,
): Promise<{ exitCode: number }> {
  const split = splitWords(line);
  if (!split.ok) {
    io.write("stderr", `${split.message}\n`);
    return { exitCode: syntaxError };
  }
  const words = withoutSudo(split.words);
  if (words.length === 0) return { exitCode: 0 };
  try {
    return await run(machine, words, io);
  } catch (error) {
    io.write(
      "stderr",
      `lab: ${words[0]} failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return { exitCode: 255 };
  }
}
