import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf, dataOf, sameData } from "./evidence.ts";
import { delegatedZone, parentNameServers } from "./parent-name-servers.ts";

/** The parent points to servers that are not this zone's: those of an old or another zone, which answer otherwise. */
export const otherDelegation: Diagnosis = {
  id: "other-delegation",
  number: 2,
  sentence: "the parent points to another set of name servers",
  needs: ["P1", "P2", "P3"],
  judge: (evidence) => {
    const { parent, delegationSets, authoritative } = evidence;
    const blind = unlooked(parent, delegationSets);
    if (blind || !delegationSets.ok) return blind ?? no;
    const atParent = parentNameServers(evidence);
    if (atParent.length === 0 || delegationSets.value.length === 0) return no;
    if (delegatedZone(evidence) !== undefined) return no;
    const sets = delegationSets.value.flatMap(({ nameServers }) =>
      nameServers.map((each) => each.toLowerCase()),
    );
    const strangers = atParent.filter((each) => !sets.includes(each));
    const missing = sets.filter((each) => !atParent.includes(each));
    const because = text`the parent names ${join(atParent.map(code), ", ")}; Route 53 answers for the zone on ${join(sets.map(code), ", ")}`;
    const remedy = text`set exactly the zone's own four servers at the registrar`;
    if (strangers.length === 0)
      return missing.length === 0 || atParent.length === 0
        ? no
        : {
            certainty: "possible",
            because,
            test: text`servers the parent does not name get no questions; the others must answer alone`,
            remedy,
          };
    if (!authoritative.ok) return { certainty: "unknown", faults: [authoritative.fault] };
    const theirs = answersOf(authoritative.value.filter(({ host }) => strangers.includes(host))).filter(
      ({ flags }) => flags.includes("aa"),
    );
    // Strangers that do not answer for the zone at all are lame, which is another diagnosis.
    if (theirs.length === 0) return no;
    const ours = answersOf(authoritative.value.filter(({ host }) => sets.includes(host))).filter(
      ({ flags }) => flags.includes("aa"),
    );
    const differs = ours.some((mine) =>
      theirs.some((their) => !sameData(dataOf(mine, evidence.type), dataOf(their, evidence.type))),
    );
    return differs || ours.length === 0
      ? { certainty: "certain", because: [...because, ", and they answer differently"], remedy }
      : {
          certainty: "possible",
          because,
          test: text`both sets give one answer now; change a record and ask both`,
          remedy,
        };
  },
};
