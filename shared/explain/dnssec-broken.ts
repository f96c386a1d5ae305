import { code, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf, dataOf } from "./evidence.ts";

/** A DS record at the parent that no key of the zone matches: resolvers that validate refuse every answer. */
export const dnssecBroken: Diagnosis = {
  id: "dnssec-broken",
  number: 14,
  sentence: "DNSSEC is broken: the parent has a DS that the zone cannot satisfy",
  needs: ["P5", "P7"],
  judge: ({ site, siteUnchecked, parentDs, type }) => {
    if (!site.ok) return unlooked(site) ?? no;
    const failing = answersOf(site.value).filter(({ rcode }) => rcode === "SERVFAIL");
    const [first] = failing;
    if (first === undefined) return no;
    if (!siteUnchecked.ok) return { certainty: "unknown", faults: [siteUnchecked.fault] };
    const unchecked = answersOf(siteUnchecked.value).find(({ server }) => server === first.server);
    if (unchecked === undefined || dataOf(unchecked, type).length === 0) return no;
    const because = text`${code(first.server)} answers SERVFAIL, and the right answer once it is told not to check signatures`;
    const remedy = text`remove the DS record at the registrar, or sign the zone with the key it names`;
    const hasDs =
      parentDs.ok &&
      parentDs.value.kind === "answer" &&
      parentDs.value.answer.some((record) => record.type === "DS");
    return hasDs
      ? { certainty: "certain", because: [...because, "; the parent has a DS for the zone"], remedy }
      : { certainty: "possible", because, test: text`ask the parent's servers for the zone's DS`, remedy };
  },
};
