import { actionElements, element, image, inputElements } from "./slack-element-limits.ts";
import { richText } from "./slack-rich-text-limits.ts";
import type { Dict, Problem } from "./slack-shapes.ts";
import { isDict, keys, list, oneOf, plainOnly, string, textChars, textObject, url } from "./slack-shapes.ts";

/**
 * Block Kit's limits as Slack documents them for messages, checked without Slack. Strict on purpose: what is refused
 * here would be answered with `invalid_blocks`, `msg_too_long` or `only_one_table_allowed`, or be cut without a word.
 */
export type CheckedMessage = Readonly<{
  text?: unknown;
  blocks?: unknown;
  attachments?: unknown;
  metadata?: unknown;
}>;

const tableFamily = ["table", "data_table"];

function tableCells(
  value: Dict,
  path: string,
  rows: readonly [number, number],
  maxChars: number,
  say: Problem,
): void {
  let chars = 0;
  for (const [r, row] of list(value.rows, `${path}.rows`, rows, say).entries()) {
    for (const [c, cell] of list(row, `${path}.rows[${r}]`, [1, 20], say).entries()) {
      const at = `${path}.rows[${r}][${c}]`;
      if (!isDict(cell)) {
        say(at, "must be a cell");
        continue;
      }
      if (cell.type === "rich_text") richText(cell, at, say);
      else if (cell.type === "raw_text" || cell.type === "raw_number") {
        keys(cell, at, cell.type === "raw_text" ? ["type", "text"] : ["type", "text", "value"], say);
        string(cell.text, `${at}.text`, maxChars, say);
        if (cell.type === "raw_number" && typeof cell.value !== "number")
          say(`${at}.value`, "must be a number");
      } else say(`${at}.type`, `unknown cell type ${String(cell.type)}`);
      chars += textChars(cell);
    }
  }
  if (chars > maxChars) say(path, `holds ${chars} characters in its cells, at most ${maxChars} allowed`);
}

const containerChildren = [
  "actions",
  "context",
  "divider",
  "file",
  "header",
  "image",
  "input",
  "rich_text",
  "section",
  "table",
  "video",
];

const fields: Readonly<Record<string, readonly string[]>> = {
  actions: ["elements"],
  card: ["hero_image", "icon", "title", "subtitle", "body", "actions", "subtext", "slack_icon"],
  carousel: ["elements"],
  container: [
    "title",
    "rich_text_title",
    "subtitle",
    "child_blocks",
    "width",
    "icon",
    "is_collapsible",
    "default_collapsed",
    "has_header_divider",
  ],
  context: ["elements"],
  context_actions: ["elements"],
  data_table: ["rows", "caption", "page_size", "row_header_column_index"],
  divider: [],
  file: ["source", "external_id"],
  header: ["text", "level"],
  image: ["alt_text", "title", "image_url", "slack_file"],
  input: ["label", "hint", "optional", "element", "dispatch_action"],
  markdown: ["text"],
  plan: ["title", "tasks"],
  rich_text: ["elements"],
  section: ["text", "fields", "accessory", "expand"],
  table: ["rows", "column_settings"],
  task_card: ["task_id", "title", "details", "output", "sources", "status"],
  video: [
    "video_url",
    "thumbnail_url",
    "alt_text",
    "title",
    "title_url",
    "author_name",
    "provider_name",
    "provider_icon_url",
    "description",
  ],
};

/** `data_visualization` is documented by Slack and absent from its types 3.2.0; we do not send it, so it is refused. */
const modalOnly = ["alert"];

