import { isReferral } from "../dns/answer.ts";
import { code, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf } from "./evidence.ts";

/** An NS record set between apex and name hands everything below to other servers. */
export const hiddenByDelegation: Diagnosis = {
  id: "hidden-by-delegation",
  number: 10,
  sentence: "a sub-zone delegation hides the record",
  needs: ["P3", "P8"],
  judge: (evidence) => {
    const { listed, authoritative } = evidence;
    const blind = unlooked(listed);
    if (blind || !listed.ok) return blind ?? no;
    const hiding = listed.value.find(
      ({ zone, atName, delegations }) =>
        !zone.private && delegations.length > 0 && atName.some(({ type }) => type !== "NS"),
    );
    const [delegation] = hiding?.delegations ?? [];
    if (delegation === undefined) return no;
    const because = text`${code(delegation.name)} has NS records in the zone, so its servers send everybody below it elsewhere`;
    const remedy = text`write the record into the zone that ${code(delegation.name)} is delegated to, or remove the NS record set`;
    if (!authoritative.ok)
      return { certainty: "possible", because, test: text`ask one of the zone's servers: it refers`, remedy };
    return answersOf(authoritative.value).some(isReferral) ? { certainty: "certain", because, remedy } : no;
  },
};
