import { stringify } from "yaml";
import type { Json } from "../json.ts";

const linesOf = (value: Json): readonly string[] =>
  value === null ? [] : stringify(value, { lineWidth: 0 }).trimEnd().split("\n");

/** Longest common subsequence lengths of the tails. Objects are small: hundreds of lines at most. */
function common(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const table: number[][] = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = table[i] as number[];
      const below = table[i + 1] as number[];
      row[j] =
        a[i] === b[j] ? (below[j + 1] as number) + 1 : Math.max(below[j] as number, row[j + 1] as number);
    }
  return table;
}

const context = 2;

/** An object before and after as people read a change: `-` goes, `+` comes, two lines around; null is no object. */
export function diffLines(before: Json | null, after: Json | null): readonly string[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  const table = common(a, b);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i++]}`);
      j++;
    } else if (j >= b.length || (i < a.length && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0)))
      lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  if (before === null || after === null) return lines;
  const isNear = (at: number): boolean =>
    lines.slice(Math.max(0, at - context), at + context + 1).some((line) => !line.startsWith("  "));
  return lines.flatMap((line, at) => (isNear(at) ? [line] : at > 0 && !isNear(at - 1) ? [] : ["  …"]));
}