function taskCard(value: unknown, path: string, say: Problem): void {
  if (!isDict(value) || value.type !== "task_card") {
    say(path, "must be a task_card");
    return;
  }
  keys(value, path, ["type", "block_id", ...(fields.task_card ?? [])], say);
  string(value.task_id, `${path}.task_id`, 255, say);
  string(value.title, `${path}.title`, 3_000, say);
  oneOf(value.status ?? null, `${path}.status`, ["pending", "in_progress", "complete", "error"], say);
  for (const part of ["details", "output"])
    if (value[part] !== undefined) richText(value[part], `${path}.${part}`, say);
  if (value.sources === undefined) return;
  for (const [i, source] of list(value.sources, `${path}.sources`, [0, 100], say).entries()) {
    if (!isDict(source) || source.type !== "url") say(`${path}.sources[${i}]`, "must be a url source");
    else {
      url(source.url, `${path}.sources[${i}].url`, 3_000, say);
      string(source.text, `${path}.sources[${i}].text`, 3_000, say);
    }
  }
}

function card(value: Dict, path: string, say: Problem): void {
  if (["hero_image", "title", "actions", "body"].every((part) => value[part] === undefined))
    say(path, "needs hero_image, title, actions or body");
  for (const [part, max] of [
    ["title", 150],
    ["subtitle", 150],
    ["body", 200],
  ] as const)
    if (value[part] !== undefined) textObject(value[part], `${path}.${part}`, max, say);
  if (value.actions === undefined) return;
  for (const [i, item] of list(value.actions, `${path}.actions`, [1, 3], say).entries())
    element(item, `${path}.actions[${i}]`, ["button"], say);
}

function table(value: Dict, path: string, say: Problem): void {
  tableCells(value, path, [1, 100], 10_000, say);
  if (value.column_settings === undefined) return;
  for (const [i, setting] of list(value.column_settings, `${path}.column_settings`, [0, 20], say).entries()) {
    if (setting === null) continue;
    if (!isDict(setting)) {
      say(`${path}.column_settings[${i}]`, "must be an object");
      continue;
    }
    keys(setting, `${path}.column_settings[${i}]`, ["align", "is_wrapped"], say);
    oneOf(setting.align, `${path}.column_settings[${i}].align`, ["left", "center", "right"], say);
  }
}

function dataTable(value: Dict, path: string, say: Problem): void {
  string(value.caption, `${path}.caption`, 3_000, say);
  tableCells(value, path, [2, 101], 10_000, say);
  const rows = Array.isArray(value.rows) ? value.rows : [];
  const first: unknown = rows[0];
  if (Array.isArray(first) && first.some((cell) => isDict(cell) && cell.type === "rich_text"))
    say(`${path}.rows[0]`, "the header row may not hold rich_text");
  if (Array.isArray(first) && rows.some((row) => Array.isArray(row) && row.length !== first.length))
    say(`${path}.rows`, "must all have the same length");
  const size = value.page_size;
  if (size !== undefined && !(Number.isInteger(size) && Number(size) >= 1 && Number(size) <= 100))
    say(`${path}.page_size`, "must be 1 to 100");
}

function container(value: Dict, path: string, scan: Scan, say: Problem): void {
  if (value.title === undefined && value.rich_text_title === undefined)
    say(path, "needs title or rich_text_title");
  if (value.title !== undefined) textObject(value.title, `${path}.title`, 150, say, plainOnly);
  if (value.rich_text_title !== undefined) {
    richText(value.rich_text_title, `${path}.rich_text_title`, say);
    if (textChars(value.rich_text_title) > 150)
      say(`${path}.rich_text_title`, "has more than 150 characters");
  }
  if (value.subtitle !== undefined) textObject(value.subtitle, `${path}.subtitle`, 150, say);
  oneOf(value.width, `${path}.width`, ["narrow", "standard", "wide", "full"], say);
  if (value.default_collapsed === true && value.is_collapsible !== true)
    say(`${path}.default_collapsed`, "requires is_collapsible");
  for (const [i, child] of list(value.child_blocks, `${path}.child_blocks`, [1, 10], say).entries()) {
    const at = `${path}.child_blocks[${i}]`;
    if (isDict(child) && !containerChildren.includes(String(child.type)))
      say(`${at}.type`, `${String(child.type)} is not allowed in a container`);
    else block(child, at, scan, say);
  }
}

