import type { KnownBlock, TableBlock } from "@slack/types";
import type { Block } from "../reply.ts";
import type { Text } from "../text.ts";
import { plain } from "../text.ts";
import { width } from "./columns.ts";
import { cutLeaves, leafChars, leaves, richText, words } from "./slack-leaves.ts";
import type { Names, Piece } from "./slack-pieces.ts";
import { codeBlocks, codeColumns, filed, siblings } from "./slack-pieces.ts";
import { alignedLines, gridOf } from "./text-table.ts";
import { cut, visible } from "./visible.ts";
import { counted } from "./wording.ts";

const maxTableRows = 100;
const maxTableColumns = 20;
const maxTableChars = 10_000;
const maxTitleChars = 300;
const maxCellChars = 1_000;

type TableOf = Extract<Block, { kind: "table" }>;

export const tableTitle = (block: TableOf, at: number): string =>
  visible(block.title ?? "").trim() || `Table ${at}`;

const heading = (block: TableOf): readonly KnownBlock[] => {
  const title = visible(block.title ?? "").trim();
  return title === "" ? [] : [richText([words(cut(title, maxTitleChars), { bold: true })])];
};

type Cell = TableBlock["rows"][number][number];

/** A cell as Slack draws it, with its characters. People and links stay what they are; long cells are cut with a mark. */
function cellOf(source: Text, shown: string): Readonly<{ cell: Cell; chars: number; isCut: boolean }> {
  const isStyled = source.some((part) => typeof part !== "string") && plain(source).trim() !== "";
  const { elements, isCut } = cutLeaves(isStyled ? leaves(source) : [], maxCellChars);
  if (elements.length > 0)
    return {
      cell: richText(elements),
      chars: elements.reduce((sum, element) => sum + leafChars(element), 0),
      isCut,
    };
  const text = cut(shown, maxCellChars);
  return { cell: { type: "raw_text", text }, chars: text.length, isCut: text !== shown };
}

/** The one table block a message may hold. Rows beyond Slack's limits are counted, and all rows go into a file. */
export function tableBlock(block: TableOf, at: number, room: number, names: Names): Piece | undefined {
  const grid = gridOf(block);
  const title = tableTitle(block, at);
  const columns = Math.min(grid.titles.length, maxTableColumns);
  const budget = Math.min(maxTableChars, room);
  const header = grid.titles.slice(0, columns).map((cell) => cut(cell, maxTitleChars));
  let chars = header.reduce((sum, cell) => sum + cell.length, 0);
  let isCut = title.length > maxTitleChars || header.some((cell, i) => cell !== grid.titles[i]);
  const rows: TableBlock["rows"] = [header.map((cell) => richText([words(cell, { bold: true })]))];
  for (const [i, row] of grid.rows.entries()) {
    if (rows.length === maxTableRows) break;
    const cells = row.slice(0, columns).map((shown, column) => cellOf(block.rows[i]?.[column] ?? [], shown));
    const size = cells.reduce((sum, cell) => sum + cell.chars, 0);
    if (chars + size > budget) break;
    chars += size;
    isCut ||= cells.some((cell) => cell.isCut);
    rows.push(cells.map(({ cell }) => cell));
  }
  const shown = rows.length - 1;
  if (chars > budget || (shown === 0 && grid.rows.length > 0)) return undefined;
  const settings = grid.right.slice(0, columns);
  const table: TableBlock = {
    type: "table",
    rows,
    ...(settings.some(Boolean) && {
      column_settings: settings.map((right) => ({ align: right ? ("right" as const) : ("left" as const) })),
    }),
  };
  const blocks = [...heading(block), table];
  const more = [
    ...(shown < grid.rows.length ? [counted(grid.rows.length - shown, "more row")] : []),
    ...(columns < grid.titles.length ? [counted(grid.titles.length - columns, "more column")] : []),
    ...(isCut ? ["what is cut short here"] : []),
  ];
  if (more.length === 0) return { blocks, files: [] };
  const file = filed(title, [title, "", ...alignedLines(grid)], names, more.join(" and "));
  return { blocks: [...blocks, ...file.blocks], files: file.files };
}

/** A second table: its first rows as code, all of it as a file. */
export function tableAsCode(block: TableOf, at: number, names: Names): Piece {
  const grid = gridOf(block);
  const title = tableTitle(block, at);
  const aligned = alignedLines(grid);
  const fits = aligned.every((line) => width(line) <= codeColumns);
  const first = fits
    ? aligned.slice(0, siblings + 1)
    : grid.rows.slice(0, siblings).map((row) => cut(row.join(" · "), 3 * codeColumns));
  const { blocks } = codeBlocks(first, 1);
  if (fits && aligned.length <= siblings + 1 && title.length <= maxTitleChars)
    return { blocks: [...heading(block), ...blocks], files: [] };
  const hidden = grid.rows.length - Math.min(siblings, grid.rows.length);
  const note = hidden > 0 ? `${counted(hidden, "more row")}, all` : `all ${counted(grid.rows.length, "row")}`;
  const file = filed(title, [title, "", ...aligned], names, note);
  return { blocks: [...heading(block), ...blocks, ...file.blocks], files: file.files };
}
