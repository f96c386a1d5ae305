import type { Fault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { counted } from "../report/wording.ts";
import { text } from "../text.ts";

const neighboursOf = ({ facts }: Finding): readonly string[] =>
  Array.isArray(facts.neighbours)
    ? facts.neighbours.filter((each): each is string => typeof each === "string")
    : [];

/**
 * A node that could not be visited and that its neighbours do not reach either is one fault, not one for each of them:
 * findings that only name such neighbours become one about the silent node. Two witnesses make it a failure.
 */
export function blameTheSilent(
  findings: readonly Finding[],
  unreached: ReadonlyMap<string, Fault>,
): readonly Finding[] {
  const witnesses = new Map<string, Set<string>>();
  const rest = findings.filter((finding) => {
    const neighbours = neighboursOf(finding);
    if (neighbours.length === 0 || !neighbours.every((each) => unreached.has(each))) return true;
    for (const each of neighbours) {
      const seenBy = witnesses.get(each) ?? new Set();
      seenBy.add(finding.subject.name);
      witnesses.set(each, seenBy);
    }
    return false;
  });
  const silent = [...witnesses].map(([node, seenBy]): Finding => {
    const fault = unreached.get(node) as Fault;
    const said = `${counted(seenBy.size, "neighbour")} ${seenBy.size === 1 ? "does" : "do"} not reach it either`;
    return {
      code: "node-silent",
      severity: "error",
      subject: { kind: "node", name: node },
      facts: { fault: fault.kind, witnesses: [...seenBy].sort() },
      text: text`${fault.what}: ${fault.detail}; ${said}`,
    };
  });
  return [...silent, ...rest];
}