type Scan = { blockIds: Map<string, string>; tables: string[]; markdownChars: number };

function uniqueActionIds(elements: readonly unknown[], path: string, say: Problem): void {
  const seen = new Set<string>();
  for (const item of elements) {
    if (!isDict(item) || typeof item.action_id !== "string") continue;
    if (seen.has(item.action_id)) say(path, `action_id ${item.action_id} appears twice`);
    seen.add(item.action_id);
  }
}

function block(value: unknown, path: string, scan: Scan, say: Problem): void {
  if (!isDict(value)) {
    say(path, "must be a block");
    return;
  }
  const type = String(value.type);
  if (modalOnly.includes(type)) {
    say(`${path}.type`, `${type} is for modals only`);
    return;
  }
  const known = fields[type];
  if (known === undefined) {
    say(`${path}.type`, `unknown block type ${type}`);
    return;
  }
  keys(value, path, ["type", "block_id", ...known], say);
  if (value.block_id !== undefined) {
    const id = string(value.block_id, `${path}.block_id`, 255, say);
    const before = scan.blockIds.get(id);
    if (before !== undefined) say(`${path}.block_id`, `${id} is used by ${before} already`);
    scan.blockIds.set(id, path);
  }
  if (tableFamily.includes(type)) scan.tables.push(path);
  switch (type) {
    case "actions": {
      const elements = list(value.elements, `${path}.elements`, [1, 25], say);
      for (const [i, item] of elements.entries())
        element(item, `${path}.elements[${i}]`, actionElements, say);
      uniqueActionIds(elements, `${path}.elements`, say);
      return;
    }
    case "context_actions": {
      const elements = list(value.elements, `${path}.elements`, [1, 5], say);
      for (const [i, item] of elements.entries())
        element(item, `${path}.elements[${i}]`, ["feedback_buttons", "icon_button"], say);
      uniqueActionIds(elements, `${path}.elements`, say);
      return;
    }
    case "context":
      for (const [i, item] of list(value.elements, `${path}.elements`, [1, 10], say).entries()) {
        if (isDict(item) && item.type === "image") image(item, `${path}.elements[${i}]`, say);
        else textObject(item, `${path}.elements[${i}]`, 3_000, say);
      }
      return;
    case "card":
      card(value, path, say);
      return;
    case "carousel":
      for (const [i, item] of list(value.elements, `${path}.elements`, [1, 10], say).entries()) {
        if (isDict(item) && item.type === "card") block(item, `${path}.elements[${i}]`, scan, say);
        else say(`${path}.elements[${i}]`, "must be a card");
      }
      return;
    case "container":
      container(value, path, scan, say);
      return;
    case "data_table":
      dataTable(value, path, say);
      return;
    case "table":
      table(value, path, say);
      return;
    case "divider":
      return;
    case "file":
      say(`${path}.type`, "file blocks cannot be sent by an app");
      return;
    case "header":
      textObject(value.text, `${path}.text`, 150, say, plainOnly);
      return;
    case "image":
      image(value, path, say);
      if (value.title !== undefined) textObject(value.title, `${path}.title`, 2_000, say, plainOnly);
      return;
    case "input":
      textObject(value.label, `${path}.label`, 2_000, say, plainOnly);
      if (value.hint !== undefined) textObject(value.hint, `${path}.hint`, 2_000, say, plainOnly);
      element(value.element, `${path}.element`, [...actionElements, ...inputElements], say);
      return;
    case "markdown":
      scan.markdownChars += string(value.text, `${path}.text`, 12_000, say).length;
      return;
    case "plan": {
      string(value.title, `${path}.title`, 3_000, say);
      const tasks = value.tasks === undefined ? [] : list(value.tasks, `${path}.tasks`, [0, 100], say);
      const seen = new Set<unknown>();
      for (const [i, task] of tasks.entries()) {
        taskCard(task, `${path}.tasks[${i}]`, say);
        if (!isDict(task)) continue;
        if (seen.has(task.task_id))
          say(`${path}.tasks[${i}].task_id`, `${String(task.task_id)} appears twice`);
        seen.add(task.task_id);
      }
      return;
    }
    case "task_card":
      taskCard(value, path, say);
      return;
    case "rich_text":
      richText(value, path, say);
      return;
    case "section":
      if (value.text === undefined && value.fields === undefined) say(path, "needs text or fields");
      if (value.text !== undefined) textObject(value.text, `${path}.text`, 3_000, say);
      if (value.fields !== undefined)
        for (const [i, item] of list(value.fields, `${path}.fields`, [1, 10], say).entries())
          textObject(item, `${path}.fields[${i}]`, 2_000, say);
      if (value.accessory !== undefined)
        element(value.accessory, `${path}.accessory`, [...actionElements, "image"], say);
      return;
    case "video":
      for (const part of ["video_url", "thumbnail_url"]) url(value[part], `${path}.${part}`, 3_000, say);
      string(value.alt_text, `${path}.alt_text`, 2_000, say);
      textObject(value.title, `${path}.title`, 199, say, plainOnly);
      string(value.author_name, `${path}.author_name`, 49, say, "optional");
      return;
  }
}

