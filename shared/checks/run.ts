import type { CheckResult } from "../check-result.ts";
import type { Fault } from "../fault.ts";
import { isFault } from "../fault.ts";
import type { Subject } from "../finding.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { type FromCluster, fromCluster } from "../metallb/from-cluster.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import type { Check, Judgement } from "./check.ts";
import type { Around, Gathered, NodeAnswers, NodeEvidence } from "./evidence.ts";
import type { NodeProbeId } from "./node-probes.ts";

/** Probes and kinds that a list of checks needs, each once. */
export const needsOf = (
  checks: readonly Check[],
): Readonly<{ probes: readonly NodeProbeId[]; kinds: readonly ResourceKind[] }> => ({
  probes: [...new Set(checks.flatMap(({ needs }) => needs))],
  kinds: [...new Set(checks.flatMap(({ reads }) => reads))],
});

const notAsked = (what: string): Fault => ({ kind: "not-configured", what, detail: "it was not asked for" });

/** The evidence of one node for one check, or the first fault that stands in the way. */
function evidenceOf(check: Check, answers: NodeAnswers): NodeEvidence<NodeProbeId> | Fault {
  const { node, unreached } = answers;
  const evidence: Record<string, unknown> = { node, ...(unreached === undefined ? {} : { unreached }) };
  for (const probe of check.needs) {
    if (unreached !== undefined) return unreached;
    const answer = answers.probes[probe] ?? { ok: false, fault: notAsked(`${probe} on ${node}`) };
    if (!answer.ok) return answer.fault;
    evidence[probe] = answer.evidence;
  }
  return evidence as NodeEvidence<NodeProbeId>;
}

type Obstacle = Readonly<{ judgement: Judgement }>;

type ReadKind = (kind: ResourceKind) => FromCluster;

/** Parses each kind when the first check wants it, once for all of them. */
function readKinds(lists: Gathered["lists"]): ReadKind {
  const read = new Map<ResourceKind, FromCluster>();
  return (kind) => {
    const known = read.get(kind) ?? fromCluster({ [kind]: lists[kind] ?? notAsked(`list of ${kind}`) });
    read.set(kind, known);
    return known;
  };
}

const noObjects = fromCluster({}).objects;

/** The objects of the kinds a check reads, or what the check comes to without them. */
function aroundFor(check: Check, gathered: Gathered, read: ReadKind): Around<ResourceKind> | Obstacle {
  const raw: Partial<Record<ResourceKind, readonly KubeObject[]>> = {};
  const problems: string[] = [];
  let objects: MetalLbObjects = noObjects;
  let strange: ResourceKind | undefined;
  for (const kind of check.reads) {
    const { objects: some, problems: unreadable, faults } = read(kind);
    const fault = faults.get(kind);
    if (fault?.kind === "not-configured" && kind in gathered.lists) strange ??= kind;
    else if (fault) return { judgement: { outcome: "unknown", fault } };
    raw[kind] = gathered.lists[kind] as readonly KubeObject[];
    problems.push(...unreadable);
    const filled = Object.entries(some).filter(([, list]) => list.length > 0);
    objects = { ...objects, ...(Object.fromEntries(filled) as Partial<MetalLbObjects>) };
  }
  if (strange !== undefined)
    return { judgement: { outcome: "skipped", because: `the cluster does not know ${strange}` } };
  const [problem] = problems;
  if (problem !== undefined) {
    const detail = problems.length === 1 ? problem : `${problem}, and ${problems.length - 1} more`;
    const what = `objects that ${check.id} reads`;
    return { judgement: { outcome: "unknown", fault: { kind: "unreadable", what, detail } } };
  }
  return {
    cluster: gathered.cluster,
    site: gathered.site,
    objects,
    raw: raw as Readonly<Record<ResourceKind, readonly KubeObject[]>>,
    speakerLogs: (check.logs === undefined ? undefined : gathered.speakerLogs) ?? new Map(),
    vantageRoutes: (check.vantages === undefined ? undefined : gathered.vantageRoutes) ?? [],
  };
}

const result = (check: Check, subject: Subject, judgement: Judgement): CheckResult =>
  ({ check: check.id, subject, ...judgement }) as CheckResult;

function judgeNodes(
  check: Extract<Check, { about: "node" }>,
  gathered: Gathered,
  read: ReadKind,
): readonly CheckResult[] {
  const around = aroundFor(check, gathered, read);
  return gathered.nodes.map((answers) => {
    const subject: Subject = { kind: "node", name: answers.node };
    if ("judgement" in around) return result(check, subject, around.judgement);
    const evidence = evidenceOf(check, answers);
    if (isFault(evidence)) return result(check, subject, { outcome: "unknown", fault: evidence });
    return result(check, subject, check.judge(evidence, around));
  });
}

function judgeCluster(
  check: Extract<Check, { about: "cluster" }>,
  gathered: Gathered,
  read: ReadKind,
): CheckResult {
  const subject: Subject = { kind: "cluster", name: gathered.cluster };
  const around = aroundFor(check, gathered, read);
  if ("judgement" in around) return result(check, subject, around.judgement);
  const nodes: NodeEvidence<NodeProbeId>[] = [];
  const unread: { node: string; fault: Fault }[] = [];
  for (const answers of gathered.nodes) {
    const evidence = evidenceOf(check, answers);
    if (isFault(evidence)) unread.push({ node: answers.node, fault: evidence });
    else nodes.push(evidence);
  }
  const judgement = check.judge(nodes, { ...around, unread });
  const [first, ...others] = unread;
  if (first === undefined || judgement.outcome !== "passed") return result(check, subject, judgement);
  const detail = `${first.node}: ${first.fault.what}: ${first.fault.detail}`;
  return result(check, subject, {
    outcome: "unknown",
    fault: {
      kind: first.fault.kind,
      what: `${check.needs.join(", ")} of ${unread.length} of ${gathered.nodes.length} nodes`,
      detail: others.length === 0 ? detail : `${detail}; and ${others.map(({ node }) => node).join(", ")}`,
    },
  });
}

/** Judges everything that was gathered: one result a node for node checks, one for each cluster check. Pure. */
export function judgeAll(checks: readonly Check[], gathered: Gathered): readonly CheckResult[] {
  const read = readKinds(gathered.lists);
  return checks.flatMap((check) =>
    check.about === "node" ? judgeNodes(check, gathered, read) : [judgeCluster(check, gathered, read)],
  );
}
