/**
 * Width of every picture. A phone shows it at half this size, so nothing is written smaller than 24 units and what
 * matters is larger.
 */
export const width = 720;
export const margin = 28;

/** Shape and words carry the meaning; colour only helps. Each is readable on white, and on grey in print. */
export const ink = {
  text: "#1d1c1d",
  quiet: "#5c5b5d",
  line: "#c9c8ca",
  ground: "#ffffff",
  good: "#1b6b45",
  bad: "#b3123c",
  badGround: "#fdecf0",
  open: "#8a5a00",
  openGround: "#fdf4e1",
} as const;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as XML carries it. The font has Latin letters and common punctuation; what it lacks is drawn as a question mark. */
export const escaped = (words: string): string =>
  words
    .replaceAll(/[^\x20-\x7e\u00a0-\u00ff\u2010-\u2027\u2212]/gu, "?")
    .replaceAll(/[&<>"']/g, (char) => escapes[char] ?? char);

/** Advance widths of DejaVu Sans in thousandths of the size, rounded up to the class a letter belongs to. */
const classes: readonly (readonly [RegExp, number])[] = [
  [/[ijl.,:;'|!·]/, 340],
  [/[ fIrt()[\]/-]/, 420],
  [/[mMW@%]/, 990],
  [/[w]/, 820],
  [/[A-Z&+<>=#~]/, 790],
];
const letterWidth = (letter: string): number => classes.find(([those]) => those.test(letter))?.[1] ?? 640;

/** Never less than the real width, so that what fits by this fits. */
export const textWidth = (words: string, size: number, bold = false): number =>
  ([...words].reduce((sum, letter) => sum + letterWidth(letter), 0) * size * (bold ? 1.12 : 1)) / 1_000;

/** A number and its unit stay on one line. */
const held = (words: string): string =>
  words.replaceAll(/(\d) (s|ms|min|h|%)(?![\w])/g, "$1\u00a0$2").replaceAll("± ", "±\u00a0");

/** Where a word that is too long is broken: after the last dot, dash, slash or colon that fits, else where the line ends. */
function breakAt(word: string, length: number): number {
  const front = word.slice(0, length);
  const at = Math.max(...[".", "-", "/", ":"].map((sign) => front.lastIndexOf(sign)));
  return at >= length / 3 ? at + 1 : length;
}

/** The words in as many lines as they need; a word that is wider than a line is broken. */
export function wrapped(words: string, size: number, room: number, bold = false): readonly string[] {
  const lines: string[] = [];
  let line = "";
  const fits = (tried: string): boolean => textWidth(tried, size, bold) <= room;
  for (let word of held(words).split(" ")) {
    const tried = line === "" ? word : `${line} ${word}`;
    if (fits(tried)) {
      line = tried;
      continue;
    }
    if (line !== "") lines.push(line);
    while (!fits(word)) {
      let length = word.length - 1;
      while (length > 1 && !fits(word.slice(0, length))) length--;
      const at = breakAt(word, length);
      lines.push(word.slice(0, at));
      word = word.slice(at);
    }
    line = word;
  }
  return [...lines, line];
}

/** One line; what does not fit is cut in the middle, where names differ least. */
export function fitted(words: string, size: number, room: number, bold = false): string {
  if (textWidth(words, size, bold) <= room) return words;
  for (let kept = words.length - 1; kept > 2; kept--) {
    const front = Math.ceil(kept / 2);
    const short = `${words.slice(0, front)}…${words.slice(words.length - (kept - front))}`;
    if (textWidth(short, size, bold) <= room) return short;
  }
  return "…";
}

type Style = Readonly<{
  size: number;
  fill?: string;
  bold?: boolean;
  anchor?: "start" | "middle" | "end";
  /** Kept readable over whatever is behind it. */
  halo?: boolean;
}>;

export const label = (words: string, x: number, y: number, style: Style): string => {
  const { size, fill, bold, anchor, halo } = style;
  const more = [
    bold ? ' font-weight="700"' : "",
    anchor === undefined || anchor === "start" ? "" : ` text-anchor="${anchor}"`,
    halo ? ` paint-order="stroke" stroke="${ink.ground}" stroke-width="7" stroke-linejoin="round"` : "",
  ].join("");
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill ?? ink.text}"${more}>${escaped(words)}</text>`;
};

export const box = (
  x: number,
  y: number,
  w: number,
  h: number,
  fill: string,
  more: Readonly<{ stroke?: string; radius?: number; dashed?: boolean; opacity?: number }> = {},
): string =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${more.radius ?? 0}" fill="${fill}"${
    more.stroke === undefined ? "" : ` stroke="${more.stroke}" stroke-width="2"`
  }${more.dashed ? ' stroke-dasharray="8 6"' : ""}${more.opacity === undefined ? "" : ` fill-opacity="${more.opacity}"`}/>`;

export const stroke = (
  d: string,
  colour: string,
  thickness = 3,
  more: Readonly<{ dashed?: boolean; filled?: boolean }> = {},
): string =>
  `<path d="${d}" fill="${more.filled ? colour : "none"}" stroke="${colour}" stroke-width="${thickness}" stroke-linecap="round" stroke-linejoin="round"${
    more.dashed ? ' stroke-dasharray="8 8"' : ""
  }/>`;

export type Mark = "passed" | "failed" | "skipped" | "unknown";

/** A mark of its own shape for each outcome: tick, cross, dash, question mark; `x` and `y` are its middle. */
export function mark(kind: Mark, x: number, y: number): string {
  const r = 18;
  const ring = (colour: string, fill: string, dashed = false): string =>
    `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}" stroke="${colour}" stroke-width="3"${dashed ? ' stroke-dasharray="6 5"' : ""}/>`;
  switch (kind) {
    case "passed":
      return (
        ring(ink.good, ink.ground) + stroke(`M${x - 8} ${y}L${x - 2} ${y + 7}L${x + 9} ${y - 7}`, ink.good, 4)
      );
    case "failed":
      return (
        ring(ink.bad, ink.bad) +
        stroke(`M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x + 7} ${y - 7}L${x - 7} ${y + 7}`, ink.ground, 5)
      );
    case "skipped":
      return ring(ink.line, ink.ground) + stroke(`M${x - 7} ${y}L${x + 7} ${y}`, ink.quiet, 4);
    case "unknown":
      return (
        ring(ink.open, ink.openGround, true) +
        label("?", x, y + 10, { size: 28, fill: ink.open, bold: true, anchor: "middle" })
      );
  }
}

/** The whole drawing. */
export const svgOf = (height: number, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans">${box(
    0,
    0,
    width,
    height,
    ink.ground,
  )}${parts.join("")}</svg>`;
