import * as z from "zod";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { knownVersion, newestVersion } from "../metallb/versions.ts";
import type { ClusterConfig, VantagePlace } from "../site/site.ts";
import { type Text, text } from "../text.ts";
import { argoTracking, type GitContent } from "../twin/git-ops.ts";
import { broadcastOf, contains, formatIpv4, networkOf, parseIpv4, parsePrefix } from "../twin/ipv4.ts";
import type { NodeSpec, SiteSpec, VantageSpec } from "../twin/site-spec.ts";
import type { SeenHabits } from "./resolver-habits.ts";
import { type KnownZone, namesOfSite } from "./zones-of-site.ts";

export type ClusterObject = Readonly<{ kind: ResourceKind; object: KubeObject }>;

/** Kinds about names and certificates alone; a cluster may do without them. */
export const namedKinds = [
  "ingresses",
  "gateways",
  "httproutes",
  "dnsendpoints",
  "certificates",
  "issuers",
  "clusterissuers",
] as const satisfies readonly ResourceKind[];

/** The kinds a rehearsal needs. What speakers and controllers write by themselves is made anew by the model. */
export const rehearsedKinds = [
  "namespaces",
  "nodes",
  "pods",
  "services",
  "configmaps",
  "endpointslices",
  "daemonsets",
  "deployments",
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
  "applications",
  "kustomizations",
  "helmreleases",
  "validatingwebhookconfigurations",
  ...namedKinds,
] as const satisfies readonly ResourceKind[];

export type SiteOfCluster =
  | Readonly<{
      ok: true;
      spec: SiteSpec;
      /** As steps of the model get it: with the zones and resolvers the model has. */
      config: ClusterConfig;
      /** What the model takes for true because nothing here tells. */
      assumed: readonly Text[];
      /** Clients of the model by place; those the config does not name are the model's own. */
      clients: readonly Readonly<{ name: string; place: VantagePlace }>[];
    }>
  /** What has to be known first, each as the config calls it. */
  | Readonly<{ ok: false; missing: readonly string[] }>;

const places: readonly VantagePlace[] = ["lan-wired", "lan-wifi", "behind-router"];
const behind = { prefix: "192.168.222", router: "192.168.222.1" };

const mac = (last: number): string =>
  `02:a0:00:00:${(last >> 8).toString(16).padStart(2, "0")}:${(last & 255).toString(16).padStart(2, "0")}`;

const nodeShape = z.looseObject({
  status: z
    .looseObject({
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).nullish(),
    })
    .nullish(),
});

const speakerShape = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({
            name: z.string(),
            image: z.string().nullish(),
            args: z.array(z.string()).nullish(),
            env: z.array(z.looseObject({ name: z.string() })).nullish(),
          }),
        ),
      }),
    }),
  }),
});

const peerShape = z.looseObject({ spec: z.looseObject({ peerAddress: z.string().nullish() }) });

