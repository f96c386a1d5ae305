import { checks } from "../../checks/all.ts";
import { isFault } from "../../fault.ts";
import { type Finding, isFailure } from "../../finding.ts";
import { counted } from "../../report/wording.ts";
import { code, type Text, text } from "../../text.ts";
import type { Cause, Conclusion } from "../diagnosis.ts";
import type { Link } from "../link.ts";
import type { NewEvidence } from "./gather-new.ts";

/** Its own codes; beside them those of every check. */
const ownCodes = [
  "node-object-missing",
  "node-not-ready",
  "ssh-silent",
  "ssh-denied",
  "speaker-missing",
  "pods-missing",
  "pods-not-ready",
] as const;

export const newNodeCodes: readonly string[] = [
  ...ownCodes,
  ...new Set(checks.flatMap(({ codes }) => codes)),
];

function nextOf(node: string, finding: Finding): readonly [Text, ...Text[]] {
  const check = checks.find(({ codes }) => codes.includes(finding.code));
  const fix = check?.fix === undefined ? [] : [text`Fix: ${code(`/nodes fix ${node} ${check.id}`)}`];
  const explain = check === undefined ? [] : [text`Why and how: ${code(`/nodes explain ${check.id}`)}`];
  const [first, ...rest] = [...(finding.remedy === undefined ? [] : [finding.remedy]), ...fix, ...explain];
  return first === undefined ? [text`Look again: ${code(`/nodes check ${node}`)}`] : [first, ...rest];
}

/** Each failure is certain by itself: the first broken link comes first, and none explains another. Pure. */
export function concludeNew({ node, election }: NewEvidence, links: readonly Link[]): Conclusion {
  const causes = links.flatMap((link) =>
    link.outcome === "failed"
      ? link.findings.filter(isFailure).map(
          (finding): Cause => ({
            code: finding.code,
            text: finding.text,
            link: link.id,
            next: nextOf(node, finding),
          }),
        )
      : [],
  );
  const distinct = causes.filter((each, i) => causes.findIndex(({ code: name }) => name === each.code) === i);
  const [first, ...also] = distinct;
  if (first !== undefined) return { kind: "cause", cause: first, also };
  const blind = links.find((link) => link.outcome === "unknown");
  if (blind?.outcome === "unknown")
    return {
      kind: "unknown",
      text: text`nothing wrong was seen of ${node}, and not everything: ${blind.fault.what}: ${blind.fault.detail}`,
    };
  const carried = isFault(election) ? 0 : election.carried.length;
  const total = isFault(election) ? 0 : election.addresses;
  return {
    kind: "healthy",
    text: text`${node} may take part: every link holds, and MetalLB gives it ${carried} of ${counted(total, "address", "addresses")}`,
  };
}