/** Undocumented: users of Slack's SDK report refusals (`msg_blocks_too_long`) from 11,341 characters on. */
const totalChars = 11_300;

/** Slack refuses more than this in `chat.update` and cuts `chat.postMessage` at ten times as much. */
const maxText = 4_000;

const isScalar = (value: unknown): boolean =>
  value === null || ["string", "number", "boolean"].includes(typeof value);

function metadata(value: unknown, say: Problem): void {
  if (value === undefined) return;
  if (!isDict(value)) {
    say("metadata", "must be an object");
    return;
  }
  string(value.event_type, "metadata.event_type", 255, say);
  if (!isDict(value.event_payload)) {
    say("metadata.event_payload", "must be an object");
    return;
  }
  const flat = (item: unknown): boolean =>
    isScalar(item) || (isDict(item) && Object.values(item).every(isScalar));
  for (const [key, item] of Object.entries(value.event_payload))
    if (!(flat(item) || (Array.isArray(item) && item.every(flat))))
      say(`metadata.event_payload.${key}`, "must be a scalar or an object of scalars, or a list of those");
}

/**
 * Problems of a message (`chat.postMessage`, `chat.update`, `chat.postEphemeral`, a response_url body), each as
 * `path: what is wrong`; empty when Slack would take it. Limits are those Slack documents, November 2026.
 */
export function checkMessage(message: CheckedMessage): string[] {
  const problems: string[] = [];
  const say: Problem = (path, what) => problems.push(`${path}: ${what}`);
  string(message.text, "text", maxText, say);
  metadata(message.metadata, say);
  if (message.attachments !== undefined) list(message.attachments, "attachments", [0, 100], say);
  if (message.blocks === undefined) return problems;
  const scan: Scan = { blockIds: new Map(), tables: [], markdownChars: 0 };
  const blocks = list(message.blocks, "blocks", [0, 50], say);
  for (const [i, value] of blocks.entries()) block(value, `blocks[${i}]`, scan, say);
  for (const path of scan.tables.slice(1)) say(path, "only one table is allowed in a message");
  if (scan.markdownChars > 12_000)
    say("blocks", `hold ${scan.markdownChars} characters of markdown, at most 12000 allowed`);
  const chars = textChars(
    blocks.filter((value) => !isDict(value) || !tableFamily.includes(String(value.type))),
  );
  if (chars > totalChars) say("blocks", `hold ${chars} characters of text, at most ${totalChars} are safe`);
  return problems;
}
