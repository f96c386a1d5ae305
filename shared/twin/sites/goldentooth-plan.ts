import type { RouterSpec, VantageSpec } from "../site-spec.ts";
import {
  goldentoothZone,
  hellholtZone,
  netRegistry,
  publicResolvers,
  stubbornResolver,
} from "./goldentooth-dns.ts";
import type { LoadBalancerPlan, NodePlan, SitePlan } from "./site-plan.ts";
import { object } from "./stored-object.ts";

const names = [
  "allyrion",
  "bettley",
  "cargyll",
  "dalt",
  "erenford",
  "fenn",
  "gardener",
  "harlton",
  "inchfield",
  "jast",
  "karstark",
  "lipps",
  "velaryon",
];

/** The two nodes that were imaged with Wi-Fi on, and the addresses it got. */
const wifi: Readonly<Record<string, string>> = { karstark: "10.4.1.20", lipps: "10.4.1.21" };

const hex = (value: number): string => value.toString(16).padStart(2, "0");

export const goldentoothNodes: readonly NodePlan[] = names.map((name, i) => {
  const mac = (last: string) => `dc:a6:32:0a:${hex(0x11 + i)}:${last}`;
  const ip = wifi[name];
  return {
    name,
    ip: `10.4.0.${10 + i}`,
    mac: mac("0b"),
    controlPlane: i < 3,
    ...(ip === undefined ? { idleWlanMac: mac("0c") } : { wlan: { ip, mac: mac("0c") } }),
    // Calico takes the last addressed interface it finds; lipps was registered before its Wi-Fi came up.
    ...(name === "karstark" && ip !== undefined ? { calicoIp: ip } : {}),
  };
});

export const withoutWifi = (nodes: readonly NodePlan[]): readonly NodePlan[] =>
  nodes.map(({ wlan, calicoIp: _, ...node }) => ({
    ...node,
    ...(wlan === undefined ? {} : { idleWlanMac: wlan.mac }),
  }));

/** Hosts under the domain that ExternalDNS publishes them in. */
export const goldentoothServices = (domain: string, ttl?: string): readonly LoadBalancerPlan[] => {
  const service = (
    name: string,
    namespace: string,
    ip: string,
    port: number,
    on: readonly string[],
    more: Partial<LoadBalancerPlan> = {},
  ): LoadBalancerPlan => ({
    name,
    namespace,
    ip,
    port,
    on,
    hostname: `${namespace}.${domain}`,
    ...(ttl === undefined ? {} : { ttl }),
    ...more,
  });
  return [
    service("argocd", "argocd", "10.4.11.0", 80, ["erenford"]),
    service("httpbin", "httpbin", "10.4.11.1", 80, ["harlton"]),
    service("grafana", "grafana", "10.4.11.2", 80, ["inchfield"]),
    service("prometheus", "prometheus", "10.4.11.3", 9090, ["dalt"]),
    service("ingress-nginx-controller", "ingress-nginx", "10.4.11.4", 443, ["gardener", "jast"], {
      policy: "Local",
      hostname: `ingress.${domain}`,
    }),
    service("vault", "vault", "10.4.11.5", 8200, ["fenn"]),
    service("jellyfin", "jellyfin", "10.4.11.6", 8096, ["velaryon"]),
    service("gitea-http", "gitea", "10.4.11.7", 3000, ["lipps"]),
    service("harbor", "harbor", "10.4.11.8", 443, ["harlton"]),
    service("minio", "minio", "10.4.11.9", 9000, ["dalt", "fenn"]),
    service("mosquitto", "mosquitto", "10.4.11.10", 1883, ["karstark"]),
    service("ntfy", "ntfy", "10.4.11.11", 80, ["jast"]),
    service("loki-gateway", "loki", "10.4.11.12", 3100, ["inchfield"]),
  ];
};

