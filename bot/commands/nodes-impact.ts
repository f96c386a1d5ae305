import * as z from "zod";
import { wrapped } from "#shared/arp/verdict-reply.ts";
import { type Fault, isFault } from "#shared/fault.ts";
import { bySeverity, type Finding, isFailure } from "#shared/finding.ts";
import type { Json } from "#shared/json.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { type FromCluster, fromCluster } from "#shared/metallb/from-cluster.ts";
import {
  type AddressImpact,
  type Impact,
  impact as impactOf,
  nothingByLayer2,
} from "#shared/metallb/impact.ts";
import { type BgpStatus, bgpStatuses } from "#shared/metallb/observe.ts";
import { foldSiblings } from "#shared/metallb/prediction-findings.ts";
import { type SpeakerSettings, speakerSettings } from "#shared/metallb/speakers.ts";
import { newestVersion } from "#shared/metallb/versions.ts";
import { nearest } from "#shared/nearest.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

/** Without these nothing can be predicted. */
const essential = ["nodes", "services", "endpointslices", "ipaddresspools", "l2advertisements"] as const;
/** These make the answer better; a gap in them is told. */
const helpful = ["pods", "daemonsets", "servicel2statuses", "events"] as const;
/** These tell who announces where layer 2 does not. */
const byBgp = ["bgpadvertisements", "bgppeers", "servicebgpstatuses"] as const;

const unread = (kind: ResourceKind, fault: Fault, consequence: string): Finding => ({
  code: "kind-unread",
  severity: "unknown",
  subject: { kind: "config", name: kind },
  facts: { kind, fault: fault.kind, detail: fault.detail },
  text: text`could not list ${code(kind)} (${fault.kind}: ${fault.detail})${consequence === "" ? "" : `: ${consequence}`}`,
  ...(fault.kind === "denied" ? { remedy: text`grant list on ${code(kind)} (docs/rbac.md)` } : {}),
});

function gaps({ faults, problems }: FromCluster, speakers: SpeakerSettings): readonly Finding[] {
  const found: Finding[] = [];
  const pods = faults.get("pods");
  if (pods) found.push(unread("pods", pods, "a speaker is assumed on every node"));
  const daemonsets = faults.get("daemonsets");
  if (daemonsets && speakers.version === undefined)
    found.push(unread("daemonsets", daemonsets, `MetalLB ${newestVersion} with memberlist is assumed`));
  else if (speakers.version === undefined)
    found.push({
      code: "metallb-version-unknown",
      severity: "unknown",
      subject: { kind: "config", name: "metallb" },
      facts: { image: speakers.image ?? null },
      text: text`MetalLB's version is unknown (${
        speakers.image === undefined ? "no speaker DaemonSet found" : (speakers.versionDoubt ?? "")
      }): the rules of ${newestVersion} are assumed`,
    });
  const statuses = faults.get("servicel2statuses");
  // A server that does not know the kind runs a MetalLB from before it: there is nothing to look at.
  if (statuses && statuses.kind !== "not-configured")
    found.push(unread("servicel2statuses", statuses, "events and prediction only"));
  const events = faults.get("events");
  if (events) found.push(unread("events", events, "status and prediction only"));
  for (const problem of problems)
    found.push({
      code: "object-unread",
      severity: "unknown",
      subject: { kind: "config", name: "metallb" },
      facts: { problem },
      text: text`an object could not be read and is left out: ${problem}`,
    });
  return found;
}

function blind(cluster: string, faults: FromCluster["faults"]): Reply {
  const missing = essential.flatMap((kind) => {
    const fault = faults.get(kind);
    return fault ? [unread(kind, fault, "")] : [];
  });
  return {
    verdict: {
      word: "UNKNOWN",
      outcome: "unknown",
      text: ["what the nodes carry cannot be told, because the cluster could not be read"],
    },
    cluster,
    findings: missing,
    blocks: [],
    next: [text`Check the bot's rights and the API server: ${code("/arpeggio doctor")}`],
    actions: [],
  };
}

const fateText = ({ fate }: AddressImpact): string => {
  switch (fate.kind) {
    case "moves":
      return `moves to ${fate.to}`;
    case "moves-late":
      return `moves to ${fate.to} once its endpoints are marked not ready`;
    case "moves-then-silent":
      return `moves to ${fate.to}, then silent: its endpoints die too`;
    case "stays":
      return "stays on the dead node";
    case "silent":
      return "nobody: falls silent";
    case "unknown":
      return `unknown: ${fate.because}`;
  }
};

