import { isWithin, labelLength } from "./fqdn.ts";
import {
  type Affixes,
  isTemplated,
  legacyTxtName,
  type Reading,
  readTxtName,
  typedTxtName,
} from "./ownership-name.ts";
import type { RecordType } from "./record-set.ts";
import type { OwnershipRules } from "./release.ts";

/** A record that ExternalDNS may own. `alias` is a Route 53 alias, not a CNAME. */
export type OwnableRecord = Readonly<{ name: string; type: RecordType; alias?: boolean }>;

/** The flags that decide where ownership is written. */
export type OwnershipFlags = Affixes & Readonly<{ encryptEnabled?: boolean; newFormatOnly?: boolean }>;

export type OwnershipTxt = Readonly<{ name: string; format: "typed" | "legacy" }>;

/** As what type the release sees the record: aliases became records of their own type only by and by. */
export function seenType(
  { type, alias }: OwnableRecord,
  { aliasReadAs }: Pick<OwnershipRules, "aliasReadAs">,
): RecordType {
  return alias !== true || aliasReadAs === "its-type" ? type : aliasReadAs;
}

/** The type in the name of the typed TXT: up to 0.21 an A alias goes by `cname`. */
export const typedType = (
  record: OwnableRecord,
  rules: Pick<OwnershipRules, "aliasReadAs" | "aliasATyped">,
): RecordType => {
  const seen = seenType(record, rules);
  return record.alias === true && seen === "A" ? rules.aliasATyped : seen;
};

/** A name over Route 53's limits: ExternalDNS leaves it out, before 0.13 Route 53 refused the batch with it. */
export const isTooLong = (name: string): boolean => {
  if (name.length <= 63 && /^[\x00-\x7f]*$/.test(name)) return false;
  const lengths = name.split(".").map(labelLength);
  return lengths.some((length) => length > 63) || lengths.reduce((sum, length) => sum + length + 1, 1) > 255;
};

/**
 * Every ownership TXT the release means to write for a record, legacy first, including those that cannot be stored
 * (`whyNeverOwned`). Flags the release does not have change nothing here: it would not start with them (`unknownFlags`).
 */
export function meantTxts(
  record: OwnableRecord,
  flags: OwnershipFlags,
  rules: OwnershipRules,
): readonly OwnershipTxt[] {
  const seen = seenType(record, rules);
  if (seen === "TXT" && !rules.ownsTxtRecords) return [];
  const legacy =
    rules.writesLegacy &&
    (seen !== "AAAA" || rules.legacyForAaaa) &&
    (!rules.templates || !isTemplated(flags) || rules.legacyWithTemplate) &&
    (!rules.encryption || flags.encryptEnabled !== true || rules.legacyWithEncryption) &&
    !(rules.newFormatOnlyFlag && flags.newFormatOnly === true);
  return [
    ...(legacy ? [{ name: legacyTxtName(record.name, flags, rules), format: "legacy" as const }] : []),
    ...(rules.writesTyped
      ? [{ name: typedTxtName(record.name, typedType(record, rules), flags), format: "typed" as const }]
      : []),
  ];
}

/**
 * The ownership TXTs that stand in Route 53 after the release wrote the record; with `zone` also without those outside
 * the hosted zone, which the AWS provider drops.
 */
export const writtenTxts = (
  record: OwnableRecord,
  flags: OwnershipFlags,
  rules: OwnershipRules,
  zone?: string,
): readonly OwnershipTxt[] =>
  meantTxts(record, flags, rules).filter(
    ({ name }) => !isTooLong(name) && (zone === undefined || isWithin(name, zone)),
  );

/** Flags in use that the release does not know; it refuses to start with them. */
export const unknownFlags = (flags: OwnershipFlags, rules: OwnershipRules): readonly string[] => [
  ...(flags.encryptEnabled === true && !rules.encryption ? ["txt-encrypt-enabled"] : []),
  ...(flags.newFormatOnly === true && !rules.newFormatOnlyFlag ? ["txt-new-format-only"] : []),
];

/** Type under which a TXT's labels are kept for matching, `any` when it serves every type of the name. */
export type MatchType = RecordType | "any";

export function matchTypeOf(reading: Reading, { matches }: Pick<OwnershipRules, "matches">): MatchType {
  if (matches === "name-and-type") return reading.type ?? "any";
  return matches === "name-and-aaaa" && reading.type === "AAAA" ? "AAAA" : "any";
}

/** Types under which the release looks for a record's labels, the first hit wins. AAAA never falls back to legacy. */
export function matchTypesFor(record: OwnableRecord, rules: OwnershipRules): readonly MatchType[] {
  const seen = seenType(record, rules);
  if (rules.matches === "name") return ["any"];
  if (rules.matches === "name-and-aaaa") return [seen === "AAAA" ? "AAAA" : "any"];
  if (seen === "AAAA") return ["AAAA"];
  if (record.alias !== true || seen !== "A") return [seen, "any"];
  // Since 0.22 the name of old, `cname-`, is the fallback of an A alias; before, it was the only typed one.
  return rules.aliasATyped === "A" ? ["A", "CNAME", "any"] : ["CNAME", "any"];
}

/**
 * Name under which the release looks for a record's labels: a wildcard by its replacement. The replacement is not
 * lower-cased here although it is in the TXT's name, so one with capitals never matches (registry/txt, Records).
 */
export function matchName(name: string, { wildcardReplacement = "" }: Affixes): string {
  if (wildcardReplacement === "" || (name !== "*" && !name.startsWith("*."))) return name;
  return `${wildcardReplacement}${name.slice(1)}`;
}

