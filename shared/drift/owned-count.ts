import { readOwnershipText } from "../dns/ownership-encryption.ts";
import { claimants } from "../dns/ownership-written.ts";
import { isAlias, type RecordSet, valuesOf } from "../dns/record-set.ts";
import type { ApplyRules } from "./apply-judge.ts";

type OwnerRules = Pick<ApplyRules, "owners" | "affixes" | "key">;

/** The owner that an ownership TXT names; `undefined` for any other record set, and where it names none. */
function ownerNamed(set: RecordSet, { key }: Pick<OwnerRules, "key">): string | undefined {
  const [value] = valuesOf(set);
  if (set.type !== "TXT" || value === undefined) return undefined;
  return readOwnershipText(value, key, { equalsInValue: true })?.owner;
}

/** An ownership TXT with an owner id of ours. */
export function isOwnText(set: RecordSet, rules: OwnerRules): boolean {
  const owner = ownerNamed(set, rules);
  return owner !== undefined && rules.owners.includes(owner);
}

/** An ownership TXT of somebody else's. */
export function isForeignText(set: RecordSet, rules: OwnerRules): boolean {
  const owner = ownerNamed(set, rules);
  return owner !== undefined && owner !== "" && !rules.owners.includes(owner);
}

/** By name and set identifier: the types that are ours, `*` from a text whose name says none. */
export type Claims = ReadonlyMap<string, ReadonlySet<string>>;

const placeOf = (name: string, setIdentifier: string | undefined): string => `${name} ${setIdentifier ?? ""}`;

/** What these ownership TXTs speak for, by any release's format. */
export function claimsOf(texts: readonly RecordSet[], { affixes }: OwnerRules): Claims {
  const claimed = new Map<string, Set<string>>();
  for (const set of texts)
    for (const claim of affixes.flatMap((each) => claimants(set.name, each))) {
      const place = placeOf(claim.name, set.setIdentifier);
      const there = claimed.get(place) ?? new Set<string>();
      claimed.set(place, there.add(claim.type ?? "*"));
    }
  return claimed;
}

/** Whether they speak for exactly this record set. */
export function isClaimed(set: RecordSet, claims: Claims): boolean {
  const there = claims.get(placeOf(set.name, set.setIdentifier));
  if (there === undefined) return false;
  if (there.has(set.type)) return true;
  // The legacy format was never written for AAAA, and beside it any ordinary TXT may stand.
  if (there.has("*") && set.type !== "AAAA" && set.type !== "TXT") return true;
  // Releases before 0.22 keep an alias under the name of a CNAME.
  return isAlias(set) && there.has("CNAME");
}

/** They speak for this record set by its type, as every release from 0.12 on reads before a text that names no type. */
const isClaimedByType = (set: RecordSet, claims: Claims): boolean => {
  const there = claims.get(placeOf(set.name, set.setIdentifier));
  return there !== undefined && (there.has(set.type) || (isAlias(set) && there.has("CNAME")));
};

/** Somebody else's text outranks ours: that ours says something about the record too makes it no record of ours. */
export const isOutranked = (set: RecordSet, ours: Claims, foreign: Claims): boolean =>
  set.type !== "TXT" &&
  isClaimedByType(set, foreign) &&
  ours.get(placeOf(set.name, set.setIdentifier))?.has(set.type) !== true;

/** Records and ownership TXTs of ours in a zone: what limits on deletes are counted over. */
export function countOwned(
  recordSets: readonly RecordSet[],
  rules: OwnerRules,
): Readonly<{ records: number; txts: number }> {
  const texts = recordSets.filter((set) => isOwnText(set, rules));
  const claims = claimsOf(texts, rules);
  const records = recordSets.filter((set) => set.type !== "TXT" && isClaimed(set, claims)).length;
  return { records, txts: texts.length };
}
