/**
 * Block Kit's limits as Slack documents them for messages, checked without Slack. Strict on purpose: what is refused
 * here would be answered with `invalid_blocks`, `msg_too_long` or `only_one_table_allowed`, or be cut without a word.
 */

type Dict = Readonly<Record<string, unknown>>;
type Problem = (path: string, what: string) => void;

export type CheckedMessage = Readonly<{
  text?: unknown;
  blocks?: unknown;
  attachments?: unknown;
  metadata?: unknown;
}>;

const isDict = (value: unknown): value is Dict =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const list = (
  value: unknown,
  path: string,
  range: readonly [number, number],
  say: Problem,
): readonly unknown[] => {
  if (!Array.isArray(value)) {
    say(path, "must be a list");
    return [];
  }
  if (value.length < range[0]) say(path, `has ${value.length} items, at least ${range[0]} needed`);
  if (value.length > range[1]) say(path, `has ${value.length} items, at most ${range[1]} allowed`);
  return value;
};

const string = (
  value: unknown,
  path: string,
  max: number,
  say: Problem,
  need: "required" | "optional" = "required",
): string => {
  if (value === undefined && need === "optional") return "";
  if (typeof value !== "string") {
    say(path, value === undefined ? "is missing" : "must be a string");
    return "";
  }
  if (value === "") say(path, "is empty, at least 1 character needed");
  if (value.length > max) say(path, `has ${value.length} characters, at most ${max} allowed`);
  return value;
};

const oneOf = (value: unknown, path: string, allowed: readonly string[], say: Problem): void => {
  if (value !== undefined && !allowed.includes(value as string))
    say(path, `is ${JSON.stringify(value)}, expected one of ${allowed.join(", ")}`);
};

const keys = (value: Dict, path: string, allowed: readonly string[], say: Problem): void => {
  for (const key of Object.keys(value))
    if (!allowed.includes(key)) say(`${path}.${key}`, "is not a field of this type");
};

function url(value: unknown, path: string, max: number, say: Problem): void {
  const given = string(value, path, max, say);
  if (given !== "" && !/^(https?|mailto|slack):/.test(given))
    say(path, "must be an http, https, mailto or slack URL");
}

type TextKind = "plain_text" | "mrkdwn";

function textObject(
  value: unknown,
  path: string,
  max: number,
  say: Problem,
  kinds: readonly TextKind[] = ["plain_text", "mrkdwn"],
): void {
  if (!isDict(value)) {
    say(path, value === undefined ? "is missing" : "must be a text object");
    return;
  }
  oneOf(value.type ?? null, `${path}.type`, kinds, say);
  keys(value, path, value.type === "mrkdwn" ? ["type", "text", "verbatim"] : ["type", "text", "emoji"], say);
  string(value.text, `${path}.text`, max, say);
}

const plainOnly = ["plain_text"] as const;

// --- Leaves and sections of rich text

const styles = ["bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"];