/** The API server writes these; a store of the model writes its own. */
function bare({ metadata, ...rest }: KubeObject): KubeObject {
  const { uid: _u, resourceVersion: _r, managedFields: _m, generation: _g, selfLink: _s, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/** The namespace and flags of the speakers, from their DaemonSet. */
function metallbOf(objects: readonly ClusterObject[], assumed: Text[]): SiteSpec["metallb"] | undefined {
  for (const { kind, object } of objects) {
    if (kind !== "daemonsets") continue;
    const speaker = speakerShape
      .safeParse(object)
      .data?.spec.template.spec.containers.find(({ name }) => name === "speaker");
    if (speaker === undefined) continue;
    const tag = /:v?([^:@]+)(?:@.*)?$/.exec(speaker.image ?? "")?.[1] ?? "";
    const version = knownVersion(tag);
    if (version === undefined)
      assumed.push(text`MetalLB is ${newestVersion}: its image ${speaker.image ?? "(none)"} does not tell`);
    const variables = (speaker.env ?? []).map(({ name }) => name);
    return {
      version: version ?? newestVersion,
      namespace: object.metadata.namespace ?? "metallb-system",
      memberlist: variables.includes("METALLB_ML_BIND_ADDR") && variables.includes("METALLB_ML_LABELS"),
      ignoreExcludeLabel: (speaker.args ?? []).includes("--ignore-exclude-lb"),
    };
  }
  return undefined;
}

/** What Argo CD and Flux have in git is what they track in the cluster now. */
function gitOf(objects: readonly ClusterObject[]): readonly GitContent[] {
  return objects.flatMap(({ kind, object: { metadata } }): readonly GitContent[] => {
    if (kind !== "applications" && kind !== "kustomizations") return [];
    const { name, namespace = "default" } = metadata;
    const isTracked = ({ object }: ClusterObject): boolean =>
      kind === "applications"
        ? (object.metadata.annotations?.[argoTracking] ?? "").startsWith(`${name}:`)
        : object.metadata.labels?.["kustomize.toolkit.fluxcd.io/name"] === name &&
          object.metadata.labels["kustomize.toolkit.fluxcd.io/namespace"] === namespace;
    const content = objects.filter(isTracked).map((each) => ({ ...each, object: bare(each.object) }));
    return content.length === 0
      ? []
      : [{ kind, namespace, name, revision: "0".repeat(40), objects: content }];
  });
}

/**
 * A site of the model from a cluster's objects and what the config says of the network. Without the router's address and
 * prefix nobody can tell what a client behind it feels.
 */
export function siteOfCluster(
  objects: readonly ClusterObject[],
  config: ClusterConfig,
  bgp: "up" | "down",
  /** Left out, the model has no names. */
  zones?: readonly KnownZone[],
  habits?: SeenHabits,
): SiteOfCluster {
  const { site } = config;
  const missing: string[] = [];
  const lan = parsePrefix(site.lanPrefix);
  if (lan === undefined) missing.push("site.lanPrefix (an IPv4 prefix)");
  if (site.routerIp === undefined) missing.push("site.routerIp");
  if (site.routerPrefix === undefined) missing.push("site.routerPrefix");
  const assumed: Text[] = [];
  const metallb = metallbOf(objects, assumed);
  if (metallb === undefined) missing.push("the DaemonSet of MetalLB's speakers (among the objects)");
  if (!objects.some(({ kind }) => kind === "nodes")) missing.push("Node objects (among the objects)");
  if (missing.length > 0 || lan === undefined || metallb === undefined) return { ok: false, missing };
  const routerIp = site.routerIp as string;
  const length = lan.length;

  const taken = new Set<number>([parseIpv4(routerIp) ?? 0]);
  for (const { object } of objects)
    for (const found of JSON.stringify([object.status ?? {}, object.spec ?? {}]).matchAll(
      /\d+\.\d+\.\d+\.\d+/g,
    ))
      taken.add(parseIpv4(found[0]) ?? 0);
  let candidate = broadcastOf(lan);
  const free = (): string => {
    do candidate -= 1;
    while (taken.has(candidate) && candidate > networkOf(lan));
    taken.add(candidate);
    return formatIpv4(candidate);
  };

  const nicName = (node: string): string =>
    site.lanNic.find(({ nodes }) => nodes.includes(node))?.nic ?? "eth0";
  let number = 16;
  const nodes = objects.flatMap(({ kind, object }): readonly NodeSpec[] => {
    if (kind !== "nodes") return [];
    const { name } = object.metadata;
    const ip = nodeShape
      .safeParse(object)
      .data?.status?.addresses?.find(
        ({ type, address }) => type === "InternalIP" && !address.includes(":"),
      )?.address;
    if (ip === undefined) return [];
    const calico = object.metadata.annotations?.["projectcalico.org/IPv4Address"]?.split("/")[0];
    const second =
      calico !== undefined && calico !== ip && contains(lan, parseIpv4(calico) ?? -1)
        ? [
            {
              name: "wlan0",
              mac: mac(number++),
              addresses: [`${calico}/${length}`],
              wireless: true,
              metric: 600,
            },
          ]
        : [];
    return [
      {
        name,
        nics: [{ name: nicName(name), mac: mac(number++), addresses: [`${ip}/${length}`] }, ...second],
        routes: [{ dst: "default", gateway: routerIp, dev: nicName(name) }],
        sysctls: { "net.ipv4.ip_forward": "1" },
        // Whoever looks at a node comes in by its own address.
        env: { SSH_CONNECTION: `${routerIp} 52144 ${ip} 22` },
      },
    ];
  });
  assumed.push(
    text`each node has one interface in ${site.lanPrefix} and its speaker runs${nodes.some(({ nics }) => nics.length > 1) ? ", and a second one where Calico uses another address" : ""}`,
  );

  const named = zones === undefined ? undefined : namesOfSite(zones, config, assumed, habits);
  let client = 20;
  const machine = (name: string, place: VantagePlace): VantageSpec => {
    const wireless = place === "lan-wifi";
    const dev = wireless ? "wlan0" : "eth0";
    const outside = place === "behind-router";
    const nic = {
      name: dev,
      mac: mac(number++),
      addresses: [outside ? `${behind.prefix}.${client++}/24` : `${free()}/${length}`],
      ...(outside ? { segment: "behind-router" } : {}),
      ...(wireless ? { wireless } : {}),
    };
    const gateway = outside ? behind.router : routerIp;
    return {
      name,
      place,
      nics: [nic],
      routes: [{ dst: "default", gateway, dev }],
      ...(named === undefined ? {} : { resolvers: named.resolvers }),
    };
  };
  const configured = config.vantages.map((vantage): VantageSpec => {
    const made = machine(vantage.name, vantage.place);
    return vantage.clusterNode === undefined ? made : { ...made, clusterNode: vantage.clusterNode };
  });
  const clientAt = (place: VantagePlace) =>
    configured.find((each) => each.place === place && each.clusterNode === undefined);
  const own = places
    .filter((place) => clientAt(place) === undefined)
    .map((place) => machine(`a client (${place})`, place));
  const vantages = [...configured, ...own];

  const peers = objects.filter(
    ({ kind, object }) =>
      kind === "bgppeers" && peerShape.safeParse(object).data?.spec.peerAddress === routerIp,
  );
  const routes = site.staticRoutes.map(({ to, via }) => ({
    dst: to,
    gateway: via,
    dev: "lan",
    protocol: "static",
  }));
  const speaksBgp = bgp === "up" && peers.length > 0;
  if (objects.some(({ kind }) => kind === "bgppeers"))
    assumed.push(
      speaksBgp
        ? text`the router at ${routerIp} has sessions with the speakers`
        : text`no BGPPeer has a session: ${bgp === "down" ? "BGP was seen to be down" : `none names the router ${routerIp}`}`,
    );
  return {
    ok: true,
    assumed,
    config:
      named === undefined
        ? config
        : { ...config, dns: named.config, site: { ...site, resolvers: named.resolvers } },
    clients: places.flatMap((place) => {
      const found = vantages.find((each) => each.place === place && each.clusterNode === undefined);
      return found === undefined ? [] : [{ name: found.name, place }];
    }),
    spec: {
      name: config.name,
      lanPrefix: site.lanPrefix,
      nodes,
      vantages,
      router: {
        name: "router",
        speaksBgp,
        lanPrefix: site.lanPrefix,
        staticRoutes: site.staticRoutes,
        routes,
        nics: [
          { name: "lan", mac: mac(1), addresses: [`${routerIp}/${site.routerPrefix}`] },
          { name: "behind", mac: mac(2), addresses: [`${behind.router}/24`], segment: "behind-router" },
        ],
      },
      metallb,
      objects: objects.map(({ kind, object }) => ({ kind, object: bare(object) })),
      gitOps: gitOf(objects),
      unusedAddress: site.unusedAddress ?? free(),
      ...(named === undefined ? {} : { dns: named.dns }),
    },
  };
}
