import type { Block, Reply, StepState } from "../reply.ts";
import type { Inline, Text } from "../text.ts";
import { plain } from "../text.ts";
import { gridOf } from "./text-table.ts";
import { visible, visibleLines } from "./visible.ts";
import { findingText, ranked, severitySign, severityWord, signedLine, stepWord } from "./wording.ts";

/** Characters that mean something to CommonMark or GitHub tables, and `@`, which mentions people on GitHub. */
const special = /[\\`*_{}[\]<>#|~@!&]/g;

const escaped = (value: string): string =>
  value.replace(special, (char) => (char === "@" ? "&#64;" : `\\${char}`));

/** Inside an HTML block Markdown reads no backslashes: there only entities help. */
const html = (value: string): string => value.replace(/[&<>@]/g, (char) => `&#${char.charCodeAt(0)};`);

// A line that begins like a list, heading, quote or rule would become one.
const escapeLineStart = (value: string): string =>
  value.replace(
    /^([ \t]*)([-+=]|\d+[.)])/gm,
    (_, space: string, mark: string) => `${space.slice(0, 3)}${mark.slice(0, -1)}\\${mark.slice(-1)}`,
  );

const longestRun = (value: string): number =>
  [...value.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 0);

/** A code span whose fence is longer than any run of backticks inside. */
function span(value: string): string {
  const inner = visible(value);
  if (inner === "") return "";
  const fence = "`".repeat(longestRun(inner) + 1);
  const pad = /^[` ]|[` ]$/.test(inner) ? " " : "";
  return `${fence}${pad}${inner}${pad}${fence}`;
}

function fence(lines: readonly string[]): string {
  const body = lines.flatMap((line) => visibleLines(line).split("\n")).join("\n");
  const marks = "`".repeat(Math.max(3, longestRun(body) + 1));
  return `${marks}text\n${body}\n${marks}`;
}

function inline(part: Inline): string {
  if (typeof part === "string") return escaped(visibleLines(part));
  if ("code" in part) return span(part.code);
  if ("strong" in part) return part.strong.trim() === "" ? "" : `**${escaped(visible(part.strong).trim())}**`;
  if ("strike" in part) return part.strike.trim() === "" ? "" : `~~${escaped(visible(part.strike).trim())}~~`;
  if ("person" in part) return escaped(`@${visible(part.person.name)}`);
  const label = escaped(visible(part.text)) || escaped(visible(part.link));
  return /^https?:\/\/[^\s<>()]+$/.test(part.link)
    ? `[${label}](${part.link})`
    : `${label} (${span(part.link)})`;
}

const lower = (value: Text): string => escapeLineStart(value.map(inline).join(""));

const cell = (value: string): string => escaped(value).replaceAll("\n", " ");

const stepMark: Readonly<Record<StepState, string>> = {
  done: "[x]",
  running: "[ ]",
  waiting: "[ ]",
  pending: "[ ]",
  failed: "[ ]",
  skipped: "[ ]",
  unknown: "[ ]",
};

function block(value: Block): string {
  switch (value.kind) {
    case "prose":
      return lower(value.text);
    case "table": {
      const grid = gridOf(value);
      const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
      const rule = `| ${grid.right.map((right) => (right ? "---:" : "---")).join(" | ")} |`;
      const title = visible(value.title ?? "").trim();
      return `${title === "" ? "" : `**${escaped(title)}**\n\n`}${[row(grid.titles), rule, ...grid.rows.map(row)].join("\n")}`;
    }
    case "steps":
      return value.steps
        .map((step, i) => {
          const word = stepWord[step.state];
          const note =
            step.note === undefined ? "" : ` · ${step.note.map(inline).join("").replaceAll("\n", " ")}`;
          return `${i + 1}. ${stepMark[step.state]} ${escaped(visible(step.title))}${word === "" ? "" : ` (${word})`}${note}`;
        })
        .join("\n");
    case "evidence": {
      const title = html(visible(value.title).trim()) || "Evidence";
      return `<details><summary>${title}</summary>\n\n${fence(value.lines)}\n\n</details>`;
    }
    case "image":
      return `*${escaped(visible(value.title))}*: ${escaped(visible(value.alt))} (picture)`;
  }
}

/** The Reply as GitHub-flavoured Markdown: exports, tickets, post-mortems. Nothing is cut. */
export function renderMarkdown(reply: Reply): string {
  const heading = lower(signedLine(reply)).replaceAll("\n", " ");
  const findings = ranked(reply.findings).map((finding) => {
    const remedy =
      finding.remedy === undefined || plain(finding.remedy) === ""
        ? ""
        : ` Fix: ${finding.remedy.map(inline).join("")}`;
    const line = `- ${severitySign[finding.severity]} **${severityWord[finding.severity]}** ${findingText(finding).map(inline).join("")}${remedy}`;
    return line.replaceAll("\n", " ");
  });
  const next = (reply.next ?? [])
    .filter((move) => plain(move) !== "")
    .map((move) => move.map(inline).join("").replaceAll("\n", " "));
  return `${[
    heading,
    reply.why === undefined ? "" : lower(reply.why),
    findings.join("\n"),
    ...reply.blocks.map(block),
    next.length === 0 ? "" : `Next: ${next.join(" · ")}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}
