import { text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf } from "./evidence.ts";
import { parentNameServers } from "./parent-name-servers.ts";

/** The parent does not know the zone: nothing below it can be found, whatever Route 53 holds. */
export const notDelegated: Diagnosis = {
  id: "not-delegated",
  number: 1,
  sentence: "the zone is not delegated",
  needs: ["P1", "P3"],
  judge: (evidence) => {
    if (!evidence.parent.ok) return unlooked(evidence.parent) ?? no;
    const answers = answersOf(evidence.parent.value).filter(({ rcode }) =>
      /^(NOERROR|NXDOMAIN)$/.test(rcode),
    );
    if (answers.length === 0)
      return {
        certainty: "unknown",
        faults: [{ kind: "unreachable", what: "servers of the parent", detail: "none of them answered" }],
      };
    if (parentNameServers(evidence).length > 0) return no;
    const [first] = answers;
    return {
      certainty: "certain",
      because: text`${answers.length} of the parent's servers answered, and none names a server for the zone (${first?.rcode ?? ""})`,
      remedy: text`enter the zone's four name servers at the registrar or in the parent zone`,
    };
  },
};