const sourceText = ({ by, predicted, announcer }: AddressImpact): string =>
  by === "prediction"
    ? "prediction"
    : predicted === announcer
      ? `${by}, as predicted`
      : `${by}; predicted ${predicted ?? "nobody"}`;

const addressTable = (title: string, addresses: readonly AddressImpact[], withNode: boolean): Block => ({
  kind: "table",
  title,
  columns: [
    { title: "address" },
    { title: "service" },
    ...(withNode ? [{ title: "announced by" }] : []),
    { title: "says who" },
    { title: "if it dies" },
  ],
  rows: addresses.map((address): Text[] => [
    [address.ip],
    [`${address.service}${address.policy === "Local" ? " (Local)" : ""}`],
    ...(withNode ? [[address.announcer ?? "nobody"]] : []),
    [sourceText(address)],
    [fateText(address)],
  ]),
});

/** Sources that do not say the same, or say nothing of a node that is elected: worth a look at each of them. */
const disagrees = ({ status, event, predicted, announcer }: AddressImpact): boolean =>
  announcer === undefined ||
  status.nodes.some((node) => node !== predicted) ||
  (event.nodes.length > 0 && !event.nodes.some((node) => node === predicted));

/** What is not simply "moves to the next": the rows that a person has to read. */
const remarkable = (address: AddressImpact): boolean => disagrees(address) || address.fate.kind !== "moves";

const shownRows = 5;
const shownTable = 12;

/** Notes of the prediction and what each source says of the addresses they differ about; the others are in `data`. */
function evidence({ prediction, addresses }: Impact): Block {
  const odd = addresses.filter(disagrees);
  const agree = addresses.length - odd.length;
  const lines = [
    `rules of MetalLB ${prediction.assumed.version} (${prediction.assumed.versionFrom}), speakers: ${prediction.assumed.speakersFrom}`,
    ...(Array.isArray(prediction.assumed.notes) ? (prediction.assumed.notes as readonly string[]) : []),
    ...odd
      .slice(0, shownRows)
      .flatMap(({ ip, service, status, event, order }) => [
        `${ip} ${service}`,
        `  status      ${status.nodes.join(", ") || "none"}${status.because.length > 0 ? ` (may be stale: ${status.because.join("; ")})` : ""}`,
        `  event       ${event.assigned ? `${event.nodes.join(" or ")} ${event.assigned.time ?? "without time"}` : "none"}${
          event.because.length > 0 ? ` (may be stale: ${event.because.join("; ")})` : ""
        }`,
        `  prediction  ${order.join(" > ") || "nobody"}`,
      ]),
    ...(odd.length > shownRows ? [`${odd.length - shownRows} more that differ are in --json`] : []),
    ...(agree > 0
      ? [`${count(agree, "address")} of which status, event and prediction say the same: in --json`]
      : []),
  ];
  return {
    kind: "evidence",
    title: odd.length > 0 ? "Status, event and prediction where they differ" : "Taken for this answer",
    lines: lines.flatMap((line) => wrapped(line, line.startsWith(" ") ? 14 : 4)),
  };
}

const data = (result: Impact, addresses: readonly AddressImpact[]): Json => ({
  assumed: result.prediction.assumed,
  memberlist: result.memberlist,
  addresses: addresses.map((address) => ({
    ip: address.ip,
    service: address.service,
    announcer: address.announcer ?? null,
    by: address.by,
    predicted: address.predicted ?? null,
    status: address.status.nodes,
    event: address.event.nodes,
    eventTime: address.event.assigned?.time ?? null,
    order: address.order,
    ifItDies: address.fate,
  })),
  load: result.load.map(({ node, addresses: ips }) => ({ node, addresses: ips })),
});

/** `total` addresses were judged: about none there is nothing that could be OK. */
const outcomeOf = (
  findings: readonly Finding[],
  total: number,
): Pick<Reply["verdict"], "word" | "outcome"> => {
  if (findings.some(isFailure)) {
    const bad = findings.some(({ severity }) => severity === "error" || severity === "critical");
    return { word: bad ? "FAIL" : "WARN", outcome: "failed" };
  }
  return findings.some(({ severity }) => severity === "unknown")
    ? { word: "UNKNOWN", outcome: "unknown" }
    : total === 0
      ? { word: "INFO", outcome: "info" }
      : { word: "OK", outcome: "ok" };
};

