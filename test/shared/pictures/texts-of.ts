import { textWidth } from "#shared/pictures/draw.ts";

export type Written = Readonly<{ words: string; x: number; y: number; size: number; right: number }>;

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** Every text of a drawing, as it is read. Throws when the drawing is no well-formed XML around them. */
export function textsOf(svg: string): readonly Written[] {
  const bare = svg.replaceAll(/<text [^<>]*>([^<>]*)<\/text>/g, "");
  if (/[<>]/.test(bare.replaceAll(/<(?:svg|rect|path|circle)( [\w-]+="[^"<>]*")*\/?>|<\/svg>/g, "")))
    throw new Error(`not well-formed: ${bare.slice(0, 400)}`);
  return [...svg.matchAll(/<text ([^<>]*)>([^<>]*)<\/text>/g)].map(([, attributes = "", inner = ""]) => {
    const value = (name: string): string | undefined =>
      new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1];
    const words = inner.replaceAll(/&([^;]+);/g, (_, name: string) => named[name] ?? "BROKEN");
    const size = Number(value("font-size"));
    const long = textWidth(words, size, value("font-weight") === "700");
    const x = Number(value("x"));
    const anchor = value("text-anchor") ?? "start";
    const right = anchor === "end" ? x : anchor === "middle" ? x + long / 2 : x + long;
    return { words, x, y: Number(value("y")), size, right };
  });
}
