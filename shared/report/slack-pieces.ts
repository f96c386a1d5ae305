import type { ContainerBlock, KnownBlock, RichTextBlock } from "@slack/types";
import type { Text } from "../text.ts";
import { plain } from "../text.ts";
import { wrapCode } from "./columns.ts";
import type { SlackFile } from "./slack-files.ts";
import { blockChars, cutLeaves, leaves, preformatted, richText, words } from "./slack-leaves.ts";
import { cut, visible, visibleLines } from "./visible.ts";
import { counted } from "./wording.ts";

/** Phones show about this many columns of code without scrolling. */
export const codeColumns = 40;
/** Sibling lines before a fold. */
export const siblings = 5;

/** A part of a message, with the files that carry what it had to leave out. */
export type Piece = Readonly<{ blocks: readonly KnownBlock[]; files: readonly SlackFile[] }>;
export type Names = (title: string, extension: string) => string;

export const none: Piece = { blocks: [], files: [] };

export const noted = (note: string): KnownBlock => richText([words(note)]);

/** A file of lines, and the one line in the message that says so. */
export function filed(
  title: string,
  lines: readonly string[],
  names: Names,
  note = counted(lines.length, "line"),
): Piece {
  const filename = names(title, "txt");
  return {
    blocks: [noted(`${cut(visible(title), 150)}: ${note} in ${filename}`)],
    files: [{ filename, title: cut(visible(title), 150), content: `${lines.join("\n")}\n` }],
  };
}

export const linesOf = (value: Text): readonly string[] => visibleLines(plain(value)).split("\n");

/** Prose within `max` characters; the whole of a longer one goes into a file. */
export function prose(value: Text, title: string, names: Names, max = blockChars): Piece {
  const elements = leaves(value);
  if (elements.length === 0) return none;
  const { elements: shown, isCut } = cutLeaves(elements, max);
  if (!isCut) return { blocks: [richText(shown)], files: [] };
  const file = filed(title, linesOf(value), names, "the whole");
  return { blocks: [richText(shown), ...file.blocks], files: file.files };
}

/** Wrapped lines in blocks of at most `blockChars`; `shown` counts the given lines that are drawn whole. */
export function codeBlocks(
  lines: readonly string[],
  most: number,
): Readonly<{ blocks: RichTextBlock[]; shown: number }> {
  const blocks: RichTextBlock[] = [];
  let current: string[] = [];
  let size = 0;
  let shown = 0;
  for (const line of lines) {
    const wrapped = wrapCode(line, codeColumns);
    const chars = wrapped.reduce((sum, piece) => sum + piece.length + 1, 0);
    if (chars > blockChars) break;
    if (size + chars > blockChars) {
      blocks.push(preformatted(current));
      if (blocks.length === most) return { blocks, shown };
      current = [];
      size = 0;
    }
    current.push(...wrapped);
    size += chars;
    shown += 1;
  }
  if (current.length > 0) blocks.push(preformatted(current));
  return { blocks, shown };
}

/** Lines behind a collapsed title; what does not fit is counted and goes into a file with all the rest. */
export function fold(title: string, given: readonly string[], names: Names): Piece {
  const lines = given.flatMap((line) => visibleLines(line).split("\n"));
  if (lines.length === 0) return none;
  const label = visible(title).trim() || "Evidence";
  const { blocks, shown } = codeBlocks(lines, 2);
  if (shown === 0) return filed(label, lines, names);
  const missing = lines.length - shown;
  const file = missing > 0 || label.length > 150 ? filed(label, [label, ...lines], names, "the whole") : none;
  const more = missing > 0 ? [noted(`${counted(missing, "more line")} in ${file.files[0]?.filename}`)] : [];
  const container: ContainerBlock = {
    type: "container",
    title: { type: "plain_text", text: cut(label, 150), emoji: false },
    child_blocks: [...blocks, ...(more as RichTextBlock[])],
    is_collapsible: true,
    default_collapsed: true,
  };
  return { blocks: [container], files: file.files };
}

/** Characters of everything people read in these blocks. */
export function charsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + charsOf(item), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) =>
      sum +
      (typeof item === "string"
        ? key === "text" || key === "title" || key === "url"
          ? item.length
          : 0
        : charsOf(item)),
    0,
  );
}
