import type { NonEmpty } from "../finding.ts";

/** Words that a POSIX shell (and bash) reads as grammar when they stand first and unquoted. */
const reserved = new Set(
  "! { } [[ ]] case coproc do done elif else esac fi for function if in select then time until while".split(
    " ",
  ),
);

const plainWord = /^[A-Za-z0-9_/:.,@%+-]+$/;

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * Writes an argv as one POSIX shell command line that runs exactly this argv: the only place that quotes. Every
 * argument arrives byte for byte. NUL cannot be in an argv at all; other control characters, newline included, are
 * refused because nothing in the catalogue needs one and a log line or a terminal could be forged with them; a lone
 * surrogate has no bytes to arrive as. Throws RangeError, which is a bug of the caller, never a user's fault.
 */
export function renderArgv(argv: NonEmpty<string>): string {
  return argv
    .map((word, i) => {
      if (/[\0-\x1f\x7f]/.test(word)) throw new RangeError(`argument ${i} holds a control character`);
      if (!word.isWellFormed()) throw new RangeError(`argument ${i} holds a lone surrogate`);
      if (i === 0 && word === "") throw new RangeError("the program's name is empty");
      return plainWord.test(word) && !(i === 0 && reserved.has(word)) ? word : quote(word);
    })
    .join(" ");
}
