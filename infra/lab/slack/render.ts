import type { Json } from "#shared/json.ts";
import { isObject, objectsIn } from "./elements.ts";
import type { JsonObject, Message } from "./message.ts";

/** Name of a user, group or channel id, for mentions. */
export type NameOf = (id: string) => string | undefined;

const str = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** Mrkdwn as the client shows it: mentions by name, links by their label, entities as characters. */
export const readMrkdwn = (text: string, nameOf: NameOf): string =>
  text
    .replaceAll(/<([^<>|]+)(?:\|([^<>]*))?>/g, (_, target: string, label: string | undefined) => {
      const id = /^[@#]([A-Z0-9]+)$/.exec(target)?.[1] ?? /^!subteam\^([A-Z0-9]+)$/.exec(target)?.[1];
      if (id !== undefined) return `${target.startsWith("#") ? "#" : "@"}${label || (nameOf(id) ?? id)}`;
      if (target.startsWith("!")) return `@${target.slice(1)}`;
      return label === undefined || label === "" ? target : label;
    })
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

const textOf = (value: Json | undefined, nameOf: NameOf): string => {
  if (typeof value === "string") return value;
  if (!isObject(value)) return "";
  return value.type === "mrkdwn" ? readMrkdwn(str(value.text), nameOf) : str(value.text);
};

function richText(value: JsonObject, nameOf: NameOf): string {
  const inner = () => objectsIn(value.elements).map((element) => richText(element, nameOf));
  switch (value.type) {
    case "text":
      return str(value.text);
    case "link":
      return str(value.text) || str(value.url);
    case "user":
      return `@${nameOf(str(value.user_id)) ?? str(value.user_id)}`;
    case "usergroup":
      return `@${nameOf(str(value.usergroup_id)) ?? str(value.usergroup_id)}`;
    case "channel":
      return `#${nameOf(str(value.channel_id)) ?? str(value.channel_id)}`;
    case "emoji":
      return `:${str(value.name)}:`;
    case "date":
      return str(value.fallback);
    case "rich_text":
      return inner().join("\n");
    case "rich_text_list":
      return inner()
        .map((line, i) => `${value.style === "ordered" ? `${i + 1}.` : "-"} ${line}`)
        .join("\n");
    case "rich_text_quote":
      return inner().join("").replaceAll(/^/gm, "> ");
    default:
      return inner().join("");
  }
}

const cellText = (cell: JsonObject, nameOf: NameOf): string =>
  cell.type === "rich_text" ? richText(cell, nameOf) : str(cell.text) || String(cell.value ?? "");

function rows(block: JsonObject, nameOf: NameOf): string {
  const all = Array.isArray(block.rows) ? (block.rows as readonly Json[]) : [];
  return all
    .map((row) =>
      objectsIn(row)
        .map((cell) => cellText(cell, nameOf))
        .join(" | "),
    )
    .join("\n");
}

const label = (element: JsonObject, nameOf: NameOf): string =>
  `[${textOf(element.text, nameOf) || textOf(element.placeholder, nameOf) || str(element.action_id)}]`;

function task(card: JsonObject, nameOf: NameOf): string {
  const parts = [card.details, card.output].filter(isObject).map((part) => richText(part, nameOf));
  return [`${str(card.status) || "pending"}  ${str(card.title)}`, ...parts.map((part) => `  ${part}`)].join(
    "\n",
  );
}

function readBlock(block: JsonObject, nameOf: NameOf): string {
  const lines = (...parts: readonly string[]) => parts.filter((part) => part !== "").join("\n");
  switch (block.type) {
    case "header":
    case "markdown":
      return textOf(block.text, nameOf);
    case "section":
      return lines(
        textOf(block.text, nameOf),
        ...objectsIn(block.fields).map((field) => textOf(field, nameOf)),
        isObject(block.accessory) ? readElement(block.accessory, nameOf) : "",
      );
    case "context":
      return objectsIn(block.elements)
        .map((element) => (element.type === "image" ? str(element.alt_text) : textOf(element, nameOf)))
        .join(" · ");
    case "actions":
    case "context_actions":
      return objectsIn(block.elements)
        .map((element) => readElement(element, nameOf))
        .join("  ");
    case "divider":
      return "---";
    case "rich_text":
      return richText(block, nameOf);
    case "table":
      return rows(block, nameOf);
    case "data_table":
      return lines(str(block.caption), rows(block, nameOf));
    case "plan":
      return lines(textOf(block.title, nameOf), ...objectsIn(block.tasks).map((card) => task(card, nameOf)));
    case "task_card":
      return task(block, nameOf);
    case "container":
      return lines(
        textOf(block.title, nameOf) ||
          (isObject(block.rich_text_title) ? richText(block.rich_text_title, nameOf) : ""),
        textOf(block.subtitle, nameOf),
        ...objectsIn(block.child_blocks).map((child) => readBlock(child, nameOf).replaceAll(/^/gm, "  ")),
      );
    case "image":
      return `[image: ${str(block.alt_text)}]`;
    case "card":
      return lines(
        ...[block.title, block.subtitle, block.body].map((part) => textOf(part, nameOf)),
        ...objectsIn(block.actions).map((element) => readElement(element, nameOf)),
      );
    case "alert":
      return textOf(block.text, nameOf);
    case "input":
      return `${textOf(block.label, nameOf)}: ____`;
    default:
      return `[${str(block.type)}]`;
  }
}

const readElement = (element: JsonObject, nameOf: NameOf): string =>
  element.type === "image" ? `[image: ${str(element.alt_text)}]` : label(element, nameOf);

/** Blocks top to bottom as a person reads them, buttons in brackets. */
export const readBlocks = (blocks: readonly JsonObject[], nameOf: NameOf): string =>
  blocks.map((block) => readBlock(block, nameOf)).join("\n");

/** A message as a person reads it: its blocks when it has some, else its text; then attachments and files. */
export function readMessage(message: Message, nameOf: NameOf): string {
  const body =
    message.blocks.length > 0 ? readBlocks(message.blocks, nameOf) : readMrkdwn(message.text, nameOf);
  const attached = message.attachments.map((attachment) => {
    const blocks = objectsIn(attachment.blocks);
    return blocks.length > 0
      ? readBlocks(blocks, nameOf)
      : readMrkdwn(str(attachment.text) || str(attachment.fallback), nameOf);
  });
  const files = message.files.map((file) => `[file: ${str(file.title) || str(file.name)}]`);
  return [body, ...attached, ...files].filter((part) => part !== "").join("\n");
}
