import stringWidth from "string-width";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const isAscii = /^[\u0020-\u007e]*$/;

/** Columns a terminal uses for `value`; wide characters and emoji count two. */
export const width = (value: string): number => (isAscii.test(value) ? value.length : stringWidth(value));

export const padEnd = (value: string, columns: number): string =>
  value + " ".repeat(Math.max(0, columns - width(value)));

export const padStart = (value: string, columns: number): string =>
  " ".repeat(Math.max(0, columns - width(value))) + value;

/** Breaks a line every `columns` columns without losing or changing a character; `""` stays one empty line. */
export function wrapHard(line: string, columns: number): readonly string[] {
  if (width(line) <= columns) return [line];
  const out: string[] = [];
  let current = "";
  let used = 0;
  for (const { segment } of graphemes.segment(line)) {
    const wide = width(segment);
    if (used + wide > columns && current !== "") {
      out.push(current);
      current = "";
      used = 0;
    }
    current += segment;
    used += wide;
  }
  if (current !== "") out.push(current);
  return out;
}

/** Breaks between words where it can, inside a word where it must. Runs of spaces inside a line are kept. */
export function wrapWords(line: string, columns: number): readonly string[] {
  if (width(line) <= columns) return [line];
  const out: string[] = [];
  let current = "";
  for (const token of line.split(/(?<= )(?=[^ ])/)) {
    const bare = token.trimEnd();
    if (width(current) + width(bare) <= columns) {
      current += token;
      continue;
    }
    if (current.trimEnd() !== "") out.push(current.trimEnd());
    const pieces = wrapHard(bare, columns);
    out.push(...pieces.slice(0, -1));
    current = (pieces.at(-1) ?? "") + token.slice(bare.length);
  }
  if (current.trimEnd() !== "") out.push(current.trimEnd());
  return out;
}

/** Code for a narrow screen: broken between words, the continuation indented so that it is not read as a new line. */
export function wrapCode(line: string, columns: number): readonly string[] {
  if (width(line) <= columns) return [line];
  return wrapWords(line, columns - 2).map((piece, i) => (i === 0 ? piece : `  ${piece}`));
}
