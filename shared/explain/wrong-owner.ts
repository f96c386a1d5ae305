import { isAlias, valuesOf } from "../dns/record-set.ts";
import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { sameData } from "./evidence.ts";

/** The record is wrong and ExternalDNS will not touch it, because it is somebody else's or nobody's. */
export const wrongOwner: Diagnosis = {
  id: "wrong-owner",
  number: 16,
  sentence: "the record is wrong because ExternalDNS does not own it",
  needs: ["P8"],
  judge: ({ listed, ownership, wanted, type }) => {
    if (!listed.ok) return unlooked(listed) ?? no;
    if (wanted === undefined || wanted.length === 0) return no;
    const sets = listed.value
      .flatMap(({ atName }) => atName)
      .filter((set) => set.type === type && !isAlias(set));
    const values = sets.flatMap(valuesOf).toSorted();
    if (values.length === 0 || sameData(values, wanted.toSorted())) return no;
    if (!ownership.ok) return { certainty: "unknown", faults: [ownership.fault] };
    const { owner, ours } = ownership.value;
    if (owner !== undefined && ours.includes(owner)) return no;
    return {
      certainty: "certain",
      because: text`the zone has ${join(values.map(code), ", ")}, the cluster wants ${join(wanted.map(code), ", ")}, and ${owner === undefined ? "no ownership record says that it is ours" : text`its owner is ${code(owner)}`}`,
      remedy: text`see what can be adopted: ${code("/dns check")}`,
    };
  },
};
