import { hash } from "node:crypto";
import { bgpAdvertisementsFault, communitiesFault, peersFault } from "./bgp-configuration.ts";
import type { Advertisement, Pool } from "./configuration.ts";
import { poolOf, readConfiguration } from "./configuration.ts";
import { parseIp } from "./ip.ts";
import type { AddressPrediction, Prediction } from "./prediction.ts";
import type { EndpointSliceObject, MetalLbObjects, NodeObject, ServiceObject } from "./resources.ts";
import { serviceKey } from "./resources.ts";
import { anyMatches } from "./selectors.ts";
import type { SpeakerSettings } from "./speakers.ts";
import { speakerSettings } from "./speakers.ts";
import type { ElectionRules } from "./versions.ts";
import { atLeast, newestVersion, rulesOf } from "./versions.ts";

/** Why a node is no candidate for an address. Stable; explained in docs/announcer.md. */
export type WhyNot =
  | "invalid-configuration"
  | "invalid-address"
  | "not-load-balancer-class"
  | "no-pool"
  | "no-servable-endpoint"
  | "pool-not-advertised"
  | "no-advertisement-selects-service"
  | "shared-ip-with-service-selector"
  | "memberlist-off"
  | "not-a-speaker"
  | "network-unavailable"
  | "cordoned"
  | "exclude-label"
  | "no-advertisement-selects-node"
  | "no-local-endpoint";

export type PredictOptions = Readonly<{
  /** Only this address, any spelling. */
  ip?: string;
  /** A known version (see `knownVersion`). Default: the speaker image's, else the newest known. */
  version?: string;
  /** `off`, or the members. Default: the speakers' environment and Pods, else a speaker on every node. */
  memberlist?: "off" | readonly string[];
  ignoreExcludeLb?: boolean;
}>;

const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
const SHARED_IP = ["metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip"];

type Endpoint = EndpointSliceObject["endpoints"][number];

const canServe = ({ ready, serving }: Endpoint, rule: ElectionRules["canServe"]): boolean => {
  if (rule === "ready") return ready ?? true;
  if (rule === "serving-else-ready") return serving ?? ready ?? true;
  return (ready ?? true) || serving === true;
};

/** The endpoints that can serve, by `namespace/name` of their Service. */
export function servableEndpoints(
  objects: MetalLbObjects,
  rules: ElectionRules,
): ReadonlyMap<string, readonly Endpoint[]> {
  const byService = new Map<string, Endpoint[]>();
  for (const slice of objects.endpointSlices) {
    if (!slice.service) continue;
    const key = `${slice.namespace}/${slice.service}`;
    const servable = slice.endpoints.filter((endpoint) => canServe(endpoint, rules.canServe));
    const known = byService.get(key);
    if (known) known.push(...servable);
    else byService.set(key, servable);
  }
  return byService;
}

/** How MetalLB is taken to run, with where each part comes from. */
type Setting = Readonly<{
  version: string;
  rules: ElectionRules;
  /** Names of speakers, or `off`. */
  members: ReadonlySet<string> | "off";
  ignoreExcludeLb: boolean;
  loadBalancerClass: string | undefined;
  /** Whose pools and advertisements count; `undefined` takes those of every namespace. */
  namespace: string | undefined;
  assumed: Prediction["assumed"];
}>;