export type NeverOwned = Readonly<{
  why: "outside-zone" | "too-long" | "read-as-another" | "not-written";
  /** The TXT it happens to; absent when none is written. */
  txtName?: string;
  /** For `read-as-another`: what the release takes the TXT for; `null` when for nothing. */
  readAs?: Reading | null;
}>;

/**
 * Empty when the release recognises its own record again through at least one of the TXTs it writes; otherwise what
 * befalls each of them. `zone` is the hosted zone's name: TXTs outside it are dropped (an apex record without a
 * templated prefix that ends in a dot).
 */
export function whyNeverOwned(
  record: OwnableRecord,
  flags: OwnershipFlags,
  rules: OwnershipRules,
  zone?: string,
): readonly NeverOwned[] {
  const name = matchName(record.name, flags);
  const types = matchTypesFor(record, rules);
  const meant = meantTxts(record, flags, rules);
  if (meant.length === 0) return [{ why: "not-written" }];
  const reasons: NeverOwned[] = [];
  for (const { name: txtName } of meant) {
    if (isTooLong(txtName)) reasons.push({ why: "too-long", txtName });
    else if (zone !== undefined && !isWithin(txtName, zone)) reasons.push({ why: "outside-zone", txtName });
    else {
      const reading = readTxtName(txtName, flags, rules);
      if (reading?.name === name && types.includes(matchTypeOf(reading, rules))) return [];
      reasons.push({ why: "read-as-another", txtName, readAs: reading ?? null });
    }
  }
  return reasons;
}

/** Who may have caused a TXT name; `type` is `null` for a legacy one, which serves every type. */
export type Claimant = Readonly<{ name: string; type: RecordType | null; format: "typed" | "legacy" }>;

/** Every type any release writes a typed TXT for, as far as a reader knows it. */
const types: readonly RecordType[] = [
  "A",
  "AAAA",
  "CNAME",
  "NS",
  "MX",
  "PTR",
  "SRV",
  "NAPTR",
  "TXT",
  "DNAME",
];

/** Undoes one mapping by trying where its middle can stand: the affixes are around the first label of the name. */
function sources(txtName: string, before: string, after: string): readonly string[] {
  if (!txtName.startsWith(before)) return [];
  const rest = txtName.slice(before.length);
  if (after === "") return [rest];
  const out = new Set<string>();
  for (let at = rest.indexOf(after); at >= 0; at = rest.indexOf(after, at + 1))
    out.add(rest.slice(0, at) + rest.slice(at + after.length));
  return [...out];
}

const fronts = types.map((type) => ({ type, front: `${type.toLowerCase()}-` }));

const mayBeName = (name: string): boolean => name !== "" && !name.startsWith(".") && !name.endsWith(".");

/** Without affixes only the type stands in front, or nothing. */
function plainClaimants(name: string): readonly Claimant[] {
  const found: Claimant[] = [];
  if (!mayBeName(name)) return found;
  for (const { type, front } of fronts) {
    const bare = name.startsWith(front) ? name.slice(front.length) : "";
    if (mayBeName(bare)) found.push({ name: bare, type, format: "typed" });
  }
  found.push({ name, type: null, format: "legacy" });
  return found;
}

/**
 * Every record, of any release's format, whose ownership TXT has this name: `a-web` is the typed TXT of `web` and the
 * legacy one of a host called `a-web`; with a wildcard replacement `any`, `a-any.apps` is that of `*.apps` and of
 * `any.apps`. What a given release takes it for is `readTxtName`. More than one entry means the name is ambiguous.
 */
export function claimants(txtName: string, affixes: Affixes): readonly Claimant[] {
  const name = txtName.toLowerCase();
  const prefix = (affixes.prefix ?? "").toLowerCase();
  const suffix = (affixes.suffix ?? "").toLowerCase();
  const wildcard = (affixes.wildcardReplacement ?? "").toLowerCase();
  if (prefix === "" && suffix === "" && wildcard === "") return plainClaimants(name);
  const fill = (affix: string, type: string): string => affix.replaceAll("%{record_type}", type);
  const found: Claimant[] = [];
  const add = (candidates: readonly string[], type: RecordType | null): void => {
    for (const bare of candidates) {
      const variants =
        wildcard !== "" && (bare === wildcard || bare.startsWith(`${wildcard}.`))
          ? [bare, `*${bare.slice(wildcard.length)}`]
          : [bare];
      for (const variant of variants) {
        const first = variant.split(".", 1)[0];
        if (first === "" || variant.endsWith(".")) continue;
        const back = type === null ? legacyTxtName(variant, affixes) : typedTxtName(variant, type, affixes);
        if (back === name) found.push({ name: variant, type, format: type === null ? "legacy" : "typed" });
      }
    }
  };
  for (const type of types) {
    const t = type.toLowerCase();
    add(sources(name, fill(prefix, t) + (isTemplated(affixes) ? "" : `${t}-`), fill(suffix, t)), type);
  }
  add(sources(name, fill(prefix, ""), fill(suffix, "")), null);
  return found;
}

/** Every name under which any release keeps the ownership of a record of this name: what `claimants` undoes. */
export function possibleTxtNames(name: string, affixes: Affixes): ReadonlySet<string> {
  const out = new Set(types.map((type) => typedTxtName(name, type, affixes)));
  for (const templates of [true, false]) out.add(legacyTxtName(name, affixes, { templates }));
  return out;
}