/** A consumer router: it owns the address that the old BGP router had. */
export const consumerRouter: RouterSpec = {
  name: "router",
  speaksBgp: false,
  lanPrefix: "10.4.0.0/20",
  staticRoutes: [],
  nics: [
    { name: "lan", mac: "b0:4e:26:7f:10:01", addresses: ["10.4.0.1/20"] },
    { name: "guest", mac: "b0:4e:26:7f:10:02", addresses: ["192.168.50.1/24"], segment: "behind-router" },
  ],
};

export const goldentoothVantages: readonly VantageSpec[] = [
  {
    name: "ops-host",
    place: "lan-wired",
    nics: [{ name: "eth0", mac: "00:16:3e:5a:00:05", addresses: ["10.4.0.5/20"] }],
    routes: [{ dst: "default", gateway: "10.4.0.1", dev: "eth0" }],
    arping: "iputils",
  },
  {
    name: "laptop",
    place: "lan-wifi",
    nics: [
      { name: "wlan0", mac: "3c:22:fb:41:9a:07", addresses: ["10.4.2.40/20"], wireless: true, metric: 600 },
    ],
    routes: [
      {
        dst: "default",
        gateway: "10.4.0.1",
        dev: "wlan0",
        protocol: "dhcp",
        prefsrc: "10.4.2.40",
        metric: 600,
      },
    ],
    arping: "habets",
  },
  {
    name: "guest-client",
    place: "behind-router",
    nics: [
      {
        name: "eth0",
        mac: "00:16:3e:5a:50:14",
        addresses: ["192.168.50.20/24"],
        segment: "behind-router",
      },
    ],
    routes: [{ dst: "default", gateway: "192.168.50.1", dev: "eth0" }],
    arping: "iputils",
  },
];

const namespace = "metallb";

/** What the BGP days left behind: an advertisement, and a peer whose address a router without BGP now owns. */
export const bgpObjects = [
  object("bgpadvertisements", { name: "primary", namespace }, { spec: { ipAddressPools: ["primary"] } }),
  object(
    "bgppeers",
    { name: "opnsense", namespace },
    {
      spec: {
        myASN: 64500,
        peerASN: 64501,
        peerAddress: "10.4.0.1",
        peerPort: 179,
        holdTime: "1m30s",
        bfdProfile: "primary",
      },
    },
  ),
  object(
    "bfdprofiles",
    { name: "primary", namespace },
    {
      spec: { receiveInterval: 300, transmitInterval: 300, detectMultiplier: 3, minimumTtl: 254 },
    },
  ),
];

/** Without a spec an advertisement selects every pool, every node, every interface. */
export const unrestrictedL2Advertisement = object("l2advertisements", { name: "primary", namespace });

/**
 * The home lab of the story on the evening before its switch. MetalLB 0.15.2 because that is the last line whose Helm
 * chart runs FRR as a sidecar by default (until 0.15.x; FRR-K8s from 0.16.0), which BGP with a BFDProfile needs.
 */
export const goldentoothPlan: SitePlan = {
  name: "goldentooth",
  lanPrefix: "10.4.0.0/20",
  routerIp: "10.4.0.1",
  nodes: goldentoothNodes,
  services: goldentoothServices("hellholt.net"),
  vantages: goldentoothVantages,
  router: consumerRouter,
  metallb: { version: "0.15.2", namespace, memberlist: true, ignoreExcludeLabel: false },
  pool: { name: "primary", addresses: ["10.4.11.0-10.4.15.254"] },
  frr: true,
  kubeProxy: { mode: "iptables", strictArp: false },
  externalDns: { version: "0.17.0", domains: ["hellholt.net"], policy: "sync" },
  extra: bgpObjects,
  unusedAddress: "10.4.10.250",
  dns: {
    zones: [hellholtZone, goldentoothZone],
    parents: [netRegistry(hellholtZone, goldentoothZone)],
    resolvers: [stubbornResolver, ...publicResolvers],
  },
};
