import type { KnownBlock, PlanBlock, RichTextElement, TaskCardBlock } from "@slack/types";
import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Block, Reply, StepState } from "../reply.ts";
import type { Text } from "../text.ts";
import { plain } from "../text.ts";
import { buttons } from "./slack-actions.ts";
import type { SlackFile } from "./slack-files.ts";
import { fileNames } from "./slack-files.ts";
import { blockChars, cutLeaves, leafChars, leaves, mrkdwn, richText, words } from "./slack-leaves.ts";
import type { Names, Piece } from "./slack-pieces.ts";
import { charsOf, filed, fold, linesOf, none, noted, prose, siblings } from "./slack-pieces.ts";
import { tableAsCode, tableBlock, tableTitle } from "./slack-table.ts";
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

export { actionOf, slackActionId } from "./slack-actions.ts";

/** `text` is the whole outcome in one sentence: notifications, search and screen readers get nothing else. */
export type SlackMessage = Readonly<{ text: string; blocks: KnownBlock[]; files: SlackFile[] }>;

const maxBlocks = 50;
const maxTasks = 50;
/**
 * All text of a message together. Slack documents none, but answers `msg_blocks_too_long`; users of its SDK report
 * refusals from about 11,300 characters of rich text on, so we stay well below.
 */
const maxChars = 9_000;

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
  const alt = fold(`${cut(title, 150)}, in words`, visible(block.alt).split(/(?<=\.) /), names);
  return {
    blocks: [noted(`Picture below: ${cut(title, 150)} (${filename})`), ...alt.blocks],
    files: [{ filename, title: cut(title, 150), content: block.png }, ...alt.files],
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

/** The one sentence of `text`, at most 3,000 characters after escaping. */
export function notification(reply: Reply): Readonly<{ text: string; isCut: boolean }> {
  const { text, isCut } = mrkdwn(signedLine(reply), 3_000, { style: "none" });
  return { text: text.replaceAll("\n", " "), isCut };
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
