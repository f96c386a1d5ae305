/**
 * The small tree that findings and replies speak in. Renderers lower it to Slack blocks, terminal lines, Markdown or
 * JSON; because a leaf says what it is, text that came from a host can never turn into a mention or a link.
 */
export type Inline =
  | string
  | Readonly<{ code: string }>
  | Readonly<{ strong: string }>
  /** What stood here and no longer holds; where nothing can be struck through a word says so. */
  | Readonly<{ strike: string }>
  | Readonly<{ person: PersonRef }>
  | Readonly<{ link: string; text: string }>;

export type Text = readonly Inline[];

/** Somebody as messages name them. `slack` is a user id (`U…`) or a user group id (`S…`) when it is known. */
export type PersonRef = Readonly<{ name: string; slack?: string }>;

type Part = Inline | Text | number;

const isText = (part: Part): part is Text => Array.isArray(part);

/** Tagged template: `` text`${code("wlan0")} answers too` ``. Arrays are spliced in, numbers are written plainly. */
export function text(strings: TemplateStringsArray, ...parts: Part[]): Text {
  const out: Inline[] = [];
  strings.forEach((string, i) => {
    if (string !== "") out.push(string);
    const part = parts[i];
    if (part === undefined) return;
    if (isText(part)) out.push(...part);
    else if (typeof part === "number") out.push(String(part));
    else if (part !== "") out.push(part);
  });
  return out;
}

export const code = (value: string): Inline => ({ code: value });
export const strong = (value: string): Inline => ({ strong: value });
export const strike = (value: string): Inline => ({ strike: value });
export const person = (ref: PersonRef): Inline => ({ person: ref });
export const link = (url: string, label: string): Inline => ({ link: url, text: label });

/** Joins texts with a separator, `join([a, b, c], ", ")`. */
export function join(texts: readonly (Text | Inline)[], separator: string): Text {
  const out: Inline[] = [];
  texts.forEach((item, i) => {
    if (i > 0) out.push(separator);
    if (Array.isArray(item)) out.push(...(item as Text));
    else out.push(item as Inline);
  });
  return out;
}

/** The words alone, as logs, `text` fallbacks and JSON carry them. */
export const plain = (value: Text): string =>
  value
    .map((part) => {
      if (typeof part === "string") return part;
      if ("code" in part) return part.code;
      if ("strong" in part) return part.strong;
      if ("strike" in part) return part.strike === "" ? "" : `${part.strike} (gone)`;
      if ("person" in part) return `@${part.person.name}`;
      return `${part.text} (${part.link})`;
    })
    .join("");
