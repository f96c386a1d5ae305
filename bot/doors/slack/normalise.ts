/** Invisible characters: zero-width, soft hyphen, bidirectional marks. */
const invisible = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
/** Control characters and line ends, and every space that is not the plain one. */
const blank = /[\u0000-\u001f\u007f-\u009f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g;

const reference = /<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>/g;

/**
 * What Slack's markup in angle brackets stands for. People and channels stay typed references (`<@U1>`, `<#C1>`)
 * without the display name, which anybody can choose; links become what was typed.
 */
function unwrap(_whole: string, sigil: string, target: string, label: string | undefined): string {
  if (sigil === "@" || sigil === "#") return `<${sigil}${target}>`;
  if (sigil === "!") return `@${label?.replace(/^@/, "") || target.replace(/^subteam\^/, "")}`;
  return label ?? target.replace(/^mailto:/, "");
}

/**
 * Turns the text of a command or mention into what the person meant to type: Slack and its clients replace straight
 * quotes, double dashes, spaces, `&`, `<`, `>` and everything that looks like a link. Plain ASCII without those three
 * signs comes out unchanged but for blanks at the ends; control characters never come out.
 */
export const normalise = (text: string): string =>
  text
    .toWellFormed()
    .replace(invisible, "")
    .replace(blank, " ")
    .replace(reference, unwrap)
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replace(/[\u201c-\u201f\u00ab\u00bb]/g, '"')
    .replace(/[\u2018-\u201b]/g, "'")
    .replace(/(?<=^|\s)[\u2012-\u2015]-?(?=[a-z])/giu, "--")
    .replace(/(?<=\d)[\u2010-\u2015](?=\d)/g, "-")
    .trim();

/** The words of a mention after the bot's own name, wherever in the text that stands. */
export function wordsOfMention(text: string, botUserId: string | undefined): string {
  const own =
    botUserId === undefined ? /^\s*<@[UW][A-Z0-9]+(\|[^>]*)?>/ : new RegExp(`<@${botUserId}(\\|[^>]*)?>`);
  return normalise(text.replace(own, " "));
}
