/** Small judgements that all of Block Kit is made of: each says what is wrong with a value, under its path. */

export type Dict = Readonly<Record<string, unknown>>;
export type Problem = (path: string, what: string) => void;

export const isDict = (value: unknown): value is Dict =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const list = (
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

export const string = (
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

export const oneOf = (value: unknown, path: string, allowed: readonly string[], say: Problem): void => {
  if (value !== undefined && !allowed.includes(value as string))
    say(path, `is ${JSON.stringify(value)}, expected one of ${allowed.join(", ")}`);
};

export const keys = (value: Dict, path: string, allowed: readonly string[], say: Problem): void => {
  for (const key of Object.keys(value))
    if (!allowed.includes(key)) say(`${path}.${key}`, "is not a field of this type");
};

export function url(value: unknown, path: string, max: number, say: Problem): void {
  const given = string(value, path, max, say);
  if (given !== "" && !/^(https?|mailto|slack):/.test(given))
    say(path, "must be an http, https, mailto or slack URL");
}

type TextKind = "plain_text" | "mrkdwn";

export function textObject(
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

export const plainOnly = ["plain_text"] as const;

/** Characters of text below a value, table cells included. */
export function textChars(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + textChars(item), 0);
  if (!isDict(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === "text" && typeof item === "string" ? item.length : textChars(item)),
    0,
  );
}
