export type Options = Readonly<{
  /** Last value per letter; flags without a value have the empty string. */
  values: ReadonlyMap<string, string>;
  operands: readonly string[];
  /** The first thing getopt would complain about: its whole message after the program's name. */
  fault?: string;
}>;

/** getopt(3) with GNU permutation: `letters` as getopt takes them, `c:` for an option with a value. */
export function parseOptions(args: readonly string[], letters: string): Options {
  const values = new Map<string, string>();
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      operands.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg.charAt(at);
      const known = letter === ":" ? -1 : letters.indexOf(letter);
      if (known < 0) return { values, operands, fault: `invalid option -- '${letter}'` };
      if (letters[known + 1] !== ":") {
        values.set(letter, "");
        continue;
      }
      const rest = arg.slice(at + 1);
      const value = rest !== "" ? rest : args[++i];
      if (value === undefined)
        return { values, operands, fault: `option requires an argument -- '${letter}'` };
      values.set(letter, value);
      break;
    }
  }
  return { values, operands };
}
