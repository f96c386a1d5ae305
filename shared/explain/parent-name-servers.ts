import { answersOf, type ExplainEvidence } from "./evidence.ts";

/** Names of the zone's servers as the parent gives them, whether as a referral or as an answer; sorted, each once. */
export function parentNameServers({ parent }: ExplainEvidence): readonly string[] {
  if (!parent.ok) return [];
  const names = answersOf(parent.value).flatMap(({ answer, authority }) =>
    [...answer, ...authority].filter(({ type }) => type === "NS").map(({ data }) => data),
  );
  return [...new Set(names)].toSorted();
}

const bare = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/** Id of the public zone whose delegation set is exactly what the parent names. */
export function delegatedZone(evidence: ExplainEvidence): string | undefined {
  const atParent = parentNameServers(evidence);
  if (!evidence.delegationSets.ok || atParent.length === 0) return undefined;
  return evidence.delegationSets.value.find(({ nameServers }) => {
    const set = nameServers.map(bare).toSorted();
    return set.length === atParent.length && set.every((each, i) => each === bare(atParent[i] ?? ""));
  })?.zoneId;
}
