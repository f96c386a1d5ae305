import { code, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf, dataOf } from "./evidence.ts";

/** The record exists only in a private zone, which answers inside its VPCs alone. */
export const privateZoneOnly: Diagnosis = {
  id: "private-zone-only",
  number: 6,
  sentence: "the record exists only in a private zone",
  needs: ["P4", "P8"],
  judge: (evidence) => {
    const blind = unlooked(evidence.listed);
    if (blind || !evidence.listed.ok) return blind ?? no;
    const holding = evidence.listed.value.filter(({ atName, wildcard }) =>
      [...atName, ...wildcard].some(({ type }) => type === evidence.type || type === "CNAME"),
    );
    if (holding.length === 0 || holding.some(({ zone }) => !zone.private)) return no;
    const because = text`only private zone ${code(holding[0]?.zone.id ?? "")} has it, and that answers inside its VPCs alone`;
    const remedy = text`write the record into the public zone as well`;
    if (!evidence.public.ok)
      return { certainty: "possible", because, test: text`ask a public resolver`, remedy };
    const seen = answersOf(evidence.public.value).some((answer) => dataOf(answer, evidence.type).length > 0);
    return seen ? no : { certainty: "certain", because, remedy };
  },
};
