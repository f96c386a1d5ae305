/** An element: its name, its text without that of its children, and its children. */
export type Element = Readonly<{ name: string; text: string; children: readonly Element[] }>;

/** What is written: text, a list of elements, or nothing at all. */
export type Content = string | number | boolean | undefined | readonly Node[];
export type Node = readonly [name: string, content: Content];

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");

function write([name, content]: Node): string {
  if (content === undefined) return "";
  const inside = typeof content === "object" ? content.map(write).join("") : escaped(String(content));
  return `<${name}>${inside}</${name}>`;
}

/** A document whose root has a namespace, or none. */
export const writeXml = (root: string, namespace: string | undefined, content: readonly Node[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace === undefined ? "" : ` xmlns="${namespace}"`}>${content.map(write).join("")}</${root}>`;

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const unescaped = (text: string): string =>
  text.replace(/&(#x[0-9a-f]+|#\d+|[a-z]+);/gi, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number.parseInt(name.slice(1), 10));
    return entities[name.toLowerCase()] ?? whole;
  });

const token =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([^\s/>]+)[^>]*?(\/?)>|([^<]+)/g;

/** Reads a document as clients of AWS send them: elements, text, no attributes that matter. `undefined` when it is none. */
export function readXml(document: string): Element | undefined {
  type Open = { name: string; text: string; children: Element[] };
  const top: Open = { name: "", text: "", children: [] };
  const open: Open[] = [top];
  let end = 0;
  for (const match of document.matchAll(token)) {
    if (match.index !== end) return undefined;
    end = match.index + match[0].length;
    const [, cdata, closing, name, empty, text] = match;
    const here = open.at(-1) as Open;
    if (cdata !== undefined) here.text += cdata;
    else if (text !== undefined) here.text += unescaped(text);
    else if (name === undefined) continue;
    else if (closing === "/") {
      if (open.length < 2 || here.name !== name) return undefined;
      open.pop();
    } else {
      const element: Open = { name, text: "", children: [] };
      here.children.push(element);
      if (empty !== "/") open.push(element);
    }
  }
  return end === document.length && open.length === 1 && top.children.length === 1
    ? top.children[0]
    : undefined;
}

export const child = (element: Element | undefined, name: string): Element | undefined =>
  element?.children.find((each) => each.name === name);

export const textOf = (element: Element | undefined, name: string): string | undefined =>
  child(element, name)?.text;