const count = (number: number, noun: string): string =>
  `${number} ${number === 1 ? noun : noun === "address" ? "addresses" : `${noun}s`}`;

function destinations(addresses: readonly AddressImpact[]): Text {
  const to = new Map<string, number>();
  let stay = 0;
  let silent = 0;
  let unknown = 0;
  for (const { fate } of addresses) {
    if (fate.kind === "stays") stay++;
    else if (fate.kind === "silent") silent++;
    else if (fate.kind === "unknown") unknown++;
    else to.set(fate.to, (to.get(fate.to) ?? 0) + 1);
  }
  const parts = [
    ...[...to].sort(([, a], [, b]) => b - a).map(([node, number]) => `${number} to ${node}`),
    ...(stay > 0 ? [`${stay} stay on the dead node`] : []),
    ...(silent > 0 ? [`${silent} fall silent`] : []),
    ...(unknown > 0 ? [`${unknown} cannot be told`] : []),
  ];
  return parts.length === 0 ? [] : text`If it dies: ${parts.join(", ")}.`;
}

/** How often a node is named by ServiceBGPStatus, in words that stand beside "none by layer 2". */
const bgpWords = (node: string, statuses: readonly BgpStatus[] | undefined): string => {
  const mine = statuses?.filter((status) => status.node === node) ?? [];
  if (mine.length === 0) return "";
  const peers = [...new Set(mine.flatMap((status) => status.peers))].sort();
  return ` By BGP it announces ${count(mine.length, "service")}${peers.length > 0 ? ` to ${peers.join(", ")}` : ""} (ServiceBGPStatus: intention, no proof of a session).`;
};

type Bgp = Readonly<{ nothing: Finding | undefined; statuses: readonly BgpStatus[] | undefined }>;

function oneNode(cluster: string, node: string, result: Impact, doubts: readonly Finding[], bgp: Bgp): Reply {
  const mine = result.addresses.filter(({ announcer }) => announcer === node);
  const ips = new Set(mine.map(({ ip }) => ip));
  const total = new Set(result.addresses.map(({ ip }) => ip)).size;
  const inherits = result.addresses.filter(
    ({ announcer, fate }) => announcer !== node && "to" in fate && fate.to === node,
  );
  const about = ({ subject, code: name }: Finding): boolean =>
    subject.kind === "address"
      ? ips.has(subject.name)
      : subject.kind === "node"
        ? subject.name === node
        : name !== "memberlist-off" || mine.some(({ fate }) => fate.kind === "stays");
  const findings = [...(bgp.nothing ? [bgp.nothing] : []), ...result.findings.filter(about), ...doubts].sort(
    bySeverity,
  );
  return {
    verdict: {
      ...outcomeOf(findings, total),
      text:
        total === 0
          ? ["no Service has a LoadBalancer address: no node announces any"]
          : text`${code(node)} announces ${mine.length === 0 ? "none" : ips.size} of ${count(total, "address")} by layer 2`,
    },
    cluster,
    why:
      mine.length === 0
        ? text`${total === 0 ? "" : bgp.nothing ? "Nobody announces any of them by layer 2." : "By layer 2 nothing moves if it dies."}${bgpWords(node, bgp.statuses)}${inherits.length > 0 ? ` It stands next in line for ${count(inherits.length, "address")}.` : ""}`
        : destinations(mine),
    findings: foldSiblings(findings),
    blocks: [
      ...(mine.length > 0 ? [addressTable(`Announced by ${node}`, mine, false)] : []),
      ...(inherits.length > 0 ? [addressTable(`Next in line: ${node}`, inherits, true)] : []),
      evidence({ ...result, addresses: mine }),
    ],
    next:
      mine.length === 0
        ? [text`See every node: ${code("/nodes impact")}`]
        : [text`Prove one on the wire before touching the node: ${code(`/arping ${mine[0]?.ip}`)}`],
    actions: [],
    data: { node, ...(data(result, mine) as Readonly<Record<string, Json>>) },
  };
}

