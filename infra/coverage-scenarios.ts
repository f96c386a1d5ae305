import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { Site } from "#shared/site/site.ts";
import type { RouteSpec, SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import {
  addObject,
  onMachine,
  onNic,
  patchObject,
  plugIn,
  removeObject,
  type SiteFault,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { bgpObjects } from "#shared/twin/sites/goldentooth-plan.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import type { SitePlan } from "#shared/twin/sites/site-plan.ts";
import { object, type StoredObject } from "#shared/twin/sites/stored-object.ts";
import type { Twin } from "#shared/twin/twin.ts";

/** A site with something wrong, what to ask about it, and the codes that must come. */
export type Scenario = Readonly<{
  /** Of `coverageLines`. */
  lines: readonly string[];
  words: string;
  site: () => SiteSpec;
  /** What the config says beside the usual. */
  config?: Partial<Site>;
  /** Objects that the webhook would have refused, as if it had been off. */
  pastTheWebhook?: readonly StoredObject[];
  /** What happens a minute after the start; another minute passes before anybody asks. */
  afterwards?: (twin: Twin) => void;
  /** Words of a command; without them every check runs. */
  ask?: string;
  /** Codes that must be among those that come. */
  expect: readonly string[];
}>;

const namespace = "metallb";

const healthyWith =
  (...faults: readonly SiteFault[]) =>
  (): SiteSpec =>
    withFaults(healthy(), ...faults);

const planned = (change: Partial<SitePlan>) => (): SiteSpec => buildSite({ ...healthyPlan, ...change });

const advertisement = (spec: unknown): SiteFault => patchObject("l2advertisements", "primary", { spec });

/** A vantage has a route beside those it has. */
const vantageRoutes =
  (name: string, route: RouteSpec): SiteFault =>
  (spec) => ({
    ...spec,
    vantages: spec.vantages.map((each) =>
      each.name === name ? { ...each, routes: [...(each.routes ?? []), route] } : each,
    ),
  });

/** A node that is tested from as well, by its own name. */
const vantageOn =
  (node: string): SiteFault =>
  (spec) => ({
    ...spec,
    vantages: [...spec.vantages, { name: node, place: "lan-wired", clusterNode: node, nics: [] }],
  });

const everyInterface = advertisement({ interfaces: null });

const pool = (...addresses: readonly string[]): SiteFault =>
  patchObject("ipaddresspools", "primary", { spec: { addresses } });

const bgpLeft = (kinds: readonly string[]): readonly SiteFault[] =>
  bgpObjects
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, object: { metadata, spec } }) => addObject(kind, metadata, { spec }));

/** The interface that kube-proxy keeps the Services' addresses on. */
const ipvsEverywhere: readonly SiteFault[] = healthy().nodes.map(({ name }, i) =>
  plugIn(name, {
    name: "kube-ipvs0",
    kind: "dummy",
    mac: `9a:5b:11:00:00:${(0x10 + i).toString(16)}`,
    addresses: [],
    segment: null,
    noArp: true,
    up: false,
  }),
);

const serviceOf = (spec: SiteSpec, name: string): KubeObject => {
  const found = spec.objects.find(
    ({ kind, object: each }) => kind === "services" && each.metadata.name === name,
  );
  if (found === undefined) throw new Error(`${spec.name} has no Service ${name}`);
  return found.object;
};

const addressOf = (spec: SiteSpec, name: string): string =>
  (serviceOf(spec, name).status as { loadBalancer: { ingress: readonly { ip: string }[] } }).loadBalancer
    .ingress[0]?.ip ?? "";

const illegal = object(
  "l2advertisements",
  { name: "any-node", namespace },
  {
    spec: {
      ipAddressPools: ["primary"],
      nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }],
    },
  },
);

