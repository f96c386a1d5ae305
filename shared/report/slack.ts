import type {
  ActionsBlock,
  Button,
  ContainerBlock,
  KnownBlock,
  PlanBlock,
  RichTextElement,
  TableBlock,
  TaskCardBlock,
} from "@slack/types";
import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Action, Block, Reply, StepState } from "../reply.ts";
import type { Text } from "../text.ts";
import { plain } from "../text.ts";
import { width, wrapCode } from "./columns.ts";
import type { SlackFile } from "./slack-files.ts";
import { fileNames } from "./slack-files.ts";
import {
  blockChars,
  cutLeaves,
  leafChars,
  leaves,
  mrkdwn,
  preformatted,
  richText,
  words,
} from "./slack-leaves.ts";
import { alignedLines, gridOf } from "./text-table.ts";
import { cut, visible, visibleLines } from "./visible.ts";
import {
  counted,
  findingCount,
  findingText,
  ranked,
  severitySign,
  severityWord,
  signedLine,
  stepCount,
  stepWord,
} from "./wording.ts";

/** `text` is the whole outcome in one sentence: notifications, search and screen readers get nothing else. */
export type SlackMessage = Readonly<{ text: string; blocks: KnownBlock[]; files: SlackFile[] }>;

/** Phones show about this many columns of code without scrolling. */
const codeColumns = 40;
/** Sibling lines before a fold. */
const siblings = 5;
const maxBlocks = 50;
const maxTableRows = 100;
const maxTableColumns = 20;
const maxTableChars = 10_000;
const maxTasks = 50;
const maxTitleChars = 300;
const maxCellChars = 1_000;
/**
 * All text of a message together. Slack documents none, but answers `msg_blocks_too_long`; developers report refusals
 * from about 11,300 characters of rich text (bolt-js issues 2509 and 2867).
 */
const maxChars = 9_000;

const actionPrefix = "arpeggio:";

/** The id our own buttons carry; a second button with the same id in a message gets `#2` behind it. */
export const slackActionId = (action: string, nth = 1): string =>
  `${actionPrefix}${action}${nth > 1 ? `#${nth}` : ""}`;