function settingOf(objects: MetalLbObjects, options: PredictOptions, speakers: SpeakerSettings): Setting {
  const version = options.version ?? speakers.version ?? newestVersion;
  const rules = rulesOf(version);
  const notes: string[] = [];
  if (options.version === undefined && speakers.version === undefined && speakers.image !== undefined)
    notes.push(`${speakers.versionDoubt}; ${newestVersion} is assumed`);

  const nodeNames = objects.nodes.map(({ name }) => name);
  let members: ReadonlySet<string> | "off";
  let membersFrom: string;
  if (options.memberlist !== undefined) {
    members = options.memberlist === "off" ? "off" : new Set(options.memberlist);
    membersFrom = "option";
  } else if (speakers.memberlist === "off") {
    members = "off";
    membersFrom = "speaker environment";
  } else if (speakers.speakerNodes) {
    members = new Set(speakers.speakerNodes);
    membersFrom = "running speaker pods";
  } else {
    members = new Set(nodeNames);
    membersFrom = "assumed on every node";
  }
  if (members !== "off") {
    const strangers = [...members].filter((name) => !nodeNames.includes(name)).sort();
    if (strangers.length > 0)
      notes.push(`no Node object for these speakers, ignored: ${strangers.join(", ")}`);
  } else if (speakers.speakerNodes && rules.withoutMemberlist === "every-node") {
    const silent = nodeNames.filter((name) => !speakers.speakerNodes?.includes(name));
    if (silent.length > 0)
      notes.push(
        `without memberlist these can be elected although no speaker runs there: ${silent.join(", ")}`,
      );
  }

  const ignoreExcludeLb = options.ignoreExcludeLb ?? speakers.ignoreExcludeLb ?? false;
  if (ignoreExcludeLb && !rules.ignoreExcludeLbFlag)
    notes.push(`${version} has no --ignore-exclude-lb (it came with 0.14.4)`);
  if (!atLeast(version, "0.13.0"))
    notes.push(`${version} is configured by a ConfigMap; the pools and advertisements given stand in for it`);
  if (objects.endpointSlices.length === 0 && objects.services.length > 0)
    notes.push("no EndpointSlices given: no Service counts as having an endpoint");
  const homes = new Set(objects.ipAddressPools.map((pool) => pool.namespace));
  const astray = speakers.namespace !== undefined && homes.size > 0 && !homes.has(speakers.namespace);
  if (astray)
    notes.push(
      `no pool lives in the speakers' namespace ${speakers.namespace}; those of ${[...homes].join(", ")} are taken`,
    );
  const waiting = objects.services.filter((s) => s.type === "LoadBalancer" && s.ingress.length === 0);
  if (waiting.length > 0)
    notes.push(`no address assigned yet, left out: ${waiting.map(serviceKey).join(", ")}`);

  return {
    version,
    rules,
    members,
    ignoreExcludeLb,
    loadBalancerClass: speakers.loadBalancerClass,
    namespace: astray ? undefined : speakers.namespace,
    assumed: {
      version,
      versionFrom:
        options.version !== undefined ? "option" : speakers.version ? "speaker image" : "newest known",
      memberlist: members === "off" ? "off" : "on",
      ...(members === "off" ? {} : { speakers: [...members].sort() }),
      speakersFrom: membersFrom,
      ignoreExcludeLb,
      ignoreExcludeLbFrom:
        options.ignoreExcludeLb !== undefined
          ? "option"
          : speakers.ignoreExcludeLb !== undefined
            ? "speaker arguments"
            : "default",
      ...(speakers.loadBalancerClass === undefined ? {} : { loadBalancerClass: speakers.loadBalancerClass }),
      ...(speakers.namespace === undefined || astray ? {} : { namespace: speakers.namespace }),
      ...(notes.length === 0 ? {} : { notes }),
    },
  };
}

/** What MetalLB sorts by: SHA-256 of node name, `#` and the address (up to 0.10 the Service), as lower-case hex. */
export const electionHash = (node: string, suffix: string): string =>
  hash("sha256", `${node}#${suffix}`, "hex");