/** Every scenario, by the first line it covers. A line may have several; a line without one is not caught yet. */
export const scenarios: readonly Scenario[] = [
  {
    lines: ["A1"],
    words: "a wireless NIC that somebody's tcpdump made promiscuous",
    site: healthyWith(
      wifiOn("dalt", "10.4.1.22/20"),
      onNic("dalt", "wlan0", { attributes: { promiscuity: 1 } }),
    ),
    expect: ["promiscuous-wireless"],
  },
  {
    lines: ["A2"],
    words: "Wi-Fi on beside the cable, every interface announces",
    site: healthyWith(wifiOn("dalt", "10.4.1.22/20"), everyInterface),
    expect: ["wired-and-wifi"],
  },
  {
    lines: ["A2", "B17"],
    words: "the same, asked on the wire: a cache would have one of the two MACs",
    site: goldentoothL2,
    ask: "arping prometheus",
    expect: ["two-nics"],
  },
  {
    lines: ["A3"],
    words: "the advertisement names wlan0 where eth0 is the LAN NIC",
    site: healthyWith(
      ...healthy().nodes.map(({ name }, i) => wifiOn(name, `10.4.1.${20 + i}/20`)),
      advertisement({ interfaces: ["wlan0"] }),
    ),
    config: { lanNic: [{ nic: "eth0", nodes: healthy().nodes.map(({ name }) => name) }] },
    ask: "arping httpbin",
    expect: ["wrong-nic"],
  },
  {
    lines: ["A4", "B20"],
    words: "the advertisement names an interface that no node has",
    site: healthyWith(advertisement({ interfaces: ["end0"] })),
    expect: ["named-nic-missing", "lan-nic-not-advertised"],
  },
  {
    lines: ["A5"],
    words: "two Services on one address, one with policy Local",
    site: () => {
      const spec = healthy();
      return withFaults(
        spec,
        patchObject("services", "vault", {
          spec: { externalTrafficPolicy: "Local" },
          status: { loadBalancer: { ingress: [{ ip: addressOf(spec, "httpbin") }] } },
        }),
      );
    },
    ask: "nodes impact",
    expect: ["shared-address-split"],
  },
  {
    lines: ["A6"],
    words: "speakers cut into two groups",
    site: healthy,
    afterwards: (twin) => {
      const names = twin.spec.nodes.map(({ name }) => name);
      twin.partition([names.slice(0, 6), names.slice(6)]);
    },
    ask: "arping all",
    expect: ["two-nodes"],
  },
  {
    lines: ["A7"],
    words: "one node drops what comes to port 7946",
    site: healthyWith(onMachine("dalt", { droppedPorts: [7946] })),
    expect: ["memberlist-filtered"],
  },
  {
    lines: ["A7"],
    words: "one node drops UDP on port 7946 and lets TCP through",
    site: healthyWith(onMachine("dalt", { droppedUdpPorts: [7946] })),
    expect: ["memberlist-udp-blocked"],
  },
  {
    lines: ["A8"],
    words: "policy Local, and one replica",
    site: healthyWith(patchObject("services", "vault", { spec: { externalTrafficPolicy: "Local" } })),
    ask: "nodes impact",
    expect: ["address-no-successor"],
  },
  {
    lines: ["A9"],
    words: "MetalLB 0.8.3, which has no member list",
    site: planned({ metallb: { ...healthyPlan.metallb, version: "0.8.3", memberlist: false } }),
    expect: ["memberlist-off"],
  },
  {
    lines: ["A12"],
    words: "speakers without memberlist",
    site: planned({ metallb: { ...healthyPlan.metallb, memberlist: false } }),
    expect: ["memberlist-off"],
  },
  {
    lines: ["A12"],
    words: "speakers without memberlist, six nodes lose power",
    site: planned({ metallb: { ...healthyPlan.metallb, memberlist: false } }),
    afterwards: (twin) => {
      for (const { name } of twin.spec.nodes.slice(0, 6)) twin.setPower(name, false);
    },
    expect: ["leader-not-ready"],
  },
  {
    lines: ["A13"],
    words: "the exclude label on a worker",
    site: healthyWith(
      patchObject("nodes", "dalt", {
        metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
      }),
    ),
    expect: ["exclude-label"],
  },
  {
    lines: ["A13"],
    words: "the exclude label on every node",
    site: healthyWith(
      ...healthy().nodes.map(({ name }) =>
        patchObject("nodes", name, {
          metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
        }),
      ),
    ),
    expect: ["exclude-label-everywhere"],
  },
  {
    lines: ["A14", "B1", "B27"],
    words: "no advertisement of any kind",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    expect: ["pool-not-advertised"],
  },
  {
    lines: ["A14", "B1"],
    words: "the same, asked on the wire",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    ask: "arping httpbin",
    expect: ["silence"],
  },
  {
    lines: ["A15"],
    words: "a pool outside the segment",
    site: healthyWith(pool("10.4.11.1-10.4.11.254", "10.9.0.0/24")),
    expect: ["pool-not-in-lan"],
  },
  {
    lines: ["A16"],
    words: "a pool that starts where nodes and router have theirs",
    site: healthyWith(pool("10.4.0.0-10.4.11.254")),
    config: { routerIp: "10.4.0.1" },
    expect: ["pool-overlaps-node", "pool-overlaps-router", "pool-covers-lan-edge"],
  },
  {
    lines: ["A17"],
    words: "a printer with the address of a Service",
    site: () => {
      const spec = healthy();
      const wire = {
        name: "eth1",
        mac: "00:1b:a9:4e:77:21",
        addresses: [`${addressOf(spec, "httpbin")}/20`],
      };
      return withFaults(spec, plugIn("laptop", wire));
    },
    ask: "arping httpbin --from ops-host",
    expect: ["foreign-mac"],
  },
  {
    lines: ["A18"],
    words: "kube-proxy in IPVS mode without strictARP",
    site: () => withFaults(planned({ kubeProxy: { mode: "ipvs", strictArp: false } })(), ...ipvsEverywhere),
    expect: ["ipvs-strict-arp"],
  },
  {
    lines: ["A19"],
    words: "MetalLB 0.15.2, leaders stopped: status objects stay with them",
    site: planned({ metallb: { ...healthyPlan.metallb, version: "0.15.2" } }),
    afterwards: (twin) => {
      for (const { name } of twin.spec.nodes.slice(0, 6)) twin.stopSpeaker(name);
    },
    ask: "nodes impact",
    expect: ["announcer-differs"],
  },
  {
    lines: ["A21"],
    words: "a node selector that no node matches",
    site: healthyWith(advertisement({ nodeSelectors: [{ matchLabels: { rack: "b" } }] })),
    expect: ["selector-matches-nothing"],
  },
  {
    lines: ["A22", "B19"],
    words: "a Service on an address that ends in .0",
    site: goldentoothL2,
    expect: ["address-ends-in-0-or-255"],
  },
  {
    lines: ["A23"],
    words: "strict reverse path filtering on a dual-homed node",
    site: healthyWith(
      wifiOn("dalt", "10.4.1.22/20"),
      everyInterface,
      onMachine("dalt", { sysctls: { "net.ipv4.conf.all.rp_filter": "1" } }),
    ),
    expect: ["rp-filter"],
  },
  {
    lines: ["A24", "B4"],
    words: "eth0 is a port of a bridge",
    site: healthyWith(
      onNic("dalt", "eth0", { master: "br0", addresses: [] }),
      plugIn("dalt", { name: "br0", kind: "bridge", mac: "dc:a6:32:0a:14:0d", addresses: ["10.4.0.13/20"] }),
    ),
    expect: ["named-nic-enslaved"],
  },
  {
    lines: ["A28"],
    words: "a drill of an address that nobody else could take",
    site: healthyWith(patchObject("services", "vault", { spec: { externalTrafficPolicy: "Local" } })),
    ask: "arping drill vault",
    expect: ["drill-no-successor", "drill-policy-local"],
  },
  {
    lines: ["A30"],
    words: "ServiceLB of k3s took a Service as well",
    site: healthyWith(
      addObject(
        "daemonsets",
        {
          name: "svclb-httpbin-0a1b2c3d",
          namespace: "kube-system",
          labels: {
            "svccontroller.k3s.cattle.io/svcname": "httpbin",
            "svccontroller.k3s.cattle.io/svcnamespace": "httpbin",
          },
        },
        {
          spec: {
            selector: { matchLabels: { app: "svclb-httpbin-0a1b2c3d" } },
            template: { metadata: { labels: { app: "svclb-httpbin-0a1b2c3d" } }, spec: { containers: [] } },
          },
        },
      ),
    ),
    expect: ["k3s-servicelb"],
  },
  {
    lines: ["B2"],
    words: "a star as hostname, applied while the webhook was off",
    site: healthy,
    pastTheWebhook: [illegal],
    expect: ["illegal-selector"],
  },
  {
    lines: ["B3"],
    words: "an advertisement without limits beside the one for eth0",
    site: healthyWith(addObject("l2advertisements", { name: "open", namespace })),
    expect: ["restriction-cancelled"],
  },
  {
    lines: ["B5"],
    words: "a router with a /24 on the LAN and a route for a fifth of the pool",
    site: healthy,
    config: {
      routerIp: "10.4.0.1",
      routerPrefix: 24,
      staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.2" }],
    },
    expect: ["pool-not-covered-by-router"],
  },
  {
    lines: ["B6"],
    words: "a route for what the router has on its own wire",
    site: healthy,
    config: {
      routerIp: "10.4.0.1",
      routerPrefix: 20,
      staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.2" }],
    },
    expect: ["static-route-inside-lan"],
  },
  {
    lines: ["B7", "B8"],
    words: "a route to the pool by way of a node",
    site: healthy,
    config: { routerIp: "10.4.0.1", staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.13" }] },
    expect: ["static-route-via-node"],
  },
  {
    lines: ["B8", "B18"],
    words: "a node that reaches the pool by a gateway",
    site: healthyWith(
      onMachine("dalt", {
        routes: [
          { dst: "default", gateway: "10.4.0.1", dev: "eth0" },
          { dst: "10.4.11.0/24", gateway: "10.4.0.11", dev: "eth0" },
        ],
      }),
    ),
    expect: ["route-via-gateway"],
  },
  {
    lines: ["B9", "B18"],
    words: "the host that is tested from has a route through a node",
    site: healthyWith(vantageRoutes("ops-host", { dst: "10.4.11.0/24", gateway: "10.4.0.11", dev: "eth0" })),
    expect: ["vantage-route-via-node"],
  },
  {
    lines: ["B16"],
    words: "asked from the node that announces",
    site: healthyWith(vantageOn("cargyll")),
    ask: "arping httpbin --from cargyll",
    expect: ["could-not-look"],
  },
  {
    lines: ["B21"],
    words: "Wi-Fi taken down by hand while its manager would bring it up",
    site: healthyWith(wifiOn("dalt", "10.4.1.22/20")),
    afterwards: (twin) => twin.setLink("dalt", "wlan0", { up: false }),
    expect: ["wifi-off-until-restart"],
  },
  {
    lines: ["B22"],
    words: "Calico on the Wi-Fi address, first-found over two NICs",
    site: goldentoothL2,
    expect: ["calico-address-nic", "calico-autodetection"],
  },
  {
    lines: ["B28"],
    words: "native mode with a BFDProfile left",
    site: healthyWith(...bgpLeft(["bfdprofiles"])),
    expect: ["native-mode-rejects"],
  },
  {
    lines: ["B29"],
    words: "a BGPPeer left where layer 2 announces",
    site: healthyWith(...bgpLeft(["bgppeers", "bfdprofiles"])),
    expect: ["bgp-leftovers"],
  },
  {
    lines: ["B30"],
    words: "a pool among the DHCP leases",
    site: healthy,
    config: { dhcpRanges: ["10.4.12.0-10.4.12.200"] },
    expect: ["pool-overlaps-dhcp"],
  },
  {
    lines: ["B31"],
    words: "an advertisement that selects one node: then all traffic does pass it",
    site: healthyWith(
      advertisement({
        interfaces: ["eth0"],
        nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "dalt" } }],
      }),
    ),
    ask: "nodes impact",
    expect: ["announcer-concentration", "address-no-successor"],
  },
];
