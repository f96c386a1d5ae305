import type { Dict, Problem } from "./slack-shapes.ts";
import { isDict, keys, list, oneOf, plainOnly, string, textObject, url } from "./slack-shapes.ts";

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
/** Elements that only an input block holds. */
export const inputElements = [
  "plain_text_input",
  "email_text_input",
  "url_text_input",
  "number_input",
  "file_input",
  "rich_text_input",
];
export const actionElements = [
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

/** Problems of an image, as a block and as an element. */
export function image(value: Dict, path: string, say: Problem): void {
  string(value.alt_text, `${path}.alt_text`, 2_000, say);
  if ((value.image_url === undefined) === (value.slack_file === undefined))
    say(path, "needs exactly one of image_url and slack_file");
  if (value.image_url !== undefined) url(value.image_url, `${path}.image_url`, 3_000, say);
}

/** Problems of an interactive element, where only some kinds are allowed. */
export function element(value: unknown, path: string, allowed: readonly string[], say: Problem): void {
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
