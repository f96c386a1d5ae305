/** Slack's words for the cards of a plan, as the terminal has them. */
const marks: Readonly<Record<string, string>> = {
  complete: "done",
  pending: "",
  in_progress: "now",
  error: "FAILED",
};

const card = /^(complete|pending|in_progress|error) {2}(\d+) (.*?)(?: · (skipped|waits|FAILED))?$/;
const markColumns = 7;

const wrapped = (line: string, columns: number): readonly string[] => {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const out: string[] = [];
  let now = "";
  for (const word of line.trimStart().split(" ")) {
    const next = now === "" ? `${out.length === 0 ? indent : `${indent}  `}${word}` : `${now} ${word}`;
    if (next.length > columns && now !== "") {
      out.push(now);
      now = `${indent}  ${word}`;
    } else now = next;
  }
  return [...out, now];
};

const cellsOf = (line: string): readonly string[] => line.split(" | ");

/** Rows of one table under each other, at most so many, with a line for those left out. */
function table(rows: readonly string[], most: number): readonly string[] {
  const shown = rows.slice(0, most + 1).map(cellsOf);
  const widths = (shown[0] ?? []).map((_, i) => Math.max(...shown.map((cells) => cells[i]?.length ?? 0)));
  return [
    ...shown.map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
    ...(rows.length > most + 1 ? [`(${rows.length - most - 1} more)`] : []),
  ];
}

/** One block of lines that belong together. */
type Run = Readonly<{ kind: "rows" | "card" | "line"; lines: readonly string[] }>;

function runsOf(lines: readonly string[]): readonly Run[] {
  const runs: { kind: Run["kind"]; lines: string[] }[] = [];
  for (const line of lines) {
    const last = runs.at(-1);
    const kind = card.test(line) ? "card" : line.includes(" | ") ? "rows" : "line";
    if (
      kind === "rows" &&
      last?.kind === "rows" &&
      cellsOf(last.lines[0] ?? "").length === cellsOf(line).length
    )
      last.lines.push(line);
    else if (last?.kind === "card" && kind === "line" && line.startsWith("  ")) last.lines.push(line);
    else runs.push({ kind, lines: [line] });
  }
  return runs;
}

function drawCard([first = "", ...details]: readonly string[], columns: number): readonly string[] {
  const [, status = "", number = "", title = "", word] = card.exec(first) ?? [];
  const head = `${(word ?? marks[status] ?? "").padEnd(markColumns)} ${number.padStart(2)} ${title}`;
  const under = " ".repeat(markColumns + 4);
  return [head, ...details.flatMap((detail) => wrapped(`${under}${detail.trim()}`, columns))];
}

export type Drawing = Readonly<{
  columns: number;
  /** Rows of a table; the others are counted. */
  rows: number;
  /** Whether a plan's cards are drawn or only how many there are. */
  cards: boolean;
}>;

/** The text of a message, as `renderText` gives it, as one reads it in a file: tables aligned, long lines wrapped. */
export const drawn = (text: string, { columns, rows, cards }: Drawing): string =>
  runsOf(text.split("\n"))
    .flatMap(({ kind, lines }) =>
      kind === "rows"
        ? table(lines, rows)
        : kind === "line"
          ? lines.flatMap((line) => wrapped(line, columns))
          : cards
            ? drawCard(lines, columns)
            : [],
    )
    .join("\n");
