import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Block, Outcome, Reply, StepState } from "../reply.ts";
import { type Inline, plain, type Text } from "../text.ts";
import { padEnd, width, wrapCode, wrapWords } from "./columns.ts";
import { fittedLines, gridOf } from "./text-table.ts";
import { visible, visibleLines } from "./visible.ts";
import {
  counted,
  outcomeSign,
  ranked,
  severityWord,
  shownSubject,
  stepWord,
  verdictLine,
} from "./wording.ts";

export type TerminalOptions = Readonly<{ columns: number; colour: boolean }>;

type Paint = (style: Style, value: string) => string;
type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

// SGR codes of ECMA-48: on, off.
const sgr: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

const painter =
  (colour: boolean): Paint =>
  (style, value) =>
    colour && value !== "" ? `\u001b[${sgr[style][0]}m${value}\u001b[${sgr[style][1]}m` : value;

const outcomeStyle: Readonly<Record<Outcome, Style>> = {
  ok: "green",
  info: "cyan",
  failed: "red",
  unknown: "yellow",
  running: "cyan",
  usage: "cyan",
  denied: "red",
  busy: "yellow",
  fault: "red",
};

/** Narrower than this nothing can be drawn well; wider prose is hard to read, tables may use all of it. */
const narrowest = 20;
/** Below this a step's note gets lines of its own: beside the title there is no room for it. */
const narrowSteps = 60;
const proseColumns = 100;

const words = (part: Inline): string => {
  if (typeof part === "string") return visibleLines(part);
  if ("code" in part) return visible(part.code);
  if ("strong" in part) return visible(part.strong);
  if ("strike" in part) return visible(plain([part]));
  if ("person" in part) return `@${visible(part.person.name)}`;
  const label = visible(part.text);
  return label === "" ? visible(part.link) : `${label} (${visible(part.link)})`;
};

const said = (value: Text): string => value.map(words).join("");

/** Wrapped prose: `first` starts the first line, the others hang below its end. */
function paragraph(value: string, columns: number, first = "", hang = width(first)): readonly string[] {
  const room = Math.max(columns - hang, 10);
  return value
    .split("\n")
    .flatMap((line) => wrapWords(line, room))
    .map((line, i) => `${i === 0 ? padEnd(first, hang) : " ".repeat(hang)}${line}`.trimEnd());
}

const indented = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === "" ? "" : `  ${line}`));

const severityStyle = (finding: Finding): Style => {
  if (finding.severity === "unknown" || finding.severity === "warning") return "yellow";
  return isFailure(finding) ? "red" : "cyan";
};

/** Subjects stand in a column of their own up to this width; a longer one pushes its text to the right. */
const subjectColumns = 24;

function findingsSection(findings: readonly Finding[], columns: number, paint: Paint): readonly string[] {
  const all = ranked(findings);
  const label = all.reduce((most, f) => Math.max(most, severityWord[f.severity].length), 0) + 2;
  const subjects = all.map((finding) => visible(shownSubject(finding)));
  const column = Math.max(0, ...subjects.map(width).filter((n) => n <= subjectColumns));
  return all.flatMap((finding, i) => {
    const word = severityWord[finding.severity];
    const subject = subjects[i] ?? "";
    const lead = subject === "" ? "" : `${padEnd(subject, column)}  `;
    const isShort = width(lead) <= subjectColumns + 2;
    const head = isShort ? padEnd(word, label) + lead : padEnd(word, label);
    const body = isShort ? said(finding.text) : lead + said(finding.text);
    const [first = "", ...others] = paragraph(body, columns, head);
    const remedy = finding.remedy === undefined ? "" : said(finding.remedy);
    return [
      paint(severityStyle(finding), word) + first.slice(word.length),
      ...others,
      ...(remedy === "" ? [] : paragraph(remedy, columns, `${" ".repeat(label)}Fix: `)),
    ];
  });
}

const stepStyle: Readonly<Partial<Record<StepState, Style>>> = {
  done: "green",
  running: "cyan",
  failed: "red",
  unknown: "yellow",
};