function nodeFault(
  node: NodeObject,
  advertisements: readonly Advertisement[],
  local: ReadonlySet<string> | undefined,
  setting: Setting,
): WhyNot | undefined {
  const { rules, members } = setting;
  const conditionTrue = (type: string) => node.conditions.find((c) => c.type === type)?.status === "True";
  if (members === "off" ? rules.withoutMemberlist === "nobody" : !members.has(node.name))
    return members === "off" ? "memberlist-off" : "not-a-speaker";
  if (rules.networkUnavailable && conditionTrue("NetworkUnavailable")) return "network-unavailable";
  if (rules.cordon && node.unschedulable) return "cordoned";
  const ignores = setting.ignoreExcludeLb && rules.ignoreExcludeLbFlag;
  if (rules.excludeLabel && !ignores && Object.hasOwn(node.labels, EXCLUDE_LABEL)) return "exclude-label";
  if (!advertisements.some((ad) => ad.nodes.has(node.name))) return "no-advertisement-selects-node";
  if (local && !local.has(node.name)) return "no-local-endpoint";
  return undefined;
}

/** A reason that rules out every node at once. */
function serviceFault(
  service: ServiceObject,
  pool: Pool | undefined,
  advertisements: readonly Advertisement[],
  servable: readonly Endpoint[],
  setting: Setting,
): WhyNot | undefined {
  const { rules } = setting;
  if (service.ingress.some(({ ip }) => ip === undefined || parseIp(ip) === undefined))
    return "invalid-address";
  if ((service.loadBalancerClass ?? "") !== (setting.loadBalancerClass ?? ""))
    return "not-load-balancer-class";
  if (pool === undefined) return "no-pool";
  if (servable.length === 0) return "no-servable-endpoint";
  if (pool.l2.length === 0) return "pool-not-advertised";
  if (advertisements.length === 0) return "no-advertisement-selects-service";
  if (
    rules.sharedIpConflict &&
    SHARED_IP.some((key) => Object.hasOwn(service.annotations, key)) &&
    advertisements.some((ad) => ad.serviceSelectors.length > 0)
  )
    return "shared-ip-with-service-selector";
  if (
    setting.members === "off" &&
    rules.withoutMemberlist === "nodes-with-endpoint-if-local" &&
    service.externalTrafficPolicy !== "Local"
  )
    return "memberlist-off";
  return undefined;
}

function interfacesOn(node: string, advertisements: readonly Advertisement[]): readonly string[] | "all" {
  const mine = advertisements.filter((ad) => ad.nodes.has(node));
  if (mine.some((ad) => ad.interfaces.length === 0)) return "all";
  return [...new Set(mine.flatMap((ad) => ad.interfaces))].sort();
}

/** Who stands for election, before the address decides the order. */
type Electorate = Readonly<{
  candidates: readonly Readonly<{ name: string; preference: number }>[];
  why: Readonly<Record<string, string>>;
  interfaces: AddressPrediction["interfaces"];
}>;

function electorateOf(
  nodes: readonly NodeObject[],
  advertisements: readonly Advertisement[],
  local: ReadonlySet<string> | undefined,
  setting: Setting,
): Electorate {
  const faults = nodes.map((node) => [node.name, nodeFault(node, advertisements, local, setting)] as const);
  const names = faults.filter(([, fault]) => fault === undefined).map(([name]) => name);
  return {
    candidates: names.map((name) => ({
      name,
      preference: advertisements.reduce((sum, ad) => sum + (ad.preference.get(name) ?? 0), 0),
    })),
    why: Object.fromEntries(faults.flatMap(([name, fault]) => (fault === undefined ? [] : [[name, fault]]))),
    interfaces: Object.fromEntries(names.map((name) => [name, interfacesOn(name, advertisements)])),
  };
}

const everyNode = (nodes: readonly NodeObject[], why: WhyNot): Readonly<Record<string, string>> =>
  Object.fromEntries(nodes.map(({ name }) => [name, why]));

/**
 * Who MetalLB elects for each address, by the rules of the version: announcer first, successor second. One entry per
 * Service and address, so that Services sharing an address can be compared. Every Node is in `order` or in `why`.
 */
