import type { Finding } from "../finding.ts";
import { code, join, text } from "../text.ts";
import { type PredictOptions, predict, servableEndpoints } from "./announcer.ts";
import type { BgpStatus, EventSays, StatusSays } from "./observe.ts";
import { eventSays, statusSays } from "./observe.ts";
import type { Prediction } from "./prediction.ts";
import { predictionFindings } from "./prediction-findings.ts";
import type { MetalLbObjects } from "./resources.ts";
import { serviceKey } from "./resources.ts";
import { speakerSettings } from "./speakers.ts";
import { rulesOf } from "./versions.ts";

/** What happens to one address when its announcer dies. */
export type Fate =
  | Readonly<{ kind: "moves"; to: string }>
  /** Nobody else may announce it. */
  | Readonly<{ kind: "silent" }>
  /** It moves, but everything that serves it ran on the dead node: silence follows when Kubernetes notices. */
  | Readonly<{ kind: "moves-then-silent"; to: string }>
  /** Memberlist is off: nobody notices until the Node object goes. */
  | Readonly<{ kind: "stays" }>
  /** Memberlist is off, policy Local: moves once the node's endpoints are marked not ready. */
  | Readonly<{ kind: "moves-late"; to: string }>
  | Readonly<{ kind: "unknown"; because: string }>;

export type AddressImpact = Readonly<{
  ip: string;
  service: string;
  policy: "Cluster" | "Local";
  /** By the best source there is: a status object that can be believed, else the newest event, else the prediction. */
  announcer: string | undefined;
  by: "status" | "event" | "prediction";
  predicted: string | undefined;
  status: StatusSays;
  event: EventSays;
  /** Candidates in order of succession, as predicted. */
  order: readonly string[];
  fate: Fate;
}>;

export type Impact = Readonly<{
  prediction: Prediction;
  memberlist: "on" | "off";
  addresses: readonly AddressImpact[];
  /** Distinct addresses announced per node, every Node listed, most first. */
  load: readonly Readonly<{ node: string; addresses: readonly string[] }>[];
  findings: readonly Finding[];
}>;

function fateOf(
  address: Readonly<{
    announcer: string | undefined;
    order: readonly string[];
    policy: string;
    configError: string | undefined;
    hosts: ReadonlySet<string | undefined>;
  }>,
  memberlist: "on" | "off",
): Fate {
  const { announcer, order, policy, hosts } = address;
  if (address.configError !== undefined)
    return {
      kind: "unknown",
      because: "MetalLB rejects its configuration; speakers act on one we cannot see",
    };
  if (announcer === undefined) return { kind: "unknown", because: "nobody announces it now" };
  const next = order.find((node) => node !== announcer);
  if (memberlist === "off" && policy !== "Local") return { kind: "stays" };
  if (next === undefined) return { kind: "silent" };
  if (memberlist === "off") return { kind: "moves-late", to: next };
  if (hosts.size === 1 && hosts.has(announcer)) return { kind: "moves-then-silent", to: next };
  return { kind: "moves", to: next };
}

function disagreement(address: AddressImpact): Finding | undefined {
  const { predicted, status, event, ip, service } = address;
  const seen = [
    ...(status.nodes.length === 0
      ? []
      : [{ source: "status", nodes: status.nodes, because: status.because }]),
    ...(event.assigned ? [{ source: "event", nodes: event.nodes, because: event.because }] : []),
  ];
  const differing = seen.filter(({ source, nodes }) =>
    // Events of the same second name one newest node; which of them it is contradicts none.
    source === "event"
      ? !nodes.some((node) => node === predicted)
      : nodes.length !== 1 || nodes[0] !== predicted,
  );
  if (differing.length === 0) return undefined;
  return {
    code: "announcer-differs",
    severity: "warning",
    subject: { kind: "address", name: ip },
    facts: {
      service,
      predicted: predicted ?? null,
      status: status.nodes,
      event: event.assigned?.node ?? null,
      eventTime: event.assigned?.time ?? null,
    },
    text: text`${code(ip)} (${service}): prediction says ${code(predicted ?? "nobody")}, ${join(
      differing.map(
        ({ source, nodes, because }) =>
          text`${source} says ${nodes.join(" and ")}${because.length > 0 ? ` (may be stale: ${because.join("; ")})` : ""}`,
      ),
      ", ",
    )}`,
    remedy: text`Ask the wire: ${code(`/arping ${ip}`)}`,
  };
}