function stepLines(
  block: Extract<Block, { kind: "steps" }>,
  columns: number,
  paint: Paint,
): readonly string[] {
  const numbers = String(block.steps.length).length;
  const titles = block.steps.map((step) => visible(step.title));
  const column = Math.min(Math.max(...titles.map(width), 0), Math.floor(columns / 2));
  return block.steps.flatMap((step, i) => {
    const word = step.state === "running" ? ">" : stepWord[step.state];
    const head = `${padEnd(word, 8)}${String(i + 1).padStart(numbers)} `;
    const note = step.note === undefined ? "" : visible(plain(step.note));
    const title = titles[i] ?? "";
    const isNarrow = columns < narrowSteps;
    const body = note === "" || isNarrow ? title : `${padEnd(title, column)}  ${note}`;
    const [first = "", ...others] = [
      ...paragraph(body, columns - 1, ` ${head}`),
      ...(note === "" || !isNarrow ? [] : paragraph(note, columns - 1, " ".repeat(width(head) + 2))),
    ];
    const style = stepStyle[step.state];
    const painted = style === undefined ? first : ` ${paint(style, word)}${first.slice(1 + word.length)}`;
    return [painted, ...others];
  });
}

function blockLines(block: Block, columns: number, paint: Paint): readonly string[] {
  const room = columns - 2;
  switch (block.kind) {
    case "prose":
      return paragraph(said(block.text), Math.min(columns, proseColumns));
    case "table": {
      const title = visible(block.title ?? "").trim();
      const [header = "", ...rows] = fittedLines(gridOf(block), room);
      const count = block.rows.length === 0 ? ["(no rows)"] : [];
      return [
        ...(title === "" ? [] : wrapWords(title, columns).map((line) => paint("bold", line))),
        ...indented([paint("dim", header), ...rows, ...count]),
      ];
    }
    case "steps":
      return stepLines(block, columns, paint);
    case "evidence": {
      const title = visible(block.title).trim();
      const lines = block.lines
        .flatMap((line) => visibleLines(line).split("\n"))
        .flatMap((line) => wrapCode(line, room));
      return [...(title === "" ? [] : indented(wrapWords(title, room))), ...indented(lines)];
    }
    case "image":
      return indented(
        wrapWords(
          `${visible(block.title)}: ${visible(block.alt)} (picture${block.file === undefined ? `, ${counted(block.png.length, "byte")}` : `: ${visible(block.file)}`})`,
          room,
        ),
      );
  }
}

/**
 * The Reply as lines for a terminal of the given width, ending in one line feed. Nothing is cut: long tables are
 * printed whole, wide ones wrap inside their cells. The only escape sequences are our own colours.
 */
export function renderTerminal(reply: Reply, options: TerminalOptions): string {
  const columns = Math.max(narrowest, Math.floor(options.columns));
  const paint = painter(options.colour);
  const style = outcomeStyle[reply.verdict.outcome];
  const text = Math.min(columns, proseColumns);

  const sign = outcomeSign[reply.verdict.outcome];
  const line = visible(said(verdictLine(reply)).replaceAll("\n", " "));
  const [first = "", ...others] = paragraph(line, columns, `${sign} `);
  const word = visible(reply.verdict.word);
  const lead = `${sign} ${word}`;
  const verdict = first.startsWith(lead)
    ? `${paint(style, sign)} ${paint("bold", paint(style, word))}${first.slice(lead.length)}`
    : paint(style, first);

  const sections: (readonly string[])[] = [
    [verdict, ...others, ...(reply.why === undefined ? [] : paragraph(said(reply.why), text))],
    findingsSection(reply.findings, columns, paint),
    ...reply.blocks.map((block) => blockLines(block, columns, paint)),
  ];

  const moves = (reply.next ?? []).map(said).filter((move) => move !== "");
  const joined = moves.join("     ");
  const next =
    moves.length === 0
      ? []
      : !joined.includes("\n") && width(joined) + 6 <= columns
        ? [`Next: ${joined}`]
        : moves.flatMap((move, i) => paragraph(move, text, i === 0 ? "Next: " : "      "));
  const choices = reply.actions.map((action, i) => `[${i + 1}] ${visible(action.label)}`);
  const row = choices.join("  ");
  const actions = width(row) <= columns ? [row] : choices.flatMap((choice) => wrapWords(choice, columns));
  sections.push([...next, ...(choices.length > 0 ? actions : [])]);

  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
