import type { Json } from "#shared/json.ts";
import { isObject, objectsIn } from "./elements.ts";
import type { JsonObject, Message } from "./message.ts";
import { type NameOf, readBlocks, readMrkdwn } from "./render.ts";

/** What a file holds, where it is a picture that a browser shows. */
export type PictureOf = (fileId: string) => Uint8Array | undefined;

const str = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** Characters that mean something to HTML, as what they are. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

const lines = (text: string): string => escapeHtml(text).replaceAll("\n", "<br>");

/** Mrkdwn with its code, bold and strike; everything else in it is text. */
const mrkdwn = (text: string, nameOf: NameOf): string =>
  readMrkdwn(text, nameOf)
    .split(/(```[\s\S]*?```|`[^`\n]+`)/)
    .map((part) => {
      if (part.startsWith("```")) return `<pre>${escapeHtml(part.slice(3, -3))}</pre>`;
      if (part.startsWith("`") && part.length > 2) return `<code>${escapeHtml(part.slice(1, -1))}</code>`;
      return lines(part)
        .replaceAll(/(^|[\s(])\*([^*<>]+)\*(?=$|[\s.,:;)<])/g, "$1<b>$2</b>")
        .replaceAll(/(^|[\s(])~([^~<>]+)~(?=$|[\s.,:;)<])/g, "$1<s>$2</s>");
    })
    .join("");

function textHtml(value: Json | undefined, nameOf: NameOf): string {
  if (typeof value === "string") return lines(value);
  if (!isObject(value)) return "";
  return value.type === "mrkdwn" ? mrkdwn(str(value.text), nameOf) : lines(str(value.text));
}

const styles = [
  ["code", "code"],
  ["bold", "b"],
  ["italic", "i"],
  ["strike", "s"],
] as const;

const styled = (html: string, style: Json | undefined): string =>
  styles.reduce(
    (inner, [key, tag]) => (isObject(style) && style[key] === true ? `<${tag}>${inner}</${tag}>` : inner),
    html,
  );

function richText(value: JsonObject, nameOf: NameOf): string {
  const inner = (): string =>
    objectsIn(value.elements)
      .map((element) => richText(element, nameOf))
      .join("");
  switch (value.type) {
    case "text":
      return styled(lines(str(value.text)), value.style);
    case "link":
      return `<span class="link">${lines(str(value.text) || str(value.url))}</span>`;
    case "user":
      return `<span class="mention">@${escapeHtml(nameOf(str(value.user_id)) ?? str(value.user_id))}</span>`;
    case "usergroup":
      return `<span class="mention">@${escapeHtml(nameOf(str(value.usergroup_id)) ?? str(value.usergroup_id))}</span>`;
    case "rich_text_section":
      return `<div>${inner()}</div>`;
    case "rich_text_preformatted":
      return `<pre>${inner().replaceAll("<br>", "\n")}</pre>`;
    case "rich_text_quote":
      return `<blockquote>${inner()}</blockquote>`;
    case "rich_text_list":
      return `<ul>${objectsIn(value.elements)
        .map((element) => `<li>${richText(element, nameOf)}</li>`)
        .join("")}</ul>`;
    case "rich_text":
      return inner();
    default:
      return lines(readBlocks([value], nameOf));
  }
}

const cell = (value: JsonObject, nameOf: NameOf): string =>
  value.type === "rich_text" ? richText(value, nameOf) : lines(str(value.text) || String(value.value ?? ""));

function table(block: JsonObject, nameOf: NameOf): string {
  const rows = (Array.isArray(block.rows) ? (block.rows as readonly Json[]) : []).map((row) =>
    objectsIn(row)
      .map((value) => `<td>${cell(value, nameOf)}</td>`)
      .join(""),
  );
  return `<div class="wide"><table>${rows.map((row) => `<tr>${row}</tr>`).join("")}</table></div>`;
}