const nicFailure = ({ ip, service, event, announcer }: AddressImpact): Finding | undefined =>
  event.failed && event.failed.ip === ip && event.failed.node === announcer
    ? {
        code: "announce-failed",
        severity: "error",
        subject: { kind: "address", name: ip },
        facts: { service, node: event.failed.node, time: event.failed.time ?? null },
        text: text`${code(event.failed.node)} is elected for ${code(ip)} but has none of the interfaces its advertisement names (event ${event.failed.time ?? "without time"}): nothing answers there`,
        remedy: ["Name an interface that the node has, or leave it out with a nodeSelector."],
      }
    : undefined;

const fateFinding = ({ ip, service, announcer, fate }: AddressImpact): Finding | undefined => {
  const subject = { kind: "address" as const, name: ip };
  const facts = { service, announcer: announcer ?? null };
  if (fate.kind === "silent")
    return {
      code: "address-no-successor",
      severity: "error",
      subject,
      facts,
      text: text`${code(ip)} (${service}) has no successor: if ${code(announcer ?? "")} dies, nobody announces it`,
      remedy: ["Run the service on a second node, or let the advertisement select more nodes."],
    };
  if (fate.kind === "moves-then-silent")
    return {
      code: "address-endpoints-on-announcer",
      severity: "warning",
      subject,
      facts: { ...facts, next: fate.to },
      text: text`every endpoint of ${service} runs on ${code(announcer ?? "")}: ${code(ip)} moves to ${code(fate.to)}, answers without serving, and falls silent once Kubernetes marks the endpoints`,
      remedy: ["Spread the service's pods over nodes."],
    };
  return undefined;
};

function memberlistFinding(addresses: readonly AddressImpact[]): Finding | undefined {
  const stuck = addresses.filter(({ fate }) => fate.kind === "stays");
  if (stuck.length === 0) return undefined;
  return {
    code: "memberlist-off",
    severity: "error",
    subject: { kind: "config", name: "metallb" },
    facts: { addresses: stuck.map(({ ip }) => ip) },
    text: text`memberlist is off: when a node dies its addresses never move (${stuck.length} under policy Cluster) until the Node object is deleted, excluded or marked NetworkUnavailable`,
    remedy: [
      "Set METALLB_ML_BIND_ADDR and METALLB_ML_LABELS on the speakers (Helm: speaker.memberlist.enabled).",
    ],
  };
}

/**
 * That layer 2 announces nothing at all although there are addresses, and what BGP does instead: who is asked about a
 * node's death must not be told that nothing depends on it. `undefined` where a kind could not be read.
 */
