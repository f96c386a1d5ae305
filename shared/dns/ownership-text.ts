import type { OwnershipRules } from "./release.ts";

/** Labels of an ownership TXT; in practice `owner` and `resource`. A missing or empty owner is nobody's. */
export type Labels = Readonly<Record<string, string>>;

const heritage = "external-dns";

/** Label under which an encrypted text's nonce is remembered; it is never written (endpoint/labels.go). */
export const nonceLabel = "txt-encryption-nonce";

export function withoutQuotes(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && value[start] === '"') start += 1;
  while (end > start && value[end - 1] === '"') end -= 1;
  return value.slice(start, end);
}

/**
 * Reads one TXT value as the registry does (endpoint/labels.go NewLabelsFromStringPlain). `undefined` when it is no
 * ownership text: no heritage, or any heritage but external-dns. Case counts, a blank before a token hides it, the last
 * of two equal keys wins, and strings split as `"a" "b"` are not joined.
 */
export function parseOwnershipText(
  value: string,
  { equalsInValue }: Pick<OwnershipRules, "equalsInValue">,
): Labels | undefined {
  const labels: [string, string][] = [];
  let ours = false;
  for (const token of withoutQuotes(value).split(",")) {
    const equals = token.indexOf("=");
    if (equals < 0 || (!equalsInValue && token.includes("=", equals + 1))) continue;
    const key = token.slice(0, equals);
    const text = token.slice(equals + 1);
    if (key === "heritage") {
      if (text !== heritage) return undefined;
      ours = true;
    } else if (key.startsWith(heritage))
      labels.push([key.startsWith(`${heritage}/`) ? key.slice(heritage.length + 1) : key, text]);
  }
  return ours ? Object.fromEntries(labels) : undefined;
}

const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

const byBytes = (a: string, b: string): number =>
  isAscii(a) && isAscii(b) ? (a < b ? -1 : a > b ? 1 : 0) : Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The text without its quotes: heritage first, then the labels in byte order of their keys. */
export function ownershipText(labels: Labels): string {
  const keys = Object.keys(labels);
  // Nearly every text has just these two.
  if (keys.length === 2 && keys[0] === "owner" && keys[1] === "resource")
    return `heritage=${heritage},${heritage}/owner=${labels.owner},${heritage}/resource=${labels.resource}`;
  return [
    `heritage=${heritage}`,
    ...keys
      .filter((key) => key !== nonceLabel)
      .sort(byBytes)
      .map((key) => `${heritage}/${key}=${labels[key]}`),
  ].join(",");
}

/** The TXT value as ExternalDNS writes it, quotes included. Nothing is escaped: see `lostLabels`. */
export const formatOwnershipText = (labels: Labels): string => `"${ownershipText(labels)}"`;

/** Labels that do not come back when the written text is read: an owner with a comma can never own anything. */
export function lostLabels(labels: Labels, rules: Pick<OwnershipRules, "equalsInValue">): readonly string[] {
  const back = parseOwnershipText(formatOwnershipText(labels), rules);
  return Object.keys(labels).filter(
    (key) =>
      key !== nonceLabel && (back === undefined || !Object.hasOwn(back, key) || back[key] !== labels[key]),
  );
}