export function predict(objects: MetalLbObjects, options: PredictOptions = {}): Prediction {
  const speakers = speakerSettings(objects);
  const setting = settingOf(objects, options, speakers);
  const { rules } = setting;
  // Speakers watch their own namespace only.
  const ours = <T extends Readonly<{ namespace: string }>>(items: readonly T[]): readonly T[] =>
    setting.namespace === undefined ? items : items.filter((item) => item.namespace === setting.namespace);
  const pools = readConfiguration(
    {
      ipAddressPools: ours(objects.ipAddressPools),
      l2Advertisements: ours(objects.l2Advertisements),
      nodes: objects.nodes,
    },
    rules,
  );
  // What the dump leaves out of BGP is taken as absent; references between BGP objects are transient to MetalLB.
  const bgpFault =
    communitiesFault(ours(objects.communities)) ??
    peersFault(ours(objects.bgpPeers)) ??
    bgpAdvertisementsFault(
      ours(objects.bgpAdvertisements),
      ours(objects.ipAddressPools),
      objects.nodes,
      ours(objects.communities),
    );
  const configError = pools.ok ? bgpFault : pools.error;
  const wanted = options.ip === undefined ? undefined : (parseIp(options.ip)?.text ?? options.ip);
  const endpoints = servableEndpoints(objects, rules);

  // Services of one pool under policy Cluster share their candidates; only the order differs.
  const known = new Map<string, Electorate>();
  const electorateFor = (
    advertisements: readonly Advertisement[],
    local: ReadonlySet<string> | undefined,
  ): Electorate => {
    const key = local ? undefined : advertisements.map((ad) => ad.key).join(" ");
    const cached = key === undefined ? undefined : known.get(key);
    const electorate = cached ?? electorateOf(objects.nodes, advertisements, local, setting);
    if (key !== undefined) known.set(key, electorate);
    return electorate;
  };

  const forService = (service: ServiceObject): readonly AddressPrediction[] => {
    const name = serviceKey(service);
    const addresses = service.ingress.flatMap(({ ip }) => (ip ? [parseIp(ip)?.text ?? ip] : []));
    const first = addresses[0];
    if (first === undefined || (wanted !== undefined && !addresses.includes(wanted))) return [];

    const result = (
      part: Pick<AddressPrediction, "pool" | "order" | "why" | "interfaces" | "configError">,
    ): readonly AddressPrediction[] =>
      [...new Set(addresses)]
        .filter((ip) => wanted === undefined || ip === wanted)
        .map((ip) => ({ ip, service: name, ...part }));

    if (!pools.ok || configError !== undefined)
      return result({
        pool: undefined,
        order: [],
        why: everyNode(objects.nodes, "invalid-configuration"),
        interfaces: {},
        ...(configError === undefined ? {} : { configError }),
      });

    const pool = poolOf(pools.pools, addresses);
    const advertisements = (pool?.l2 ?? []).filter(
      (ad) => ad.serviceSelectors.length === 0 || anyMatches(ad.serviceSelectors, service.labels),
    );
    const servable = endpoints.get(name) ?? [];
    const silent = serviceFault(service, pool, advertisements, servable, setting);
    if (silent)
      return result({ pool: pool?.name, order: [], why: everyNode(objects.nodes, silent), interfaces: {} });

    const local =
      service.externalTrafficPolicy === "Local" || rules.clusterPolicyNeedsLocalEndpoint
        ? new Set(servable.flatMap(({ nodeName }) => (nodeName ? [nodeName] : [])))
        : undefined;
    const electorate = electorateFor(advertisements, local);
    // Dual stack: only the first address is hashed, so both move together.
    const suffix = rules.hashed === "address" ? first : name;
    const order = electorate.candidates
      .map((candidate) => ({ ...candidate, hash: electionHash(candidate.name, suffix) }))
      .sort((a, b) => b.preference - a.preference || (a.hash < b.hash ? -1 : 1))
      .map((candidate) => candidate.name);
    return result({ pool: pool?.name, order, why: electorate.why, interfaces: electorate.interfaces });
  };

  return {
    assumed: setting.assumed,
    addresses: objects.services.filter(({ type }) => type === "LoadBalancer").flatMap(forService),
  };
}
