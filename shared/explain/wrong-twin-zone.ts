import { code, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { delegatedZone } from "./parent-name-servers.ts";

/** Two public zones have the name; the record is in the one that nobody is sent to. */
export const wrongTwinZone: Diagnosis = {
  id: "wrong-twin-zone",
  number: 5,
  sentence: "the record is in the wrong one of two zones with this name",
  needs: ["P1", "P2", "P8"],
  judge: (evidence) => {
    const { parent, delegationSets, listed } = evidence;
    const blind = unlooked(listed);
    if (blind || !listed.ok) return blind ?? no;
    const publics = listed.value.filter(({ zone }) => !zone.private);
    const holding = publics.filter(({ atName }) => atName.some(({ type }) => type === evidence.type));
    const twins = publics.filter(({ zone }) => holding.some((each) => each.zone.name === zone.name));
    if (holding.length === 0 || twins.length < 2) return no;
    const unseen = unlooked(parent, delegationSets);
    if (unseen) return unseen;
    const delegated = delegatedZone(evidence);
    if (delegated === undefined || holding.some(({ zone }) => zone.id === delegated)) return no;
    const [holder] = holding;
    return {
      certainty: "certain",
      because: text`the record is in zone ${code(holder?.zone.id ?? "")}, the parent sends everybody to zone ${code(delegated)} of the same name`,
      remedy: text`write the record into ${code(delegated)}, or change the delegation; then delete the zone that is not needed`,
    };
  },
};
