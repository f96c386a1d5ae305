import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { predict } from "../metallb/announcer.ts";
import { poolOf, readPools, selectsPool } from "../metallb/configuration.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import { parseMetalLbObjects, serviceKey } from "../metallb/resources.ts";
import { anyMatches } from "../metallb/selectors.ts";
import { atLeast, rulesOf } from "../metallb/versions.ts";
import type { MetalLbSpec } from "./site-spec.ts";

/** The kinds a speaker watches. */
export const watchedKinds = [
  "nodes",
  "services",
  "endpointslices",
  "daemonsets",
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
] as const satisfies readonly ResourceKind[];

/** The kinds that make up one configuration: valid as a whole or not at all. */
export const configKinds: readonly ResourceKind[] = [
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
];

export type Snapshot = Readonly<Record<string, readonly KubeObject[]>>;

export type Layer2Announcement = Readonly<{
  ips: readonly string[];
  interfaces: readonly string[] | "all";
}>;

export type Desired = Readonly<{
  /** By node, then by service. */
  layer2: ReadonlyMap<string, ReadonlyMap<string, Layer2Announcement>>;
  /** By node: services it tells its BGP peers about, with those peers' names. */
  bgp: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  configError: string | undefined;
}>;

const frrOnlyPeerFields = [
  "bfdProfile",
  "keepaliveTime",
  "connectTime",
  "vrf",
  "enableGracefulRestart",
  "disableMP",
  "dualStackAddressFamily",
  "dynamicASN",
  "interface",
  "localASN",
];

const specOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  typeof object.spec === "object" && object.spec !== null
    ? (object.spec as Readonly<Record<string, unknown>>)
    : {};

/** Native speakers refuse a configuration that only FRR can carry out (internal/config/validation.go, DiscardFRROnly). */
export function nativeModeFault(snapshot: Snapshot): string | undefined {
  const containers = (snapshot.daemonsets ?? []).flatMap((daemonSet) => {
    const template = specOf(daemonSet).template as {
      spec?: { containers?: { name?: string; env?: unknown }[] };
    };
    return template?.spec?.containers ?? [];
  });
  const environment = JSON.stringify(containers.find(({ name }) => name === "speaker")?.env ?? []);
  if (!environment.includes('"METALLB_BGP_TYPE","value":"native"')) return undefined;
  const profile = snapshot.bfdprofiles?.[0];
  if (profile !== undefined) return `bfd profile ${profile.metadata.name} is not supported in native mode`;
  for (const peer of snapshot.bgppeers ?? []) {
    const field = frrOnlyPeerFields.find((name) => specOf(peer)[name]);
    if (field !== undefined) return `peer ${peer.metadata.name} has ${field} set on native bgp mode`;
  }
  return undefined;
}

const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

function bgpServices(
  objects: MetalLbObjects,
  members: ReadonlySet<string>,
  { version, ignoreExcludeLabel }: MetalLbSpec,
): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const rules = rulesOf(version);
  const byNode = new Map<string, Map<string, readonly string[]>>();
  const pools = readPools(objects.ipAddressPools);
  if ("error" in pools || objects.bgpAdvertisements.length === 0) return byNode;
  const known = objects.ipAddressPools.map(({ name, labels }) => ({
    name,
    labels,
    cidrs: pools.cidrs.get(name) ?? [],
    l2: [],
  }));
  for (const service of objects.services) {
    if (service.type !== "LoadBalancer") continue;
    const ips = service.ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
    const found = ips.length === 0 ? undefined : poolOf(known, ips);
    const pool = known.find(({ name }) => name === found?.name);
    if (pool === undefined) continue;
    const endpoints = objects.endpointSlices
      .filter((slice) => slice.service === service.name && slice.namespace === service.namespace)
      .flatMap((slice) => slice.endpoints)
      .filter(({ ready, serving }) => (ready ?? true) || serving === true);
    if (endpoints.length === 0) continue;
    for (const node of objects.nodes) {
      // speaker/bgp_controller.go, ShouldAnnounce: the same two reasons of the node as for layer 2.
      const isUnavailable = node.conditions.some(
        ({ type, status }) => type === "NetworkUnavailable" && status === "True",
      );
      if (rules.networkUnavailable && isUnavailable) continue;
      if (rules.excludeLabel && !ignoreExcludeLabel && Object.hasOwn(node.labels, excludeLabel)) continue;
      const local = endpoints.some(({ nodeName }) => nodeName === node.name);
      if (!members.has(node.name) || (service.externalTrafficPolicy === "Local" && !local)) continue;
      const ads = objects.bgpAdvertisements.filter(
        (ad) =>
          selectsPool(ad, pool) &&
          (!rules.serviceSelectors ||
            ad.serviceSelectors.length === 0 ||
            anyMatches(ad.serviceSelectors, service.labels)) &&
          (ad.nodeSelectors.length === 0 || anyMatches(ad.nodeSelectors, node.labels)),
      );
      if (ads.length === 0) continue;
      const peers = objects.bgpPeers
        .filter((peer) => peer.nodeSelectors.length === 0 || anyMatches(peer.nodeSelectors, node.labels))
        .map(({ name }) => name)
        .filter((name) => ads.some((ad) => ad.peers.length === 0 || ad.peers.includes(name)));
      const mine = byNode.get(node.name) ?? new Map<string, readonly string[]>();
      mine.set(serviceKey(service), peers);
      byNode.set(node.name, mine);
    }
  }
  return byNode;
}

/** What speakers with one view of the members and one configuration announce, by the election of `shared/metallb`. */
export function desiredAnnouncements(
  snapshot: Snapshot,
  members: ReadonlySet<string> | "off",
  metallb: MetalLbSpec,
): Desired {
  const { objects } = parseMetalLbObjects(watchedKinds.flatMap((kind) => snapshot[kind] ?? []));
  const prediction = predict(objects, {
    version: metallb.version,
    memberlist: members === "off" ? "off" : [...members],
    ignoreExcludeLb: metallb.ignoreExcludeLabel,
  });
  const native = nativeModeFault(snapshot);
  const configError = native ?? prediction.addresses.find((address) => address.configError)?.configError;
  const layer2 = new Map<string, Map<string, Layer2Announcement>>();
  if (configError === undefined)
    for (const { ip, service, order, interfaces } of prediction.addresses) {
      const leader = order[0];
      if (leader === undefined) continue;
      const mine = layer2.get(leader) ?? new Map<string, Layer2Announcement>();
      mine.set(service, {
        ips: [...(mine.get(service)?.ips ?? []), ip],
        interfaces: interfaces[leader] ?? "all",
      });
      layer2.set(leader, mine);
    }
  const speaking = members === "off" ? new Set(objects.nodes.map(({ name }) => name)) : members;
  return {
    layer2,
    bgp:
      configError === undefined && atLeast(metallb.version, "0.13.0")
        ? bgpServices(objects, speaking, metallb)
        : new Map(),
    configError,
  };
}
