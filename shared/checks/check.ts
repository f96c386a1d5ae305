import type { CheckResult } from "../check-result.ts";
import type { Fault } from "../fault.ts";
import type { Finding, NonEmpty, Severity, Subject } from "../finding.ts";
import type { Json } from "../json.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { Text } from "../text.ts";
import type { Around, NodeEvidence } from "./evidence.ts";
import type { Fix } from "./fix.ts";
import type { NodeProbeId } from "./node-probes.ts";

type WithoutSubject<R> = R extends unknown ? Omit<R, "check" | "subject"> : never;

/** What a judge says; the runner adds check and subject. */
export type Judgement = WithoutSubject<CheckResult>;

export const passed: Judgement = { outcome: "passed" };

/** The question does not arise here, and why: "one interface only". */
export const skipped = (because: string): Judgement => ({ outcome: "skipped", because });

export const unknown = (fault: Fault): Judgement => ({ outcome: "unknown", fault });

/** Failed with these findings, passed with none. Only for evidence that was really looked at. */
export const judged = (findings: readonly Finding[]): Judgement => {
  const [first, ...rest] = findings;
  return first === undefined ? passed : { outcome: "failed", findings: [first, ...rest] };
};

/** The words of a check: `/nodes explain` prints them and `docs/checks/ID.md` is made of them. Plain Markdown prose. */
export type CheckPage = Readonly<{
  /** What goes wrong when it fails, and who says so. */
  why: string;
  /** How it shows itself to people before they know the cause. */
  looks: string;
  /** What to do, with the way back. */
  fix: string;
}>;

type CheckHead<P extends NodeProbeId, K extends ResourceKind> = Readonly<{
  /** Stable, kebab-case. */
  id: string;
  /** A claim that holds when the check passes, under eighty columns: "One interface in the LAN segment". */
  title: string;
  /** Every code its findings can have; stable, never reused. */
  codes: NonEmpty<string>;
  page: CheckPage;
  /** What several nodes that fail have in common, after "2 nodes ": "have Wi-Fi on beside the cable". */
  common?: string;
  /** The exact change for one node, where a command can be given at all; `/nodes fix` prints it. */
  fix?: Fix;
  /** Probes of the node (or of all nodes) without which nothing can be judged. */
  needs: readonly P[];
  /** Kinds of the cluster without which nothing can be judged. A kind that the server does not know skips the check. */
  reads: readonly K[];
  /** Looks at the newest lines of every speaker's log; `reads` must then name pods and daemonsets. */
  logs?: "speakers";
  /** Looks at the routes of vantages in the segment as well. */
  vantages?: "routes";
}>;

/** A question about one node. Pure: sees that node, the site and the objects, all of them answered. */
export type NodeCheck<P extends NodeProbeId = never, K extends ResourceKind = never> = CheckHead<P, K> &
  Readonly<{ about: "node"; judge: (node: NodeEvidence<P>, around: Around<K>) => Judgement }>;

/**
 * A question about the cluster as a whole or about nodes beside each other. Sees every node whose probes were answered;
 * with others `unread`, a pass of the judge becomes unknown in the runner, while findings stand.
 */
export type ClusterCheck<P extends NodeProbeId = never, K extends ResourceKind = never> = CheckHead<P, K> &
  Readonly<{
    about: "cluster";
    judge: (
      nodes: readonly NodeEvidence<P>[],
      around: Around<K> & Readonly<{ unread: readonly Readonly<{ node: string; fault: Fault }>[] }>,
    ) => Judgement;
  }>;

/** A check in a list, its needs forgotten by the compiler but not by the runner. */
export type Check =
  | (Omit<NodeCheck<NodeProbeId, ResourceKind>, "judge"> &
      Readonly<{ judge: (node: NodeEvidence<NodeProbeId>, around: Around<ResourceKind>) => Judgement }>)
  | ClusterCheck<NodeProbeId, ResourceKind>;

/** Checks the types of `needs`, `reads` and `judge` against each other, and forgets them for the list. */
export function defineCheck<const P extends NodeProbeId, const K extends ResourceKind>(
  check: NodeCheck<P, K> | ClusterCheck<P, K>,
): Check {
  return check as unknown as Check;
}

/** A finding about a node or one of its interfaces; `nic` makes the subject `node/nic`. */
export function found(
  finding: Readonly<{
    code: string;
    severity: Severity;
    node: string;
    nic?: string;
    facts: Readonly<Record<string, Json>>;
    text: Text;
    remedy?: Text;
  }>,
): Finding {
  const { node, nic, ...rest } = finding;
  const subject: Subject =
    nic === undefined ? { kind: "node", name: node } : { kind: "nic", name: `${node}/${nic}` };
  return { ...rest, subject };
}
