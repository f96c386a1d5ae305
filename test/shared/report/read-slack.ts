import type { KnownBlock, RichTextBlock, RichTextElement } from "@slack/types";
import type { SlackMessage } from "#shared/report/slack.ts";

const leaf = (element: RichTextElement): string => {
  switch (element.type) {
    case "text":
      return element.style?.code
        ? `[${element.text}]`
        : element.style?.bold
          ? `*${element.text}*`
          : element.text;
    case "user":
      return `(user ${element.user_id})`;
    case "usergroup":
      return `(group ${element.usergroup_id})`;
    case "link":
      return `${element.text} (link ${element.url})`;
    default:
      return `(${element.type})`;
  }
};

const rich = (block: RichTextBlock): string =>
  block.elements
    .map((part) => {
      if (part.type === "rich_text_preformatted")
        return part.elements
          .map(leaf)
          .join("")
          .split("\n")
          .map((line) => `  | ${line}`)
          .join("\n");
      return part.type === "rich_text_section" ? part.elements.map(leaf).join("") : `(${part.type})`;
    })
    .join("\n");

const cell = (value: unknown): string => {
  const one = value as RichTextBlock | { type: "raw_text"; text: string };
  return one.type === "raw_text" ? one.text : rich(one as RichTextBlock);
};

function read(block: KnownBlock): string {
  switch (block.type) {
    case "rich_text":
      return rich(block);
    case "section":
      return block.text?.text ?? "";
    case "container":
      return `▸ ${block.title?.text}\n${block.child_blocks.map((child) => read(child)).join("\n")}`;
    case "table":
      return block.rows.map((row) => `  ${row.map(cell).join(" ¦ ")}`).join("\n");
    case "plan":
      return [
        `plan: ${block.title}`,
        ...(block.tasks ?? []).map((task) => {
          const { title, status, details } = task as {
            title: string;
            status: string;
            details?: RichTextBlock;
          };
          return `  (${status}) ${title}${details ? ` — ${rich(details)}` : ""}`;
        }),
      ].join("\n");
    case "actions":
      return block.elements
        .map((element) => {
          if (element.type !== "button") return `(${element.type})`;
          const { text, action_id, style, confirm } = element;
          const asks = confirm === undefined ? "" : ` asks "${confirm.text.text}"`;
          return `[${text.text}] ${action_id}${style === undefined ? "" : ` ${style}`}${asks}`;
        })
        .join("\n");
    default:
      return `(${block.type})`;
  }
}

/** A message as somebody reads it: the notification, then block after block, then the files with their length. */
export const asRead = (message: SlackMessage): string =>
  [
    `text: ${message.text}`,
    ...message.blocks.map(read),
    ...message.files.map(({ filename, content }) =>
      typeof content === "string"
        ? `file ${filename}:\n${content}`
        : `file ${filename}: ${content.length} bytes`,
    ),
  ].join("\n---\n");
