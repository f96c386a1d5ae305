import type { ActionsBlock, SectionBlock } from "@slack/types";
import type { Block, Reply } from "../reply.ts";
import type { Text } from "../text.ts";
import { plain, strong } from "../text.ts";
import { wrapCode } from "./columns.ts";
import type { SlackMessage } from "./slack.ts";
import { blockLines, notification } from "./slack.ts";
import { buttons } from "./slack-actions.ts";
import type { SlackFile } from "./slack-files.ts";
import { fileNames } from "./slack-files.ts";
import { escapeMrkdwn, mrkdwn } from "./slack-leaves.ts";
import { charsOf, codeColumns, siblings } from "./slack-pieces.ts";
import { cut, visible, visibleLines } from "./visible.ts";
import {
  counted,
  findingCount,
  findingText,
  ranked,
  severitySign,
  severityWord,
  signedLine,
} from "./wording.ts";

const sectionChars = 2_900;
const maxBlocks = 50;
const maxChars = 9_000;
const codeLines = 12;

const section = (text: string): SectionBlock => ({
  type: "section",
  text: { type: "mrkdwn", text, verbatim: true },
});

/** Lines inside a code fence that no content can close: backticks are replaced, `&<>` are escaped. */
const fence = (lines: readonly string[]): string => `\`\`\`\n${escapeMrkdwn(lines.join("\n"))}\n\`\`\``;

/**
 * The same Reply with nothing but sections, code fences and buttons: for a workspace or client that answers
 * `invalid_blocks` to the primary form. A message posted in the primary form cannot be updated to this one
 * (`block_mismatch`): post anew.
 */
export function renderSlackPlain(reply: Reply): SlackMessage {
  const names = fileNames();
  const blocks: (SectionBlock | ActionsBlock)[] = [];
  const files: SlackFile[] = [];
  const left: string[] = [];
  const row = buttons(reply.actions).blocks.filter(
    (piece): piece is ActionsBlock => piece.type === "actions",
  );
  const labels = reply.actions.slice(3).map((action) => visible(action.label));
  const next = (reply.next ?? []).filter((move) => plain(move).trim() !== "");
  const nextSection =
    next.length === 0
      ? []
      : [
          section(
            mrkdwn(
              next.flatMap((move, i): Text => [i === 0 ? strong("Next:") : "\nor:", " ", ...move]),
              1_500,
            ).text,
          ),
        ];
  const reserved = charsOf([nextSection, row]) + 700;

  const file = (title: string, lines: readonly string[]): string => {
    const filename = names(title, "txt");
    files.push({ filename, title: cut(visible(title), 150), content: `${lines.join("\n")}\n` });
    return filename;
  };
  const put = (text: string, title: string, lines: readonly string[]): void => {
    if (text === "") return;
    const chars = charsOf(blocks) + text.length + reserved;
    if (blocks.length + nextSection.length + row.length + 2 <= maxBlocks && chars <= maxChars)
      blocks.push(section(text));
    else left.push(file(title, lines));
  };
  const putText = (value: Text, title: string, max = sectionChars): void => {
    const { text, isCut } = mrkdwn(value, max);
    if (!isCut) put(text, title, visibleLines(plain(value)).split("\n"));
    else {
      const filename = file(title, visibleLines(plain(value)).split("\n"));
      put(`${text}\nthe whole in ${filename}`, title, []);
    }
  };
  const putLines = (title: string, lines: readonly string[], heading: string, unit: string): void => {
    const shown: string[] = [];
    let count = 0;
    for (const line of lines) {
      const wrapped = wrapCode(line, codeColumns);
      if (shown.length + wrapped.length > codeLines) break;
      shown.push(...wrapped);
      count += 1;
    }
    const head = heading === "" ? "" : `*${escapeMrkdwn(cut(heading, 300)).replaceAll("*", "∗")}*\n`;
    const body = shown.length > 0 ? fence(shown) : "";
    const missing = lines.length - count;
    if (missing === 0 && heading.length <= 300) put(`${head}${body}`, title, lines);
    else
      put(
        `${head}${body}\n${counted(missing, `more ${unit}`)} in ${file(title, [heading, "", ...lines])}`,
        title,
        [],
      );
  };

  putText(signedLine(reply), "Verdict", 1_500);
  putText(reply.why ?? [], "Why", 2_000);
  const all = ranked(reply.findings);
  const said = all.map(
    (finding): Text => [
      strong(`${severitySign[finding.severity]} ${severityWord[finding.severity]}`),
      "  ",
      ...findingText(finding),
      ...(finding.remedy === undefined ? [] : ["\n      Fix: ", ...finding.remedy]),
    ],
  );
  if (all.length > 0) {
    const whole = said.flatMap((value) => visibleLines(plain(value)).split("\n"));
    const lines = said.slice(0, siblings).map((value) => mrkdwn(value, 550));
    const shown = lines.map((line) => line.text).join("\n");
    const rest = all.slice(lines.length);
    if (rest.length === 0 && !lines.some((line) => line.isCut)) put(shown, "Findings", whole);
    else {
      const more = rest.length > 0 ? `${findingCount(rest, "more ")}, all` : "the whole";
      put(`${shown}\n${more} in ${file("Findings", whole)}`, "Findings", []);
    }
  }

  reply.blocks.forEach((block: Block, i) => {
    const title =
      "title" in block && block.title ? visible(block.title).trim() || `Part ${i + 1}` : `Part ${i + 1}`;
    switch (block.kind) {
      case "prose":
        putText(block.text, title);
        return;
      case "image": {
        const filename = names(title, "png");
        files.push({ filename, title: cut(title, 150), content: block.png });
        put(
          escapeMrkdwn(`${cut(title, 150)}: ${cut(visible(block.alt), 500)} (${filename})`),
          title,
          blockLines(block),
        );
        return;
      }
      case "steps":
        putLines(title, blockLines(block), "", "step");
        return;
      case "table":
      case "evidence": {
        const heading = visible(block.title ?? "").trim();
        const lines = blockLines({ ...block, title: "" });
        putLines(
          title,
          block.kind === "evidence" ? lines.slice(2) : lines,
          heading,
          block.kind === "table" ? "row" : "line",
        );
        return;
      }
    }
  });

  if (left.length > 0) blocks.push(section(escapeMrkdwn(cut(`More in files: ${left.join(", ")}`, 500))));
  blocks.push(...nextSection);
  if (labels.length > 0) blocks.push(section(escapeMrkdwn(cut(`More choices: ${labels.join(", ")}`, 400))));
  blocks.push(...row);
  return { text: notification(reply).text, blocks, files };
}