export function nothingByLayer2(
  addresses: readonly AddressImpact[],
  bgp: Readonly<{
    advertisements: readonly string[] | undefined;
    peers: readonly string[] | undefined;
    statuses: readonly BgpStatus[] | undefined;
  }>,
): Finding | undefined {
  const ips = new Set(addresses.map(({ ip }) => ip));
  if (ips.size === 0 || addresses.some(({ announcer }) => announcer !== undefined)) return undefined;
  const nodes = [...new Set(bgp.statuses?.map(({ node }) => node))].sort();
  const told = (what: string, names: readonly string[] | undefined): string =>
    names === undefined
      ? `${what}: could not be listed`
      : `${what}: ${names.slice(0, 5).join(", ") || "none"}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
  const byBgp = (bgp.advertisements?.length ?? 0) > 0 || nodes.length > 0;
  return {
    code: "nothing-by-layer-2",
    severity: "error",
    subject: { kind: "config", name: "metallb" },
    facts: {
      addresses: ips.size,
      bgpAdvertisements: bgp.advertisements ?? null,
      bgpPeers: bgp.peers ?? null,
      bgpNodes: bgp.statuses === undefined ? null : nodes,
    },
    text: text`layer 2 announces none of ${ips.size} ${ips.size === 1 ? "address" : "addresses"}${
      byBgp ? ", BGP is what announces them" : ""
    } (${told("BGPAdvertisement", bgp.advertisements)}; ${told("ServiceBGPStatus names", bgp.statuses && nodes)}; ${told("peers", bgp.peers)}). What a node's death does is then the router's to decide, and is not judged here.`,
    remedy: byBgp
      ? ["Ask the router which BGP routes it has: a ServiceBGPStatus is intention, no proof of a session."]
      : text`See why: ${code("kubectl get l2advertisements,bgpadvertisements -A")}`,
  };
}

/** One node that holds more than half, and more than three, is where an outage would be largest. */
export const isConcentrated = (held: number, total: number): boolean => held > 3 && held * 2 > total;

const concentration = (node: string, held: number, total: number): Finding => ({
  code: "announcer-concentration",
  severity: "warning",
  subject: { kind: "node", name: node },
  facts: { held, total },
  text: text`${code(node)} announces ${held} of ${total} addresses`,
  remedy: ["The election is a hash: only advertisements with nodeSelectors spread addresses differently."],
});

/** Who announces what, and where each address goes when its announcer dies. */
export function impact(objects: MetalLbObjects, options: PredictOptions = {}): Impact {
  const prediction = predict(objects, options);
  const version = options.version ?? speakerSettings(objects).version;
  const memberlist = prediction.assumed.memberlist === "off" ? "off" : "on";
  const endpoints = servableEndpoints(objects, rulesOf(String(prediction.assumed.version)));
  const services = new Map(objects.services.map((service) => [serviceKey(service), service]));

  const addresses = prediction.addresses.map((address): AddressImpact => {
    const status = statusSays(objects, address.service, version);
    const event = eventSays(objects, address.service);
    const predicted = address.order[0];
    const [announcer, by] =
      status.node !== undefined && status.trust === "as reported"
        ? ([status.node, "status"] as const)
        : event.assigned && event.trust === "as reported"
          ? ([event.assigned.node, "event"] as const)
          : ([predicted, "prediction"] as const);
    const policy = services.get(address.service)?.externalTrafficPolicy === "Local" ? "Local" : "Cluster";
    const hosts = new Set((endpoints.get(address.service) ?? []).map(({ nodeName }) => nodeName));
    const { configError, order, ip, service } = address;
    return {
      ip,
      service,
      policy,
      announcer,
      by,
      predicted,
      status,
      event,
      order,
      fate: fateOf({ announcer, order, policy, configError, hosts }, memberlist),
    };
  });

  const held = new Map<string, Set<string>>(objects.nodes.map(({ name }) => [name, new Set()]));
  for (const { announcer, ip } of addresses) {
    if (announcer === undefined) continue;
    const ips = held.get(announcer) ?? new Set();
    held.set(announcer, ips.add(ip));
  }
  const total = new Set(addresses.map(({ ip }) => ip)).size;
  const load = [...held]
    .map(([node, ips]) => ({ node, addresses: [...ips] }))
    .sort((a, b) => b.addresses.length - a.addresses.length || (a.node < b.node ? -1 : 1));

  const perAddress = addresses.flatMap((address) =>
    [disagreement(address), nicFailure(address), fateFinding(address)].filter((f) => f !== undefined),
  );
  const stuck = memberlistFinding(addresses);
  return {
    prediction,
    memberlist,
    addresses,
    load,
    findings: [
      ...predictionFindings(prediction),
      ...(stuck ? [stuck] : []),
      ...perAddress,
      ...load
        .filter((entry) => isConcentrated(entry.addresses.length, total))
        .map((entry) => concentration(entry.node, entry.addresses.length, total)),
    ],
  };
}
