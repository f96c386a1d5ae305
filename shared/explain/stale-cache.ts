import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { agreed, answersOf, dataOf, sameData } from "./evidence.ts";

/** A resolver still gives the value from before the last change. */
export const staleCache: Diagnosis = {
  id: "stale-cache",
  number: 9,
  sentence: "a resolver still gives an older value",
  needs: ["P3", "P4", "P5"],
  judge: (evidence) => {
    const blind = unlooked(evidence.authoritative);
    if (blind) return blind;
    const right = agreed(evidence);
    if (right === undefined || right.length === 0) return no;
    const resolvers = [evidence.site, evidence.public].flatMap((looked) => (looked.ok ? looked.value : []));
    if (resolvers.length === 0) return unlooked(evidence.site, evidence.public) ?? no;
    const older = answersOf(resolvers).filter((answer) => {
      const data = dataOf(answer, evidence.type);
      return data.length > 0 && !sameData(data, right) && answer.answer.some(({ ttl }) => ttl > 0);
    });
    const [first] = older;
    if (first === undefined) return no;
    const left = Math.max(...first.answer.map(({ ttl }) => ttl));
    return {
      certainty: "possible",
      because: text`${code(first.server)} gives ${join(dataOf(first, evidence.type).map(code), ", ")} for another ${left} s; the zone's servers give ${join(right.map(code), ", ")}`,
      test: text`ask again in ${Math.min(left + 1, 60)} s: the time left falls, and at 0 the new value comes`,
      remedy: text`wait ${left} s, or flush the name from that resolver's cache`,
    };
  },
};
