import { readOwnershipText } from "../dns/ownership-encryption.ts";
import { claimants } from "../dns/ownership-written.ts";
import { isAlias, type RecordSet, valuesOf } from "../dns/record-set.ts";
import type { ApplyRules } from "./apply-judge.ts";

/** Records and ownership TXTs of ours in a zone: what limits on deletes are counted over. */
export function countOwned(
  recordSets: readonly RecordSet[],
  { owners, affixes, key }: Pick<ApplyRules, "owners" | "affixes" | "key">,
): Readonly<{ records: number; txts: number }> {
  /** By name and set identifier: the types that are ours, `*` from a text whose name says none. */
  const claimed = new Map<string, Set<string>>();
  let txts = 0;
  for (const set of recordSets) {
    const [value] = valuesOf(set);
    if (set.type !== "TXT" || value === undefined) continue;
    const owner = readOwnershipText(value, key, { equalsInValue: true })?.owner;
    if (owner === undefined || !owners.includes(owner)) continue;
    txts += 1;
    for (const claim of affixes.flatMap((each) => claimants(set.name, each))) {
      const place = `${claim.name} ${set.setIdentifier ?? ""}`;
      const there = claimed.get(place) ?? new Set<string>();
      claimed.set(place, there.add(claim.type ?? "*"));
    }
  }
  const records = recordSets.filter((set) => {
    const there = claimed.get(`${set.name} ${set.setIdentifier ?? ""}`);
    if (there === undefined || set.type === "TXT") return false;
    // Releases before 0.22 keep an alias under the name of a CNAME.
    return there.has(set.type) || there.has("*") || (isAlias(set) && there.has("CNAME"));
  }).length;
  return { records, txts };
}
