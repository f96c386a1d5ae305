import type { Lines, NodeCommand } from "../checks/fix.ts";
import { writeFile } from "./write-file.ts";

const plainWord = /^[A-Za-z0-9_/:.,@%+=-]+$/;

/** One word of a POSIX shell command line, quoted only where it has to be. Holds no control character. */
const wordOf = (word: string): string => (plainWord.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

const wordsOf = (argv: readonly string[]): string => argv.map(wordOf).join(" ");

/** As people paste it; files are written by a pipe into `sudo tee`. */
export const pasted = (commands: readonly NodeCommand[]): Lines =>
  commands.flatMap((command) =>
    "run" in command ? [`sudo ${wordsOf(command.run)}`] : [...writeFile(command.write, command.lines)],
  );

/** As a line of a script that root runs. */
const scripted = (command: NodeCommand): string =>
  "run" in command
    ? wordsOf(command.run)
    : `printf '%s\\n' ${command.lines.map(wordOf).join(" ")} >${wordOf(command.write)}`;

/** For root, without `sudo`. */
export const bare = (commands: readonly NodeCommand[]): Lines => commands.map(scripted);

/** One after the other, whatever comes of each. */
export const eachOf = (commands: readonly NodeCommand[]): string =>
  commands.map((command) => `${scripted(command)}; `).join("");

/** One after the other, as long as each succeeds. */
export const allOf = (commands: readonly NodeCommand[]): string =>
  commands.map((command) => `${scripted(command)} && `).join("");
