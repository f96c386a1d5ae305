/**
 * Output of hosts can carry anything: escape sequences that recolour a terminal, bidirectional overrides that reverse a
 * line, NULs. Here it becomes text that shows what it holds.
 */

// Bidirectional controls, invisible separators, zero-width characters except the joiner that emoji need.
const invisible =
  /[\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\u{e0000}-\u{e0fff}]/gu;
const c0 = /[\u0000-\u0009\u000b-\u001f]/g;
const c1 = /[\u007f-\u009f]/g;

const escapeCodePoint = (char: string): string =>
  `\\u{${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}}`;

/** C0 controls as their Unicode pictures (ESC is `␛`), everything else that is invisible as `\u{202e}`; `\n` stays. */
export const visibleLines = (value: string): string =>
  value
    .toWellFormed()
    .replaceAll("\r\n", "\n")
    .replaceAll("\t", "  ")
    .replace(c0, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)))
    .replace(c1, escapeCodePoint)
    .replace(invisible, escapeCodePoint);

/** As `visibleLines`, on one line: a line feed becomes `␊`. */
export const visible = (value: string): string => visibleLines(value).replaceAll("\n", "\u240a");

/** At most `max` UTF-16 units, ending in `…` when something was left out; never splits a surrogate pair. */
export function cut(value: string, max: number): string {
  if (value.length <= max) return value;
  let end = max - 1;
  const last = value.charCodeAt(end - 1);
  if (last >= 0xd800 && last <= 0xdbff) end -= 1;
  return `${value.slice(0, end)}…`;
}
