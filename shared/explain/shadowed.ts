import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf, dataOf } from "./evidence.ts";

/** A wildcard that does not apply because something exists nearer, or a CNAME that leads to nothing. */
export const shadowed: Diagnosis = {
  id: "shadowed",
  number: 11,
  sentence: "a wildcard or a CNAME does not do what it looks like",
  needs: ["P3", "P8"],
  judge: (evidence) => {
    const { listed } = evidence;
    const blind = unlooked(listed);
    if (blind || !listed.ok) return blind ?? no;
    for (const { zone, atName, wildcard, hasBelow, blocks } of listed.value) {
      if (zone.private) continue;
      const cname = atName.find(({ type }) => type === "CNAME");
      if (cname && cname.answer.kind === "values" && evidence.type !== "CNAME") {
        const [target] = cname.answer.values;
        const resolvers = [evidence.public, evidence.site].flatMap((looked) =>
          looked.ok ? looked.value : [],
        );
        const answers = answersOf(resolvers);
        if (answers.length === 0) continue;
        const followed = answers.some((answer) => dataOf(answer, evidence.type).length > 0);
        if (!followed)
          return {
            certainty: "certain",
            because: text`the name is a CNAME to ${code(target ?? "")}, and nothing of type ${evidence.type} is found there`,
            remedy: text`make the target exist, or point the CNAME elsewhere`,
          };
        continue;
      }
      const wild = wildcard.filter(({ type }) => type === evidence.type || type === "CNAME");
      if (wild.length === 0 || atName.some(({ type }) => type === evidence.type)) continue;
      const types = atName.map(({ type }) => type).filter((type) => type !== "NS");
      const remedy = text`write the record at the name itself`;
      if (types.length > 0)
        return {
          certainty: "certain",
          because: text`the name itself has ${join([...new Set(types)].map(code), ", ")}, so the wildcard ${code(wild[0]?.name ?? "")} does not answer for it`,
          remedy,
        };
      if (hasBelow || blocks !== undefined)
        return {
          certainty: "certain",
          because: text`${code(blocks ?? evidence.name)} exists as part of a longer name, so the wildcard ${code(wild[0]?.name ?? "")} does not reach here`,
          remedy,
        };
    }
    return no;
  },
};