function richLeaf(value: unknown, path: string, say: Problem, allowed?: readonly string[]): void {
  if (!isDict(value)) {
    say(path, "must be a rich text element");
    return;
  }
  const type = String(value.type);
  if (allowed !== undefined && !allowed.includes(type)) say(`${path}.type`, `${type} is not allowed here`);
  if (value.style !== undefined) {
    if (isDict(value.style)) keys(value.style, `${path}.style`, styles, say);
    else say(`${path}.style`, "must be an object of booleans");
  }
  switch (type) {
    case "text":
      keys(value, path, ["type", "text", "style"], say);
      string(value.text, `${path}.text`, 3_000, say);
      return;
    case "link":
      keys(value, path, ["type", "url", "text", "unsafe", "style"], say);
      url(value.url, `${path}.url`, 3_000, say);
      string(value.text, `${path}.text`, 3_000, say, "optional");
      return;
    case "user":
      if (!/^[UW][A-Z0-9]+$/.test(String(value.user_id))) say(`${path}.user_id`, "must be a user id");
      return;
    case "usergroup":
      if (!/^S[A-Z0-9]+$/.test(String(value.usergroup_id)))
        say(`${path}.usergroup_id`, "must be a user group id");
      return;
    case "channel":
      if (!/^[CGD][A-Z0-9]+$/.test(String(value.channel_id)))
        say(`${path}.channel_id`, "must be a channel id");
      return;
    case "broadcast":
      oneOf(value.range ?? null, `${path}.range`, ["here", "channel", "everyone"], say);
      return;
    case "emoji":
      string(value.name, `${path}.name`, 255, say);
      return;
    case "date":
      if (typeof value.timestamp !== "number") say(`${path}.timestamp`, "must be a number of seconds");
      string(value.format, `${path}.format`, 255, say);
      return;
    case "color":
      if (!/^#[0-9a-fA-F]{6}$/.test(String(value.value))) say(`${path}.value`, "must be a colour #rrggbb");
      return;
    case "team":
      string(value.team_id, `${path}.team_id`, 255, say);
      return;
    default:
      say(`${path}.type`, `unknown rich text element ${type}`);
  }
}

function richSection(value: unknown, path: string, say: Problem): void {
  if (!isDict(value)) {
    say(path, "must be a rich text section, list, quote or preformatted");
    return;
  }
  switch (value.type) {
    case "rich_text_section":
    case "rich_text_quote":
      for (const [i, element] of list(value.elements, `${path}.elements`, [1, 1_000], say).entries())
        richLeaf(element, `${path}.elements[${i}]`, say);
      return;
    case "rich_text_preformatted":
      for (const [i, element] of list(value.elements, `${path}.elements`, [1, 1_000], say).entries())
        richLeaf(element, `${path}.elements[${i}]`, say, ["text", "link"]);
      return;
    case "rich_text_list":
      oneOf(value.style ?? null, `${path}.style`, ["bullet", "ordered"], say);
      if (
        value.indent !== undefined &&
        !(Number.isInteger(value.indent) && Number(value.indent) >= 0 && Number(value.indent) <= 8)
      )
        say(`${path}.indent`, "must be 0 to 8");
      for (const [i, element] of list(value.elements, `${path}.elements`, [1, 1_000], say).entries()) {
        if (isDict(element) && element.type !== "rich_text_section")
          say(`${path}.elements[${i}]`, "a list holds rich_text_section only");
        else richSection(element, `${path}.elements[${i}]`, say);
      }
      return;
    default:
      say(`${path}.type`, `unknown rich text part ${String(value.type)}`);
  }
}

/** Slack names no total for one rich_text block; that of a text object is taken, so that nothing nears the unknown. */
const richTextChars = 3_000;

function richText(value: unknown, path: string, say: Problem): void {
  if (!isDict(value) || value.type !== "rich_text") {
    say(path, "must be a rich_text block");
    return;
  }
  keys(value, path, ["type", "block_id", "elements"], say);
  for (const [i, element] of list(value.elements, `${path}.elements`, [1, 1_000], say).entries())
    richSection(element, `${path}.elements[${i}]`, say);
  const chars = textChars(value);
  if (chars > richTextChars) say(path, `holds ${chars} characters, at most ${richTextChars} allowed`);
}

// --- Interactive elements

function confirmDialog(value: unknown, path: string, say: Problem): void {
  if (value === undefined) return;
  if (!isDict(value)) {
    say(path, "must be a confirm dialog");
    return;
  }
  keys(value, path, ["title", "text", "confirm", "deny", "style"], say);
  textObject(value.title, `${path}.title`, 100, say, plainOnly);
  textObject(value.text, `${path}.text`, 300, say);
  textObject(value.confirm, `${path}.confirm`, 30, say, plainOnly);
  textObject(value.deny, `${path}.deny`, 30, say, plainOnly);
  oneOf(value.style, `${path}.style`, ["primary", "danger"], say);
}

function options(value: unknown, path: string, range: readonly [number, number], say: Problem): void {
  for (const [i, option] of list(value, path, range, say).entries()) {
    const at = `${path}[${i}]`;
    if (!isDict(option)) {
      say(at, "must be an option");
      continue;
    }
    textObject(option.text, `${at}.text`, 75, say);
    string(option.value, `${at}.value`, 75, say);
    if (option.description !== undefined)
      textObject(option.description, `${at}.description`, 75, say, plainOnly);
    if (option.url !== undefined) url(option.url, `${at}.url`, 3_000, say);
  }
}

const choices = (value: Dict, path: string, say: Problem): void => {
  if (value.option_groups === undefined) {
    options(value.options, `${path}.options`, [1, 100], say);
    return;
  }
  for (const [i, group] of list(value.option_groups, `${path}.option_groups`, [1, 100], say).entries()) {
    if (!isDict(group)) {
      say(`${path}.option_groups[${i}]`, "must be an option group");
      continue;
    }
    textObject(group.label, `${path}.option_groups[${i}].label`, 75, say, plainOnly);
    options(group.options, `${path}.option_groups[${i}].options`, [1, 100], say);
  }
};

const pickers = ["datepicker", "datetimepicker", "timepicker"];
const dynamicSelects = ["external", "users", "conversations", "channels"].flatMap((kind) => [
  `${kind}_select`,
  `multi_${kind}_select`,
]);
const inputElements = [
  "plain_text_input",
  "email_text_input",
  "url_text_input",
  "number_input",
  "file_input",
  "rich_text_input",
];
const actionElements = [
  "button",
  "checkboxes",
  "radio_buttons",
  "overflow",
  "workflow_button",
  "static_select",
  "multi_static_select",
  "rich_text_input",
  ...pickers,
  ...dynamicSelects,
];

function image(value: Dict, path: string, say: Problem): void {
  string(value.alt_text, `${path}.alt_text`, 2_000, say);
  if ((value.image_url === undefined) === (value.slack_file === undefined))
    say(path, "needs exactly one of image_url and slack_file");
  if (value.image_url !== undefined) url(value.image_url, `${path}.image_url`, 3_000, say);
}

function element(value: unknown, path: string, allowed: readonly string[], say: Problem): void {
  if (!isDict(value)) {
    say(path, "must be an element");
    return;
  }
  const type = String(value.type);
  if (!allowed.includes(type)) {
    say(`${path}.type`, `${type} is not allowed here`);
    return;
  }
  if (type === "image") {
    image(value, path, say);
    return;
  }
  string(value.action_id, `${path}.action_id`, 255, say);
  confirmDialog(value.confirm, `${path}.confirm`, say);
  switch (type) {
    case "button":
      keys(
        value,
        path,
        ["type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"],
        say,
      );
      textObject(value.text, `${path}.text`, 75, say, plainOnly);
      string(value.value, `${path}.value`, 2_000, say, "optional");
      if (value.url !== undefined) url(value.url, `${path}.url`, 3_000, say);
      oneOf(value.style, `${path}.style`, ["primary", "danger"], say);
      string(value.accessibility_label, `${path}.accessibility_label`, 75, say, "optional");
      return;
    case "workflow_button":
      textObject(value.text, `${path}.text`, 75, say, plainOnly);
      return;
    case "overflow":
      options(value.options, `${path}.options`, [1, 5], say);
      return;
    case "checkboxes":
    case "radio_buttons":
      options(value.options, `${path}.options`, [1, 10], say);
      return;
    case "static_select":
    case "multi_static_select":
      choices(value, path, say);
      return;
    case "icon_button":
      textObject(value.text, `${path}.text`, 75, say, plainOnly);
      string(value.icon, `${path}.icon`, 255, say);
      return;
    case "feedback_buttons":
      for (const side of ["positive_button", "negative_button"]) {
        const half = value[side];
        if (isDict(half)) textObject(half.text, `${path}.${side}.text`, 75, say, plainOnly);
        else say(`${path}.${side}`, "is missing");
      }
      return;
    default:
      if (value.placeholder !== undefined)
        textObject(value.placeholder, `${path}.placeholder`, 150, say, plainOnly);
  }
}

// --- Blocks

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

/** Characters of text below a value, table cells included. */
function textChars(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + textChars(item), 0);
  if (!isDict(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === "text" && typeof item === "string" ? item.length : textChars(item)),
    0,
  );
}

/** Undocumented: refusals (`msg_blocks_too_long`) are reported from 11,341 characters on (bolt-js issue 2867). */
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
