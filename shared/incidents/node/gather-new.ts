import type { CheckResult } from "../../check-result.ts";
import { checks } from "../../checks/all.ts";
import type { Gathered } from "../../checks/evidence.ts";
import { nodeSource, usualLimits, visitNodes } from "../../checks/gather.ts";
import { judgeAll, needsOf } from "../../checks/run.ts";
import type { Fault } from "../../fault.ts";
import type { Finding } from "../../finding.ts";
import type { ResourceKind } from "../../kubernetes/kinds.ts";
import { predict } from "../../metallb/announcer.ts";
import { fromCluster } from "../../metallb/from-cluster.ts";
import type { MetalLbObjects } from "../../metallb/resources.ts";
import { changeKinds } from "../recent-changes.ts";
import type { DiagnoseOptions, DiagnosePorts } from "../runbook.ts";
import { type Carried, type Election, electionWith } from "./carried.ts";
import { nodeStateIn } from "./gather-lost.ts";
import type { NodeState } from "./node-state.ts";

export type NewEvidence = Readonly<{
  node: string;
  lists: Gathered["lists"];
  state: NodeState | "absent" | Fault;
  objects: MetalLbObjects;
  gathered: Gathered;
  /** What every check that looks at nodes says of this one. */
  results: readonly CheckResult[];
  /** Findings of neighbours that do not get through to it. */
  fromNeighbours: readonly Finding[];
  election: Election | Fault;
  /** Who has each address by prediction now, while the node may not be up yet. */
  holder: (carried: Carried) => string | undefined;
}>;

/** With more nodes than this only the one is visited: comparisons with the others are then left out. */
export const mostVisited = 60;

export const newKinds: readonly ResourceKind[] = [
  ...new Set<ResourceKind>([...changeKinds, ...needsOf(checks).kinds, "endpointslices", "pods"]),
];

/** Somebody waits for this one; a node that takes longer is not fit either. */
const perNodeMs = 8_000;

const needed = ["nodes", "services", "endpointslices", "ipaddresspools", "l2advertisements"] as const;

const names = (finding: Finding): readonly string[] =>
  [finding.facts.neighbours, finding.facts.nodes].flatMap((listed) =>
    Array.isArray(listed) ? listed.filter((each): each is string => typeof each === "string") : [],
  );

const isAbout = (node: string, { subject }: Finding): boolean =>
  subject.name === node || (subject.kind === "nic" && subject.name.startsWith(`${node}/`));

/** Results of the checks as far as they are about one node; of checks over all of them only what names it. */
function ofNode(results: readonly CheckResult[], node: string): readonly CheckResult[] {
  return results.flatMap((result): CheckResult[] => {
    if (result.subject.kind === "node") return result.subject.name === node ? [result] : [];
    if (result.outcome !== "failed") return [];
    const [first, ...rest] = result.findings.filter(
      (finding) => isAbout(node, finding) || names(finding).includes(node),
    );
    return first === undefined ? [] : [{ ...result, findings: [first, ...rest] }];
  });
}

/** Visits the node, and others beside it where they are few; runs every check; asks the election. Throws only bugs. */
export async function gatherNew(
  ports: DiagnosePorts,
  node: string,
  lists: Gathered["lists"],
  { signal, show }: DiagnoseOptions,
): Promise<NewEvidence> {
  const source = nodeSource(lists.nodes, ports.config);
  const all = [...new Set([...source.names, node])].sort();
  const alone = all.length > mostVisited;
  const running = alone
    ? checks.filter(({ about, needs }) => about === "node" || needs.length === 0)
    : checks;
  const gathered = await visitNodes({ ...ports, signal }, lists, source, {
    checks: running,
    only: alone ? [node] : all,
    limits: { ...usualLimits, perNodeMs },
    onProgress: (done, total) => show([`${done} of ${total} ${total === 1 ? "node" : "nodes"} visited`]),
  });
  const results = judgeAll(running, gathered);
  const { objects, faults } = fromCluster(lists);
  const missing = needed.find((kind) => faults.has(kind));
  const fault = missing && faults.get(missing);
  const now = fault === undefined ? predict(objects).addresses : [];
  return {
    node,
    lists,
    state: nodeStateIn(lists.nodes, node),
    objects,
    gathered,
    results: ofNode(results, node),
    fromNeighbours: results.flatMap((result) =>
      result.outcome === "failed" && result.subject.kind === "node" && result.subject.name !== node
        ? result.findings.filter((finding) => names(finding).includes(node))
        : [],
    ),
    election: fault ?? electionWith(objects, node, "as it is"),
    holder: ({ ip, service }) => now.find((each) => each.ip === ip && each.service === service)?.order[0],
  };
}

/** Why the node could not be visited; undefined when it was. */
export const unreachedBy = ({ gathered, node }: NewEvidence): Fault | undefined =>
  gathered.nodes.find((each) => each.node === node)?.unreached;
