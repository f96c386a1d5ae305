import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { agreed, answersOf, dataOf, sameData } from "./evidence.ts";

/** The site's resolver answers for the whole domain itself. */
export const splitHorizon: Diagnosis = {
  id: "split-horizon",
  number: 13,
  sentence: "the site's resolver answers for the domain itself",
  needs: ["P3", "P4", "P5", "P6"],
  judge: (evidence) => {
    const { site, siteTxt } = evidence;
    const right =
      agreed(evidence) ??
      (evidence.public.ok
        ? dataOf(
            answersOf(evidence.public.value)[0] ?? {
              kind: "answer",
              rcode: "",
              flags: [],
              answer: [],
              authority: [],
              additional: [],
              extendedErrors: [],
            },
            evidence.type,
          )
        : []);
    if (right.length === 0) return unlooked(evidence.authoritative) ?? no;
    if (!site.ok) return unlooked(site) ?? no;
    const own = answersOf(site.value).filter((answer) => {
      const data = dataOf(answer, evidence.type);
      return answer.rcode === "NXDOMAIN" || (data.length > 0 && !sameData(data, right));
    });
    const [first] = own;
    if (first === undefined) return no;
    const data = dataOf(first, evidence.type);
    const says = data.length > 0 ? join(data.map(code), ", ") : text`that the name does not exist`;
    const marks = [
      ...(first.flags.includes("aa") ? ["with authority it cannot have"] : []),
      ...(first.answer.some(({ ttl }) => ttl === 0) ? ["with a TTL of 0"] : []),
    ];
    const because = text`${code(first.server)} says ${says}${marks.length > 0 ? `, ${marks.join(" and ")}` : ""}; outside the answer is ${join(right.map(code), ", ")}`;
    const remedy = text`look for the domain in the router's local names, conditional forwards or overrides`;
    const test = text`ask ${code(first.server)} for another name below the domain: an override answers for all of them`;
    if (!siteTxt.ok) return { certainty: "possible", because, test, remedy };
    const txt = answersOf(siteTxt.value).filter(({ server }) => server === first.server);
    if (txt.some((answer) => dataOf(answer, "TXT").length > 0)) return no;
    const outsideRight =
      evidence.public.ok &&
      answersOf(evidence.public.value).some((answer) => sameData(dataOf(answer, evidence.type), right));
    // A remembered "no" of the whole zone looks alike for a while; the SOA of the real zone gives that away.
    const remembered = first.authority.some(({ type }) => type === "SOA") && !first.flags.includes("aa");
    return txt.length > 0 && outsideRight && !remembered
      ? {
          certainty: "certain",
          because: [...because, "; a TXT of the same zone is not found there either"],
          remedy,
        }
      : { certainty: "possible", because, test, remedy };
  },
};
