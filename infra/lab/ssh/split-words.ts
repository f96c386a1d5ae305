export type Words =
  | Readonly<{ ok: true; words: readonly string[] }>
  | Readonly<{ ok: false; message: string }>;

const refuse = (what: string): Words => ({
  ok: false,
  message: `lab: no shell runs here, so ${what} is refused; only plain words and quotes are understood`,
});

/** What a shell would act on when it stands unquoted. */
const operators = ";|&$`<>()*?[\n";

/**
 * Splits a command string as a POSIX shell splits words: blanks, single and double quotes, backslashes (XCU 2.2). What
 * would make a shell do more than run one program is refused rather than passed on as text.
 */
export function splitWords(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let i = 0;
  while (i < line.length) {
    const char = line[i] as string;
    if (char === " " || char === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
      i += 1;
    } else if (char === "'") {
      const end = line.indexOf("'", i + 1);
      if (end < 0) return refuse("a quote that is never closed");
      word = (word ?? "") + line.slice(i + 1, end);
      i = end + 1;
    } else if (char === '"') {
      word ??= "";
      i += 1;
      while (i < line.length && line[i] !== '"') {
        const inner = line[i] as string;
        if (inner === "$" || inner === "`") return refuse(`"${inner}"`);
        const next = line[i + 1];
        if (inner === "\\" && next !== undefined && '$`"\\'.includes(next)) {
          word += next;
          i += 2;
        } else {
          word += inner;
          i += 1;
        }
      }
      if (i >= line.length) return refuse("a quote that is never closed");
      i += 1;
    } else if (char === "\\") {
      if (i + 1 >= line.length) return refuse("a backslash at the end");
      word = (word ?? "") + line[i + 1];
      i += 2;
    } else if (operators.includes(char)) {
      return refuse(char === "\n" ? "more than one line" : `"${char}"`);
    } else if (word === undefined && (char === "#" || char === "~")) {
      return refuse(`"${char}" at the start of a word`);
    } else if (char === "=" && words.length === 0 && /^[A-Za-z_]\w*$/.test(word ?? "")) {
      return refuse("a variable assignment");
    } else {
      word = (word ?? "") + char;
      i += 1;
    }
  }
  if (word !== undefined) words.push(word);
  return { ok: true, words };
}