const signs: Readonly<Record<string, string>> = {
  complete: "&#10003;",
  in_progress: "&#8635;",
  pending: "&#9675;",
  error: "&#10007;",
};

function task(card: JsonObject, nameOf: NameOf): string {
  const status = str(card.status) || "pending";
  const parts = [card.details, card.output].filter(isObject).map((part) => richText(part, nameOf));
  return `<li class="${escapeHtml(status)}"><span class="sign">${signs[status] ?? ""}</span>${escapeHtml(str(card.title))}<div class="details">${parts.join("")}</div></li>`;
}

function element(value: JsonObject, nameOf: NameOf): string {
  if (value.type === "image") return `<i>${escapeHtml(str(value.alt_text))}</i>`;
  return `<button class="${escapeHtml(str(value.style))}">${textHtml(value.text, nameOf) || textHtml(value.placeholder, nameOf)}</button>`;
}

function block(value: JsonObject, nameOf: NameOf): string {
  const each = (): string =>
    objectsIn(value.elements)
      .map((one) => (one.type === "button" ? element(one, nameOf) : textHtml(one, nameOf)))
      .join(" ");
  switch (value.type) {
    case "header":
      return `<h3>${textHtml(value.text, nameOf)}</h3>`;
    case "section":
      return `<div>${textHtml(value.text, nameOf)}${objectsIn(value.fields)
        .map((field) => `<div>${textHtml(field, nameOf)}</div>`)
        .join("")}</div>`;
    case "context":
      return `<div class="context">${each()}</div>`;
    case "actions":
      return `<div class="actions">${each()}</div>`;
    case "divider":
      return "<hr>";
    case "rich_text":
      return richText(value, nameOf);
    case "table":
      return table(value, nameOf);
    case "data_table":
      return `<div class="context">${escapeHtml(str(value.caption))}</div>${table(value, nameOf)}`;
    case "plan":
      return `<div class="plan"><b>${textHtml(value.title, nameOf)}</b><ol>${objectsIn(value.tasks)
        .map((card) => task(card, nameOf))
        .join("")}</ol></div>`;
    case "container": {
      const title =
        textHtml(value.title, nameOf) ||
        (isObject(value.rich_text_title) ? richText(value.rich_text_title, nameOf) : "");
      const children = objectsIn(value.child_blocks).map((child) => block(child, nameOf));
      const open = value.default_collapsed === true ? "" : " open";
      return `<details${open}><summary>${title}</summary>${children.join("")}</details>`;
    }
    default:
      return `<pre>${escapeHtml(readBlocks([value], nameOf))}</pre>`;
  }
}

/** Blocks much as Slack shows them: folded containers folded, tables as tables, buttons as buttons that do nothing. */
export const drawBlocks = (blocks: readonly JsonObject[], nameOf: NameOf): string =>
  blocks.map((one) => `<div class="block">${block(one, nameOf)}</div>`).join("");

const file = (entry: JsonObject, pictureOf: PictureOf): string => {
  const title = escapeHtml(str(entry.title) || str(entry.name));
  const png = pictureOf(str(entry.id));
  return png === undefined
    ? `<div class="file">${title}</div>`
    : `<figure><img src="data:image/png;base64,${Buffer.from(png).toString("base64")}" alt="${title}"><figcaption>${title}</figcaption></figure>`;
};

/** A whole message: its blocks when it has some, else its text; then attachments and files. */
export function drawMessage(message: Message, nameOf: NameOf, pictureOf: PictureOf): string {
  const drawn = (blocks: readonly JsonObject[], text: string): string =>
    blocks.length > 0 ? drawBlocks(blocks, nameOf) : `<div class="block">${mrkdwn(text, nameOf)}</div>`;
  return [
    drawn(message.blocks, message.text),
    ...message.attachments.map((one) => drawn(objectsIn(one.blocks), str(one.text) || str(one.fallback))),
    ...message.files.map((entry) => file(entry, pictureOf)),
  ].join("");
}
