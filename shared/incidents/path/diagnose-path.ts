import { shortName } from "../../arp/subject.ts";
import { diagnoses } from "../../explain/all.ts";
import type { Finding, Subject } from "../../finding.ts";
import type { Json } from "../../json.ts";
import { type Text, text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import type { Link } from "../link.ts";
import type { DiagnoseOptions, DiagnosePorts, NoSuch } from "../runbook.ts";
import { changesBeside } from "./changes-beside.ts";
import { reachedFrom } from "./clients.ts";
import { conclude, neededForHealth, neededForNames } from "./conclude.ts";
import type { PathEvidence } from "./evidence.ts";
import { gatherPath } from "./gather.ts";
import { judgeAddress, predictionOf } from "./judge-address.ts";
import { judgeName } from "./judge-name.ts";
import { judgePods } from "./judge-pods.ts";
import { judgeRoute, judgeTcp } from "./judge-reach.ts";
import { judgeWeb } from "./judge-web.ts";
import { judgeWire } from "./judge-wire.ts";
import { type Judged, pathLinks } from "./reason.ts";
import { relatedChanges } from "./related-changes.ts";
import { seenFrom } from "./seen.ts";

/** Every link of the path, judged. Pure. */
export function judgePath(evidence: PathEvidence): readonly Judged[] {
  const address = judgeAddress(evidence);
  return [
    ...judgeName(evidence),
    ...address,
    ...judgeWire(
      evidence,
      address.map(({ link }) => link),
    ),
    judgeRoute(evidence),
    judgeTcp(evidence),
    ...judgeWeb(evidence),
    ...judgePods(evidence),
  ];
}

/** Codes that a cause of an unreachable Service can have. */
export const pathCodes: readonly string[] = [
  ...diagnoses.filter(({ id }) => id !== "client-side").map(({ id }) => `dns-${id}`),
  "name-not-wanted",
  "resolver-silent",
  "resolver-differs",
  "resolver-cannot-ask",
  "resolver-overrides",
  "record-missing",
  "record-wrong-target",
  "service-missing",
  "address-not-allocated",
  "controller-silent",
  "no-pool-gives-one",
  "address-of-no-service",
  "address-in-no-pool",
  "metallb-configuration-invalid",
  "no-l2-advertisement",
  "only-bgp",
  "service-not-selected",
  "announcer-no-node",
  "announcer-invalid-configuration",
  "announcer-invalid-address",
  "announcer-not-load-balancer-class",
  "announcer-no-pool",
  "announcer-no-servable-endpoint",
  "announcer-pool-not-advertised",
  "announcer-no-advertisement-selects-service",
  "announcer-shared-ip-with-service-selector",
  "announcer-memberlist-off",
  "announcer-not-a-speaker",
  "announcer-network-unavailable",
  "announcer-cordoned",
  "announcer-exclude-label",
  "announcer-no-advertisement-selects-node",
  "announcer-no-local-endpoint",
  "announced-elsewhere",
  "announcer-lost",
  "leader-gone",
  "leader-no-usable-nic",
  "two-nics",
  "wrong-nic",
  "two-nodes",
  "two-macs",
  "foreign-mac",
  "proxy-arp",
  "moved-and-filtered",
  "vantage-not-on-segment",
  "wifi-filter",
  "broadcast-lost-at-leader",
  "speaker-does-not-answer",
  "arp-filtered",
  "vantage-no-route",
  "vantage-route-via-node",
  "vantage-route-via-gateway",
  "via-a-node",
  "router-silent",
  "router-way",
  "router-stale-arp",
  "router-no-way",
  "router-filters",
  "pod-refuses",
  "policy-rejects",
  "client-way-back",
  "rp-filter",
  "promiscuous-wireless",
  "ipvs-strict-arp",
  "ipvs-strict-arp-not-applied",
  "not-forwarded",
  "traffic-dropped",
  "not-tls",
  "tls-silent",
  "tls-handshake-failed",
  "certificate-expired",
  "certificate-not-yet-valid",
  "certificate-wrong-name",
  "http-server-error",
  "http-closed",
  "http-silent",
  "no-endpoints",
  "no-pods",
  "pods-not-scheduled",
  "no-ready-endpoint",
  "target-port",
  "endpoints-on-lost-node",
  "no-local-endpoint",
  ...pathLinks.flatMap((link) => [`${link}-unexplained`, `${link}-unseen`]),
  "look-again",
];

function subjectOf({ subject }: PathEvidence): Subject {
  if (subject.service !== undefined) return { kind: "service", name: subject.service };
  if (subject.ip !== undefined) return { kind: "address", name: subject.ip };
  return { kind: "name", name: subject.hostname ?? subject.word };
}

export function titleOf({ subject, surroundings }: PathEvidence): string {
  const service = subject.service === undefined ? [] : [shortName(subject.service, surroundings.objects)];
  return (
    [
      ...service,
      ...(subject.ip === undefined ? [] : [subject.ip]),
      ...(subject.hostname === undefined ? [] : [subject.hostname]),
    ].join(" · ") || subject.word
  );
}

/** What is said when all is well: who reached it, and through whom. */
function summaryOf(evidence: PathEvidence, links: readonly Link[]): Text {
  const { wire, clients } = evidence;
  const announcer =
    wire?.ok && wire.evidence.verdict.node !== undefined
      ? `${wire.evidence.verdict.node} ${wire.evidence.verdict.nic ?? ""}`.trim()
      : undefined;
  const prediction = predictionOf(evidence);
  const next = prediction?.order[1];
  const web = clients.flatMap(({ http }) =>
    http?.answer.ok && http.answer.evidence.kind === "answered" ? [http.answer.evidence.status] : [],
  );
  const named = links.some(({ id, outcome }) => id === "resolver" && outcome === "passed");
  return text`reached from ${reachedFrom(evidence).join(", ")}${web[0] === undefined ? "" : `, HTTP ${web[0]}`}${announcer === undefined ? "" : text`; ${announcer} announces it${prediction === undefined ? "" : next === undefined ? ", and nobody could take over" : ` (next: ${next})`}`}${named ? "; its name resolves on the site" : ""}`;
}

const notExplained = (link: Link): Finding => ({
  code: "link-not-explained",
  severity: "warning",
  subject: { kind: "config", name: link.id },
  facts: {},
  text: text`“${link.title}” fails too, and not for that reason: ${link.because}`,
});

function factsOf(evidence: PathEvidence): Diagnosis["facts"] {
  const { subject, wire, service } = evidence;
  const prediction = predictionOf(evidence);
  const verdict = wire?.ok ? wire.evidence.verdict : undefined;
  const clients: Json = evidence.clients.map(({ vantage, tcp, http, hops }) => ({
    vantage: vantage.name,
    place: vantage.place,
    tcp: Object.fromEntries(
      tcp.map(({ port, answer }) => [
        String(port),
        answer.ok ? answer.evidence : `could not look: ${answer.fault.detail}`,
      ]),
    ),
    http: http?.answer.ok
      ? http.answer.evidence.kind === "answered"
        ? http.answer.evidence.status
        : http.answer.evidence.kind
      : null,
    hops: hops?.ok ? [...hops.evidence.hops] : null,
  }));
  return {
    word: subject.word,
    service: subject.service ?? null,
    ip: subject.ip ?? null,
    hostname: subject.hostname ?? null,
    otherNames: [...subject.otherNames],
    pool: prediction?.pool ?? null,
    predicted: prediction === undefined ? null : [...prediction.order],
    wire: verdict?.code ?? null,
    announcer: verdict?.node ?? null,
    nic: verdict?.nic ?? null,
    macs: verdict?.answers.map(({ mac }) => mac) ?? [],
    ports: (service?.ports ?? []).map(({ port, protocol }) => `${port}/${protocol}`),
    nodesUnread: evidence.surroundings.table.unread.map(({ node }) => node),
    clients,
  };
}

/** Nodes that could not be read, as one remark: their MACs are unknown to everything above. */
function unreadNodes({ surroundings: { table } }: PathEvidence): readonly Finding[] {
  const [first] = table.unread;
  if (first === undefined) return [];
  return [
    {
      code: "nodes-not-read",
      severity: "unknown",
      subject: { kind: "cluster", name: `${table.unread.length} of ${table.nodes.length} nodes` },
      facts: { nodes: table.unread.map(({ node }) => node) },
      text: text`${table.unread.length} of ${table.nodes.length} nodes could not be read (${first.node}: ${first.fault.detail}${table.unread.length > 1 ? ", and others" : ""})`,
    },
  ];
}

/** The whole diagnosis: gather, judge, conclude, and what changed beside it. */
export async function diagnosePath(
  ports: DiagnosePorts,
  word: string,
  options: DiagnoseOptions,
): Promise<Diagnosis | NoSuch> {
  const startedAt = ports.clock.now();
  const evidence = await gatherPath(ports, word, options);
  if ("noSuch" in evidence) return evidence;
  const changed = await changesBeside(ports, evidence.lists, startedAt);
  const judged = judgePath(evidence);
  const links = judged.map(({ link }) => link);
  const needed = evidence.subject.kind === "name" ? [...neededForNames, ...neededForHealth] : neededForHealth;
  const { conclusion, unexplained } = conclude(judged, { summary: summaryOf(evidence, links), needed });
  const known = links.find(({ id }) => id === "address");
  // An address of a machine: nothing is broken that this could see, and nothing is proven.
  const concluded: Diagnosis["conclusion"] =
    evidence.subject.service === undefined && conclusion.kind === "unknown" && known?.outcome === "passed"
      ? { kind: "unknown", text: known.because }
      : conclusion;
  const remarks = links.flatMap((link) => (link.outcome === "passed" ? link.findings : []));
  return {
    runbook: "service-unreachable",
    subject: subjectOf(evidence),
    title: titleOf(evidence),
    links,
    conclusion: concluded,
    findings: [
      ...unexplained.map(notExplained),
      ...remarks,
      ...relatedChanges(evidence, conclusion, changed.changes),
      ...unreadNodes(evidence),
    ],
    seen: seenFrom(evidence),
    ...changed,
    startedAt,
    endedAt: ports.clock.now(),
    facts: factsOf(evidence),
  };
}
