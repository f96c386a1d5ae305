import type { Column } from "../reply.ts";
import type { Text } from "../text.ts";
import { plain } from "../text.ts";
import { padEnd, padStart, width, wrapWords } from "./columns.ts";
import { visible } from "./visible.ts";

/** A table as every surface draws it: a rectangle of visible, non-empty strings under titles. */
export type Grid = Readonly<{
  titles: readonly string[];
  rows: readonly (readonly string[])[];
  right: readonly boolean[];
}>;

/** Empty cells become a dash: Slack refuses empty cells, and a reader cannot tell "nothing" from "not drawn". */
export const cellText = (cell: Text | undefined): string => {
  const value = visible(plain(cell ?? [])).trim();
  return value === "" ? "–" : value;
};

/** Rows of different length are made as long as the longest; columns without a title get a dash. */
export function gridOf(
  table: Readonly<{ columns: readonly Column[]; rows: readonly (readonly Text[])[] }>,
): Grid {
  const count = table.rows.reduce(
    (most, row) => Math.max(most, row.length),
    Math.max(1, table.columns.length),
  );
  const indices = Array.from({ length: count }, (_, i) => i);
  return {
    titles: indices.map((i) => cellText([table.columns[i]?.title ?? ""])),
    rows: table.rows.map((row) => indices.map((i) => cellText(row[i]))),
    right: indices.map((i) => table.columns[i]?.align === "right"),
  };
}

const gap = "  ";

const widths = (grid: Grid): number[] =>
  grid.titles.map((title, i) =>
    grid.rows.reduce((most, row) => Math.max(most, width(row[i] ?? "")), width(title)),
  );

const drawRow = (cells: readonly string[], columns: readonly number[], right: readonly boolean[]): string =>
  cells
    .map((cell, i) => (right[i] ? padStart(cell, columns[i] ?? 0) : padEnd(cell, columns[i] ?? 0)))
    .join(gap)
    .trimEnd();

/** Aligned lines of any width, header first: what goes into a file. */
export function alignedLines(grid: Grid): readonly string[] {
  const columns = widths(grid);
  return [grid.titles, ...grid.rows].map((row) => drawRow(row, columns, grid.right));
}

const narrowest = 8;

/**
 * Lines of at most `limit` columns that lose nothing. Cells wrap inside their column, the widest columns shrinking
 * first; when there is no room for columns, each row becomes a record of `title: value` lines.
 */
export function fittedLines(grid: Grid, limit: number): readonly string[] {
  const natural = widths(grid);
  const room = limit - gap.length * (natural.length - 1);
  const total = (cap: number): number => natural.reduce((sum, n) => sum + Math.min(n, cap), 0);
  let cap = Math.max(...natural);
  if (total(cap) > room) {
    // The widest columns shrink to one common width, the others keep theirs.
    cap = Math.min(cap, room);
    while (cap >= narrowest && total(cap) > room) cap -= 1;
    if (cap < narrowest) return recordLines(grid, limit);
  }
  const columns = natural.map((n) => Math.min(n, cap));
  const widest = natural.findIndex((n) => n > cap);
  if (widest >= 0) columns[widest] = Math.min(natural[widest] ?? 0, cap + room - total(cap));
  return [grid.titles, ...grid.rows].flatMap((row) => {
    const cells = row.map((cell, i) => wrapWords(cell, columns[i] ?? narrowest));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      drawRow(
        cells.map((lines) => lines[line] ?? ""),
        columns,
        grid.right,
      ),
    );
  });
}

function recordLines(grid: Grid, limit: number): readonly string[] {
  return grid.rows.flatMap((row, at) => [
    ...(at > 0 ? [""] : []),
    ...row.flatMap((cell, i) => wrapWords(`${grid.titles[i]}: ${cell}`, Math.max(limit, narrowest))),
  ]);
}
