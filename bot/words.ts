/** Splits what somebody typed into words: blanks separate, single and double quotes group, a backslash keeps one character. */
export type Split =
  | Readonly<{ ok: true; words: readonly string[] }>
  | Readonly<{ ok: false; problem: string }>;

/** No command of ours needs more; longer input is a paste that went to the wrong window. */
export const maxLength = 4_000;

export function splitWords(input: string): Split {
  if (input.length > maxLength) {
    return {
      ok: false,
      problem: `${input.length} characters is longer than any command (at most ${maxLength})`,
    };
  }
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(input);
  if (control) {
    const hex = control[0].charCodeAt(0).toString(16).padStart(4, "0");
    return { ok: false, problem: `control character U+${hex} at position ${control.index + 1}` };
  }
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < input.length; i++) {
    const c = input[i] as string;
    if (quote !== undefined) {
      if (c === quote) quote = undefined;
      else if (c === "\\" && quote === '"' && i + 1 < input.length) word = `${word ?? ""}${input[++i]}`;
      else word = (word ?? "") + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= "";
    } else if (c === "\\" && i + 1 < input.length) {
      word = `${word ?? ""}${input[++i]}`;
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + c;
    }
  }
  if (quote !== undefined)
    return { ok: false, problem: `a ${quote === '"' ? "double" : "single"} quote is not closed` };
  if (word !== undefined) words.push(word);
  return { ok: true, words };
}