function everyNode(cluster: string, result: Impact, doubts: readonly Finding[], bgp: Bgp): Reply {
  const findings = [
    ...(bgp.nothing
      ? // One cause, said once: that each address is silent follows from it.
        [bgp.nothing, ...result.findings.filter(({ code: name }) => name !== "address-not-announced")]
      : result.findings),
    ...doubts,
  ].sort(bySeverity);
  const total = new Set(result.addresses.map(({ ip }) => ip)).size;
  const silent = new Set(
    result.addresses.filter(({ announcer }) => announcer === undefined).map(({ ip }) => ip),
  );
  const odd = bgp.nothing ? [] : result.addresses.filter(remarkable);
  const busy = result.load.filter(({ addresses }) => addresses.length > 0);
  const fates = (node: string): string => {
    const mine = result.addresses.filter(({ announcer }) => announcer === node);
    const words = destinations(mine);
    return words.join("").replace("If it dies: ", "").replace(/\.$/, "");
  };
  return {
    verdict: {
      ...outcomeOf(findings, total),
      text: text`${count(total, "address")} by layer 2 on ${busy.length} of ${count(result.load.length, "node")}${
        silent.size > 0 ? `, ${silent.size} announced by nobody` : ""
      }`,
    },
    cluster,
    findings: foldSiblings(findings),
    blocks: [
      ...(busy.length > 0
        ? [
            {
              kind: "table" as const,
              columns: [
                { title: "node" },
                { title: "announces", align: "right" as const },
                { title: "if it dies" },
              ],
              rows: busy.map(({ node, addresses }) => [
                [node],
                [`${addresses.length} of ${total}`],
                [fates(node)],
              ]),
            },
          ]
        : []),
      ...(odd.length > 0
        ? [
            addressTable(
              `Addresses that do not simply move${odd.length > shownTable ? ` (${shownTable} of ${odd.length}; all in --json)` : ""}`,
              odd.slice(0, shownTable),
              true,
            ),
          ]
        : []),
      evidence(bgp.nothing ? { ...result, addresses: [] } : result),
    ],
    next: busy[0] ? [text`One node in detail: ${code(`/nodes impact ${busy[0].node}`)}`] : [],
    actions: [],
    data: data(result, result.addresses),
  };
}

/** `/nodes impact [NODE]`: what each node announces and where it goes when the node dies. Reads the API only. */
export const impact = defineVerb({
  path: ["impact"],
  usage: "[NODE]",
  summary: "What a node announces, and where each address goes if it dies.",
  examples: ["bettley", ""],
  positionals: ["node"],
  options: [],
  input: z.object({ node: z.string().optional() }),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ input, cluster, signal }) => {
    if (!cluster) throw new Error("nodes impact needs a cluster");
    const { name } = cluster.config;
    const listed = await cluster.read([...essential, ...helpful, ...byBgp], signal);
    const read = fromCluster(listed);
    if (essential.some((kind) => read.faults.has(kind))) return blind(name, read.faults);

    const known = read.objects.nodes.map((node) => node.name);
    if (known.length === 0) {
      const detail = "the API server listed none, which no running cluster does";
      return blind(name, new Map([["nodes", { kind: "unreadable", what: "list of nodes", detail }]]));
    }
    if (input.node !== undefined && !known.includes(input.node)) {
      const near = nearest(input.node, known);
      return {
        verdict: {
          word: "Usage",
          outcome: "usage",
          text: text`No node ${code(input.node)} on ${name}.${near === undefined ? "" : text` Nearest: ${code(near)}.`}`,
        },
        cluster: name,
        findings: [],
        blocks: [],
        next: [
          text`Nodes: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ` and ${known.length - 20} more` : ""}`,
        ],
        actions: [],
        data: { known },
      };
    }
    const doubts = gaps(read, speakerSettings(read.objects));
    const result = impactOf(read.objects);
    const statuses = isFault(listed.servicebgpstatuses) ? undefined : bgpStatuses(listed.servicebgpstatuses);
    const unlessUnread = <T>(kind: ResourceKind, value: T): T | undefined =>
      read.faults.has(kind) ? undefined : value;
    const bgp: Bgp = {
      statuses,
      nothing: nothingByLayer2(result.addresses, {
        statuses,
        advertisements: unlessUnread(
          "bgpadvertisements",
          read.objects.bgpAdvertisements.map((advertisement) => advertisement.name),
        ),
        peers: unlessUnread(
          "bgppeers",
          read.objects.bgpPeers.map((peer) => peer.peerAddress ?? peer.name),
        ),
      }),
    };
    return input.node === undefined
      ? everyNode(name, result, doubts, bgp)
      : oneNode(name, input.node, result, doubts, bgp);
  },
});
