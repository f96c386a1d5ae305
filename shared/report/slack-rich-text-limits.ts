import type { Problem } from "./slack-shapes.ts";
import { isDict, keys, list, oneOf, string, textChars, url } from "./slack-shapes.ts";

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

/** Problems of one rich_text block. */
export function richText(value: unknown, path: string, say: Problem): void {
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
