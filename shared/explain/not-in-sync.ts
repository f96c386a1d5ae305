import { text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf, dataOf, sameData } from "./evidence.ts";

/** A change has not reached all of Route 53's servers. */
export const notInSync: Diagnosis = {
  id: "not-in-sync",
  number: 7,
  sentence: "the last change has not reached all of Route 53's servers",
  needs: ["P3"],
  judge: (evidence) => {
    const { authoritative, change } = evidence;
    const pending = change.ok && change.value === "PENDING";
    if (!authoritative.ok) {
      if (!pending) return unlooked(authoritative) ?? no;
      return {
        certainty: "possible",
        because: text`the last change is still PENDING`,
        test: text`wait a minute and ask again`,
        remedy: text`wait; it usually takes less than 60 seconds`,
      };
    }
    const answers = answersOf(authoritative.value).filter(({ flags }) => flags.includes("aa"));
    const data = answers.map((answer) => dataOf(answer, evidence.type));
    const differ = data.some((each) => !sameData(each, data[0] ?? []));
    if (pending)
      return {
        certainty: differ ? "certain" : "possible",
        because: differ
          ? text`the last change is PENDING, and the zone's servers give different answers`
          : text`the last change is still PENDING`,
        test: text`wait a minute and ask again`,
        remedy: text`wait; it usually takes less than 60 seconds`,
      };
    if (!differ) return no;
    return {
      certainty: "possible",
      because: text`the zone's ${answers.length} servers give different answers`,
      test: text`ask again in a minute: a change on its way is over by then, two different zones are not`,
      remedy: text`wait a minute, then look at the delegation`,
    };
  },
};
