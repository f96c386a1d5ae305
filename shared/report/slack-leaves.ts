import type { RichTextBlock, RichTextElement, RichTextText } from "@slack/types";
import { type Inline, type PersonRef, plain, type Text } from "../text.ts";
import { cut, visible, visibleLines } from "./visible.ts";

/** Slack documents no limit for one rich_text block; 3,000 is that of its text objects, and we stay below it. */
export const blockChars = 2_800;

const userId = /^[UW][A-Z0-9]{2,}$/;
const groupId = /^S[A-Z0-9]{2,}$/;
const webUrl = /^https?:\/\/[^\s<>|]{1,2900}$/;

export const isUser = (ref: PersonRef): boolean => userId.test(ref.slack ?? "");
export const isGroup = (ref: PersonRef): boolean => groupId.test(ref.slack ?? "");
export const isWebUrl = (url: string): boolean => webUrl.test(url);

/** A `text` leaf: Slack reads neither markup nor mentions in it, whatever a host wrote. */
export const words = (value: string, style?: RichTextText["style"]): RichTextText => ({
  type: "text",
  text: value,
  ...(style !== undefined && { style }),
});

function leaf(part: Inline): RichTextElement | undefined {
  if (typeof part === "string") return part === "" ? undefined : words(visibleLines(part));
  if ("code" in part) return part.code === "" ? undefined : words(visible(part.code), { code: true });
  if ("strong" in part)
    return part.strong === "" ? undefined : words(visibleLines(part.strong), { bold: true });
  if ("strike" in part)
    return part.strike === "" ? undefined : words(visibleLines(part.strike), { strike: true });
  if ("person" in part) {
    const { name, slack = "" } = part.person;
    if (isUser(part.person)) return { type: "user", user_id: slack };
    if (isGroup(part.person)) return { type: "usergroup", usergroup_id: slack };
    return words(`@${visible(name)}`);
  }
  const label = visible(part.text);
  if (isWebUrl(part.link)) return { type: "link", url: part.link, ...(label !== "" && { text: label }) };
  if (part.link === "") return label === "" ? undefined : words(label);
  return words(label === "" ? visible(part.link) : `${label} (${visible(part.link)})`);
}

export const leaves = (value: Text): readonly RichTextElement[] =>
  value.map(leaf).filter((x) => x !== undefined);

/** Characters a leaf adds to a message; a mention counts as long as Slack writes it out. */
export const leafChars = (element: RichTextElement): number => {
  if (element.type === "text") return element.text.length;
  if (element.type === "link") return (element.text ?? "").length + element.url.length;
  return 16;
};

/** The longest prefix within `max` characters; `rest` says whether something was left out. */
export function cutLeaves(
  elements: readonly RichTextElement[],
  max: number,
): Readonly<{ elements: RichTextElement[]; isCut: boolean }> {
  const out: RichTextElement[] = [];
  let used = 0;
  for (const element of elements) {
    const size = leafChars(element);
    if (used + size <= max) {
      out.push(element);
      used += size;
      continue;
    }
    const room = max - used;
    if (element.type === "text" && room > 1) out.push({ ...element, text: cut(element.text, room) });
    else out.push(words("…"));
    return { elements: out, isCut: true };
  }
  return { elements: out, isCut: false };
}

export const richText = (elements: readonly RichTextElement[]): RichTextBlock => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements: [...elements] }],
});

export const preformatted = (lines: readonly string[]): RichTextBlock => {
  const body = lines.join("\n");
  return {
    type: "rich_text",
    elements: [{ type: "rich_text_preformatted", elements: [words(body === "" ? " " : body)] }],
  };
};

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "ˋ" };

/** Makes text harmless inside mrkdwn: no mention, no link, no code fence can come out of it. */
export const escapeMrkdwn = (value: string): string =>
  value.replace(/[&<>`]/g, (char) => escapes[char] ?? char);

function mrkdwnLeaf(part: Inline, style: boolean): string {
  if (typeof part === "string") return escapeMrkdwn(visibleLines(part));
  if ("code" in part) {
    const value = escapeMrkdwn(visible(part.code));
    return style && value.trim() !== "" ? `\`${value}\`` : value;
  }
  if ("strong" in part) {
    const value = escapeMrkdwn(visible(part.strong));
    return style && value.trim() === value && value !== "" && !value.includes("*") ? `*${value}*` : value;
  }
  if ("strike" in part) {
    const value = escapeMrkdwn(visible(part.strike));
    const canStrike = style && value.trim() === value && value !== "" && !value.includes("~");
    return canStrike ? `~${value}~` : escapeMrkdwn(visible(plain([part])));
  }
  if ("person" in part) {
    const { name, slack = "" } = part.person;
    if (isUser(part.person)) return `<@${slack}>`;
    if (isGroup(part.person)) return `<!subteam^${slack}>`;
    return `@${escapeMrkdwn(visible(name))}`;
  }
  const label = escapeMrkdwn(visible(part.text));
  if (!isWebUrl(part.link)) return `${label} (${escapeMrkdwn(visible(part.link))})`;
  const url = part.link.replace(/[&<>]/g, (char) => escapes[char] ?? char);
  return label === "" ? `<${url}>` : `<${url}|${label.replaceAll("|", "¦")}>`;
}

/**
 * mrkdwn of at most `max` characters after escaping, cut between or inside leaves and never inside an entity or a
 * mention. `style: "none"` leaves out bold and code marks, as notifications read it.
 */
export function mrkdwn(
  value: Text,
  max: number,
  options: Readonly<{ style: "marks" | "none" }> = { style: "marks" },
): Readonly<{ text: string; isCut: boolean }> {
  let out = "";
  for (const part of value) {
    const piece = mrkdwnLeaf(part, options.style === "marks");
    if (out.length + piece.length <= max - 1) {
      out += piece;
      continue;
    }
    if (typeof part === "string") {
      for (const char of visibleLines(part)) {
        const escaped = escapeMrkdwn(char);
        if (out.length + escaped.length > max - 1) break;
        out += escaped;
      }
    }
    return { text: `${out}…`, isCut: true };
  }
  return { text: out, isCut: false };
}