/** Back from `slackActionId`; undefined for a button that is not ours. */
export const actionOf = (actionId: string): string | undefined =>
  actionId.startsWith(actionPrefix) ? actionId.slice(actionPrefix.length).replace(/#\d+$/, "") : undefined;

type Piece = Readonly<{ blocks: readonly KnownBlock[]; files: readonly SlackFile[] }>;
type Names = (title: string, extension: string) => string;

const none: Piece = { blocks: [], files: [] };

const noted = (note: string): KnownBlock => richText([words(note)]);

/** A file of lines, and the one line in the message that says so. */
function filed(
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

const linesOf = (value: Text): readonly string[] => visibleLines(plain(value)).split("\n");

function prose(value: Text, title: string, names: Names, max = blockChars): Piece {
  const elements = leaves(value);
  if (elements.length === 0) return none;
  const { elements: shown, isCut } = cutLeaves(elements, max);
  if (!isCut) return { blocks: [richText(shown)], files: [] };
  const file = filed(title, linesOf(value), names, "the whole");
  return { blocks: [richText(shown), ...file.blocks], files: file.files };
}

/** Wrapped lines in blocks of at most `blockChars`; `shown` counts the given lines that are drawn whole. */
function codeBlocks(
  lines: readonly string[],
  most: number,
): Readonly<{ blocks: ReturnType<typeof preformatted>[]; shown: number }> {
  const blocks: ReturnType<typeof preformatted>[] = [];
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
function fold(title: string, given: readonly string[], names: Names): Piece {
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
    child_blocks: [...blocks, ...(more as ReturnType<typeof preformatted>[])],
    is_collapsible: true,
    default_collapsed: true,
  };
  return { blocks: [container], files: file.files };
}

function findingLeaves(finding: Finding): readonly RichTextElement[] {
  const remedy = finding.remedy === undefined ? [] : leaves(finding.remedy);
  return [
    words(`${severitySign[finding.severity]} ${severityWord[finding.severity]}`, { bold: true }),
    words("  "),
    ...leaves(findingText(finding)),
    ...(remedy.length > 0 ? [words("\n      Fix: "), ...remedy] : []),
  ];
}

const findingLines = (finding: Finding): readonly string[] => [
  ...linesOf([`${severityWord[finding.severity]}  `, ...findingText(finding)]),
  ...(finding.remedy === undefined || plain(finding.remedy) === ""
    ? []
    : linesOf(["  Fix: ", ...finding.remedy])),
];

/** Failures and unknowns first, five at most; the others folded under their number. */
function findings(reply: Reply, names: Names): Piece {
  const all = ranked(reply.findings);
  const urgent = all.filter((f) => isFailure(f) || f.severity === "unknown");
  const open: RichTextElement[] = [];
  const folded: Finding[] = [];
  let used = 0;
  let count = 0;
  for (const finding of urgent.length === 0 ? all : urgent) {
    const line = findingLeaves(finding);
    const size = line.reduce((sum, element) => sum + leafChars(element), 0);
    if (count >= siblings || used + size > blockChars || folded.length > 0) {
      folded.push(finding);
      continue;
    }
    if (count > 0) open.push(words("\n"));
    open.push(...line);
    used += size + 1;
    count += 1;
  }
  if (urgent.length > 0) folded.push(...all.slice(urgent.length));
  // "more" only where something of the same kind is open above.
  const isContinued = count > 0 && (folded[0]?.severity === "info") === (urgent.length === 0);
  const title = findingCount(folded, isContinued ? "more " : "");
  const rest = folded.length > 0 ? fold(title, folded.flatMap(findingLines), names) : none;
  return { blocks: [...(open.length > 0 ? [richText(open)] : []), ...rest.blocks], files: rest.files };
}

type TableOf = Extract<Block, { kind: "table" }>;

const tableTitle = (block: TableOf, at: number): string => visible(block.title ?? "").trim() || `Table ${at}`;

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
function tableBlock(block: TableOf, at: number, room: number, names: Names): Piece | undefined {
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
function tableAsCode(block: TableOf, at: number, names: Names): Piece {
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

const taskStatus: Readonly<Record<StepState, TaskCardBlock["status"]>> = {
  done: "complete",
  running: "in_progress",
  waiting: "pending",
  pending: "pending",
  failed: "error",
  skipped: "pending",
  unknown: "error",
};

// Task cards know four states; the others are said in the title.
const spoken = new Set<StepState>(["waiting", "skipped", "unknown", "failed"]);

export const stepLine = (step: Extract<Block, { kind: "steps" }>["steps"][number], at: number): string => {
  const state = stepWord[step.state];
  const note = step.note === undefined ? "" : visible(plain(step.note));
  return `${at + 1} ${visible(step.title)}${state === "" ? "" : `  ${state}`}${note === "" ? "" : `  ${note}`}`;
};

function steps(block: Extract<Block, { kind: "steps" }>, at: number, names: Names): Piece {
  if (block.steps.length === 0) return none;
  const shown = block.steps.slice(0, maxTasks);
  const isLong = block.steps.length > maxTasks || block.steps.some((step) => step.title.length > 120);
  const plan: PlanBlock = {
    type: "plan",
    title: stepCount(block.steps),
    tasks: shown.map((step, i): TaskCardBlock => {
      const note = step.note === undefined ? [] : leaves(step.note);
      const said = spoken.has(step.state) ? ` · ${stepWord[step.state]}` : "";
      return {
        type: "task_card",
        task_id: `step-${at}-${i + 1}`,
        title: `${i + 1} ${cut(visible(step.title), 120)}${said}`,
        status: taskStatus[step.state],
        ...(note.length > 0 && { details: richText(cutLeaves(note, 500).elements) }),
      };
    }),
  };
  const notesCut = block.steps.some(
    (step) => step.note !== undefined && cutLeaves(leaves(step.note), 500).isCut,
  );
  if (!isLong && !notesCut) return { blocks: [plan], files: [] };
  const file = filed(
    `Steps ${at}`,
    block.steps.map(stepLine),
    names,
    `all ${counted(block.steps.length, "step")}`,
  );
  return { blocks: [plan, ...file.blocks], files: file.files };
}

/** Everything a block says, as lines: what goes into a file when the message is full. */
export function blockLines(block: Block): readonly string[] {
  switch (block.kind) {
    case "prose":
      return linesOf(block.text);
    case "table":
      return [...(block.title ? [visible(block.title), ""] : []), ...alignedLines(gridOf(block))];
    case "steps":
      return block.steps.map(stepLine);
    case "evidence":
      return [visible(block.title), "", ...block.lines.flatMap((line) => visibleLines(line).split("\n"))];
    case "image":
      return [`${visible(block.title)}: ${visible(block.alt)}`];
  }
}

const blockTitle = (block: Block, at: number): string => {
  if (block.kind === "table") return tableTitle(block, at);
  if (block.kind === "evidence" || block.kind === "image") return visible(block.title).trim() || `Part ${at}`;
  return block.kind === "steps" ? `Steps ${at}` : `Part ${at}`;
};

function image(block: Extract<Block, { kind: "image" }>, at: number, names: Names): Piece {
  const title = blockTitle(block, at);
  const filename = names(title, "png");
  return {
    blocks: [noted(`${cut(title, 150)}: ${cut(visible(block.alt), 1_000)} (${filename})`)],
    files: [{ filename, title: cut(title, 150), content: block.png }],
  };
}

function nextMoves(moves: readonly Text[], names: Names): Piece {
  const elements = moves
    .filter((move) => plain(move).trim() !== "")
    .flatMap((move, i) => [i === 0 ? words("Next: ", { bold: true }) : words("\nor: "), ...leaves(move)]);
  if (elements.length === 0) return none;
  const { elements: shown, isCut } = cutLeaves(elements, 1_500);
  if (!isCut) return { blocks: [richText(shown)], files: [] };
  const file = filed("Next moves", moves.flatMap(linesOf), names, "the whole");
  return { blocks: [richText(shown), ...file.blocks], files: file.files };
}

const buttonFits = (action: Action): boolean =>
  action.value.length <= 2_000 && slackActionId(action.id, 9).length <= 255;

/** Three buttons at most. What cannot be a button is named, so that nobody thinks there is no such choice. */
export function buttons(actions: readonly Action[]): Piece {
  const offered = actions.filter(buttonFits).slice(0, 3);
  const others = actions.filter((action) => !offered.includes(action));
  const seen = new Map<string, number>();
  const elements = offered.map((action): Button => {
    const nth = (seen.get(action.id) ?? 0) + 1;
    seen.set(action.id, nth);
    const label = visible(action.label).trim() || "Go on";
    const confirm = visibleLines(action.confirm ?? "").trim();
    return {
      type: "button",
      action_id: slackActionId(action.id, nth),
      text: { type: "plain_text", text: cut(label, 75), emoji: false },
      ...(action.value !== "" && { value: action.value }),
      ...(action.style !== undefined && { style: action.style }),
      ...(confirm !== "" && {
        confirm: {
          title: { type: "plain_text", text: cut(label, 100), emoji: false },
          text: { type: "plain_text", text: cut(confirm, 300), emoji: false },
          confirm: { type: "plain_text", text: cut(label, 30), emoji: false },
          deny: { type: "plain_text", text: "Not now", emoji: false },
          ...(action.style !== undefined && { style: action.style }),
        },
      }),
    };
  });
  const row: ActionsBlock[] = elements.length > 0 ? [{ type: "actions", elements }] : [];
  const long = offered.filter((action) => visibleLines(action.confirm ?? "").trim().length > 300);
  const notes = [
    ...long.map((action) => `${visible(action.label)}: ${visibleLines(action.confirm ?? "")}`),
    ...(others.length > 0
      ? [
          `${counted(others.length, "more choice")} without a button here: ${others.map((a) => visible(a.label)).join(", ")}`,
        ]
      : []),
  ];
  return { blocks: [...notes.map((note) => noted(cut(note, 400))), ...row], files: [] };
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

/** The one sentence of `text`, at most 3,000 characters after escaping. */
export function notification(reply: Reply): Readonly<{ text: string; isCut: boolean }> {
  return mrkdwn(signedLine(reply), 3_000, { style: "none" });
}

/**
 * Draws a Reply as one Slack message: verdict, why, findings, blocks, next moves, buttons. Whatever Slack's limits
 * leave no room for is counted in the message and carried whole in `files`, which the caller uploads into the thread.
 * Everything that came from a host stays in leaves that cannot mention anybody.
 */
export function renderSlack(reply: Reply): SlackMessage {
  const names = fileNames();
  const blocks: KnownBlock[] = [];
  const files: SlackFile[] = [];
  let chars = 0;
  const put = (piece: Piece): void => {
    blocks.push(...piece.blocks);
    files.push(...piece.files);
    chars += charsOf(piece.blocks);
  };

  put(prose(signedLine(reply), "Verdict", names, 1_500));
  const tail = [nextMoves(reply.next ?? [], names), buttons(reply.actions)];
  // One line that says where the rest is, plus what comes after the body.
  const reserved = 1 + tail.reduce((sum, piece) => sum + piece.blocks.length, 0);
  const reservedChars = 200 + tail.reduce((sum, piece) => sum + charsOf(piece.blocks), 0);
  const fits = (piece: Piece): boolean =>
    blocks.length + piece.blocks.length + reserved <= maxBlocks &&
    chars + charsOf(piece.blocks) + reservedChars <= maxChars;

  put(prose(reply.why ?? [], "Why", names, 2_000));
  const left: string[] = [];
  const leaveOut = (title: string, lines: readonly string[]): void => {
    const piece = filed(title, lines, names);
    if (fits(piece)) put(piece);
    else {
      files.push(...piece.files);
      left.push(piece.files[0]?.filename ?? title);
    }
  };
  const found = findings(reply, names);
  if (fits(found)) put(found);
  else leaveOut("Findings", ranked(reply.findings).flatMap(findingLines));

  let hasTable = false;
  reply.blocks.forEach((block, i) => {
    const at = i + 1;
    const room = maxChars - chars - reservedChars - 600;
    const drawn = ((): Piece | undefined => {
      switch (block.kind) {
        case "prose":
          return prose(block.text, `Part ${at}`, names);
        case "table":
          return hasTable ? tableAsCode(block, at, names) : tableBlock(block, at, room, names);
        case "steps":
          return steps(block, at, names);
        case "evidence":
          return fold(block.title, block.lines, names);
        case "image":
          return image(block, at, names);
      }
    })();
    if (drawn !== undefined && fits(drawn)) {
      put(drawn);
      hasTable ||= drawn.blocks.some((piece) => piece.type === "table");
    } else if (block.kind === "image") {
      files.push(...(drawn?.files ?? []));
      left.push(blockTitle(block, at));
    } else leaveOut(blockTitle(block, at), blockLines(block));
  });

  if (left.length > 0) put({ blocks: [noted(cut(`More in files: ${left.join(", ")}`, 200))], files: [] });
  for (const piece of tail) put(piece);
  return { text: notification(reply).text, blocks, files };
}
