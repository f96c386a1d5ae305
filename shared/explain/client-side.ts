import { text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { agreed, answersOf, dataOf, sameData } from "./evidence.ts";

/** Every server gives the right answer: what is left is the client. */
export const clientSide: Diagnosis = {
  id: "client-side",
  number: 15,
  sentence: "DNS answers right where we asked; the client may ask elsewhere",
  needs: ["P3", "P5"],
  judge: (evidence) => {
    const blind = unlooked(evidence.authoritative, evidence.site);
    if (blind || !evidence.site.ok) return blind ?? no;
    const right = agreed(evidence);
    const answers = answersOf(evidence.site.value);
    if (right === undefined || right.length === 0 || answers.length === 0) return no;
    if (evidence.wanted !== undefined && !sameData(evidence.wanted.toSorted(), right)) return no;
    if (!answers.every((answer) => sameData(dataOf(answer, evidence.type), right))) return no;
    return {
      certainty: "possible",
      because: text`the zone's servers and the site's resolvers all give the right answer (${answers.length} resolvers asked from ${evidence.site.from})`,
      test: text`on the client: its resolver, its hosts file, its search domains, and DNS over HTTPS in the browser`,
      remedy: text`make the client ask the site's resolver`,
    };
  },
};
