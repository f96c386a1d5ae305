import type { Change } from "../../changes/change.ts";
import { utcTime } from "../../changes/utc-time.ts";
import type { Finding } from "../../finding.ts";
import { text } from "../../text.ts";
import type { Cause, Conclusion } from "../diagnosis.ts";
import type { PathEvidence } from "./evidence.ts";
import { predictionOf } from "./judge-address.ts";

/** Kinds of objects whose change can bear on a link. */
const bearing: Readonly<Record<string, readonly string[]>> = {
  name: ["Service", "Deployment"],
  record: ["Service", "Deployment"],
  owner: ["Deployment"],
  address: ["Service", "IPAddressPool"],
  pool: ["IPAddressPool"],
  advertisement: [
    "L2Advertisement",
    "BGPAdvertisement",
    "IPAddressPool",
    "BGPPeer",
    "BFDProfile",
    "Community",
  ],
  "announcer-predicted": ["Node", "L2Advertisement", "Pod", "DaemonSet", "Service"],
  announcer: ["Node", "Pod", "DaemonSet", "Service", "ServiceL2Status"],
  nic: ["Node", "L2Advertisement"],
  arp: ["Node", "Service", "L2Advertisement", "Pod", "DaemonSet"],
  route: ["Service", "L2Advertisement"],
  tcp: ["Service", "Node", "Pod", "ConfigMap"],
  tls: ["Service"],
  http: ["Service", "Deployment"],
  endpoints: ["Service", "Deployment", "Pod", "Node"],
  "pods-nodes": ["Node", "Service"],
  "same-announcer": ["Node", "Pod", "DaemonSet", "L2Advertisement", "Service"],
  speakers: ["Node", "Pod", "DaemonSet", "ConfigMap"],
};

/** Links that hang on who announces. */
const onWire: readonly string[] = ["announcer", "nic", "arp", "route", "tcp"];

const gitOps: readonly string[] = ["Application", "Kustomization", "HelmRelease"];
const causesOf = (conclusion: Conclusion): readonly Cause[] =>
  conclusion.kind === "cause"
    ? [conclusion.cause, ...conclusion.also]
    : conclusion.kind === "candidates"
      ? conclusion.causes
      : [];

/** Our own reading of a change: same objects, or the nodes that this address hangs on. Never that it was the cause. */
export function relatedChanges(
  evidence: PathEvidence,
  conclusion: Conclusion,
  changes: readonly Change[] | undefined,
): readonly Finding[] {
  const links = [...new Set(causesOf(conclusion).map(({ link }) => link))];
  if (links.length === 0 || changes === undefined) return [];
  const { subject } = evidence;
  const prediction = predictionOf(evidence);
  const nodes = new Set([
    ...(prediction?.order.slice(0, 2) ?? []),
    ...(evidence.wire?.ok && evidence.wire.evidence.verdict.node !== undefined
      ? [evidence.wire.evidence.verdict.node]
      : []),
  ]);
  const isMove = ({ source, subject: { kind } }: Change): boolean =>
    kind === "Service" &&
    source !== "managedFields" &&
    source !== "creationTimestamp" &&
    source !== "deletionTimestamp";
  const movable = links.some((link) => onWire.includes(link));
  const isOurs = ({ subject: { kind, name } }: Change): boolean => {
    if (kind === "Service") return name === subject.service;
    if (kind === "IPAddressPool")
      return prediction?.pool === undefined || name.endsWith(`/${prediction.pool}`);
    if (kind === "Node") return links.includes("announcer-predicted") || nodes.has(name);
    return true;
  };
  const isBearing = (change: Change): boolean => !isMove(change) || movable;
  const found = changes.filter(
    (change) =>
      (links.some((link) => bearing[link]?.includes(change.subject.kind)) &&
        isOurs(change) &&
        isBearing(change)) ||
      (gitOps.includes(change.subject.kind) && links.some((link) => link !== "route" && link !== "resolver")),
  );
  return found.slice(0, 3).map(({ at, subject: { kind, name }, what, by }) => ({
    code: "changed-before",
    severity: "info",
    subject: { kind: "config", name: `${kind} ${name}` },
    facts: { at: new Date(at).toISOString(), by: by ?? null },
    text: text`${utcTime(at, evidence.now)}: ${what}${by === undefined ? "" : `, by ${by}`}. It came before and bears on this; that it is the cause is not shown`,
  }));
}
