import { buildSite } from "#shared/twin/sites/build-site.ts";
import { addObject, onNic, patchObject, plugIn, removeObject, wifiOn } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import { excluded, nodeConditions } from "#shared/twin/sites/service-faults.ts";
import type { Twin } from "#shared/twin/twin.ts";
import {
  advertisement,
  everyInterface,
  healthyWith,
  ipvsEverywhere,
  namespace,
  planned,
} from "./coverage-sites.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";

const unreachable = { kind: "one fault", runbook: "service-unreachable", ask: "httpbin" } as const;
const httpbin = "10.4.11.1";

/** The node that answers for an address now: what is broken is broken there, whoever it is. */
export const announcerOf = (twin: Twin, ip: string): string =>
  (twin.layer2Announcers(ip)[0] ?? "").split("/")[0] ?? "";

/** Speakers that see each other in two groups only: each elects a node of its own. */
export const splitBrain = (twin: Twin): void => {
  const names = twin.spec.nodes.map(({ name }) => name);
  twin.partition([names.slice(0, 6), names.slice(6)]);
};

const withoutMemberlist = () =>
  buildSite({ ...healthyPlan, metallb: { ...healthyPlan.metallb, memberlist: false } });

const pending = {
  spec: { type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP" }], selector: { app: "fresh" } },
};

/** From the pool to the answer on the wire. */
export const announcingScenarios: readonly IncidentScenario[] = [
  {
    ...unreachable,
    name: "no-advertisement",
    lines: ["A14", "B1", "B27"],
    words: "the L2Advertisement was deleted",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    truths: [
      truth("no L2Advertisement selects the pool", "no-l2-advertisement", "announcer-pool-not-advertised"),
    ],
  },
  {
    ...unreachable,
    name: "only-bgp",
    lines: ["B1"],
    words: "a BGPAdvertisement alone, and a router that speaks no BGP",
    site: healthyWith(
      removeObject("l2advertisements", "primary"),
      addObject(
        "bgpadvertisements",
        { name: "primary", namespace },
        { spec: { ipAddressPools: ["primary"] } },
      ),
    ),
    truths: [truth("only BGP announces the pool", "only-bgp")],
    alsoTrue: ["no-l2-advertisement", "announcer-pool-not-advertised"],
  },
  {
    ...unreachable,
    name: "pool-exhausted",
    lines: [],
    words: "a new Service, and no address left in the pool",
    site: healthyWith(
      patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.11.1-10.4.11.13"] } }),
    ),
    afterwards: ({ store }) => {
      store.create("services", { metadata: { name: "fresh", namespace: "default" }, ...pending });
    },
    ask: "fresh",
    truths: [truth("the pool has no address left", "no-pool-gives-one", "address-not-allocated")],
    alsoTrue: ["no-pods", "no-endpoints", "announcer-no-servable-endpoint"],
  },
  {
    ...unreachable,
    name: "excluded-everywhere",
    lines: ["A13"],
    words: "the exclude label on every node",
    site: healthyWith(excluded()),
    truths: [truth("every node is excluded by label", "announcer-exclude-label")],
  },
  {
    ...unreachable,
    name: "network-unavailable",
    lines: [],
    words: "calico-node is rolled out and marks every node NetworkUnavailable",
    site: healthyWith(
      ...healthy().nodes.map(({ name }) =>
        nodeConditions(name, { NetworkUnavailable: ["True", "CalicoIsDown", "Calico is shutting down"] }),
      ),
    ),
    truths: [truth("the network of every node is unavailable", "announcer-network-unavailable")],
  },
  {
    ...unreachable,
    name: "selector-matches-nothing",
    lines: ["A21"],
    words: "a node selector that no node matches",
    site: healthyWith(advertisement({ nodeSelectors: [{ matchLabels: { rack: "b" } }] })),
    truths: [truth("no advertisement selects a node", "announcer-no-advertisement-selects-node")],
  },
  {
    ...unreachable,
    name: "nic-that-nobody-has",
    lines: ["A4", "B4", "B20"],
    words: "the advertisement names end0, and the nodes have eth0",
    site: healthyWith(advertisement({ interfaces: ["end0"] })),
    truths: [truth("the elected node has none of the named interfaces", "leader-no-usable-nic")],
  },
  {
    ...unreachable,
    name: "leader-nic-enslaved",
    lines: ["A24"],
    words: "eth0 of the announcing node is a port of a bridge, and the advertisement names eth0",
    site: healthyWith(
      onNic("cargyll", "eth0", { master: "br0", addresses: [] }),
      plugIn("cargyll", {
        name: "br0",
        kind: "bridge",
        mac: "dc:a6:32:0a:13:0d",
        addresses: ["10.4.0.12/20"],
      }),
    ),
    truths: [truth("the named interface is a port of a bridge", "leader-no-usable-nic")],
  },
  {
    ...unreachable,
    name: "foreign-class",
    lines: [],
    words: "the Service was given to another load balancer by its class, and kept its address",
    site: healthyWith(
      patchObject("services", "httpbin", { spec: { loadBalancerClass: "example.com/other" } }),
    ),
    truths: [truth("its class is not MetalLB's", "announcer-not-load-balancer-class")],
  },
  {
    ...unreachable,
    name: "local-without-candidate",
    lines: ["A8"],
    words: "policy Local, and the exclude label on the only two nodes with a pod",
    site: healthyWith(excluded("gardener", "jast")),
    ask: "ingress-nginx-controller",
    truths: [
      truth(
        "the nodes with a pod are excluded",
        "announcer-exclude-label",
        "announcer-no-local-endpoint",
        "announcer-no-node",
      ),
    ],
  },
  {
    ...unreachable,
    name: "leader-cable",
    lines: [],
    words: "the cable of the announcing node is pulled, its speaker still hears the others by another way",
    afterwards: (twin) => twin.setLink(announcerOf(twin, httpbin), "eth0", { carrier: false }),
    truths: [
      truth(
        "the announcing node has no link on its LAN interface",
        "leader-no-usable-nic",
        "announcer-lost",
        "leader-gone",
      ),
    ],
  },
  {
    ...unreachable,
    name: "leader-dead-without-memberlist",
    lines: ["A12"],
    words: "memberlist is off and the announcing node lost power two minutes ago",
    site: withoutMemberlist,
    afterwards: (twin) => twin.setPower(announcerOf(twin, httpbin), false),
    waitSeconds: 120,
    truths: [truth("the elected node is dead", "leader-gone", "announcer-lost")],
    alsoTrue: ["announcer-memberlist-off"],
  },
  {
    ...unreachable,
    name: "split-brain",
    lines: ["A6"],
    words: "speakers are cut into two groups, each elects a node",
    afterwards: splitBrain,
    truths: [truth("two nodes announce", "two-nodes")],
  },
  {
    ...unreachable,
    name: "dual-homed",
    lines: ["A2", "B17"],
    words: "Wi-Fi on beside the cable on the announcing node, every interface announces",
    site: healthyWith(wifiOn("cargyll", "10.4.1.22/20"), everyInterface),
    truths: [truth("one node answers with two MACs", "two-nics")],
  },
  {
    ...unreachable,
    name: "ipvs-without-strict-arp",
    lines: ["A18"],
    words: "kube-proxy in IPVS mode without strictARP: every kernel answers",
    site: () =>
      ipvsEverywhere.reduce(
        (site, fault) => fault(site),
        planned({ kubeProxy: { mode: "ipvs", strictArp: false } })(),
      ),
    truths: [truth("every node answers", "two-nodes", "ipvs-strict-arp-not-set", "ipvs-strict-arp")],
  },
  {
    ...unreachable,
    name: "dhcp-conflict",
    lines: ["A17", "B30"],
    words: "a printer got the address by DHCP",
    site: healthyWith(
      plugIn("laptop", { name: "eth1", mac: "00:1b:a9:4e:77:21", addresses: [`${httpbin}/20`] }),
    ),
    around: (ports) => ({
      ...ports,
      // The printer is no vantage; it lends its wire from one.
      config: { ...ports.config, vantages: ports.config.vantages.filter(({ name }) => name !== "laptop") },
    }),
    truths: [truth("a machine that is no node answers for the address", "foreign-mac")],
  },
  {
    ...unreachable,
    kind: "two faults",
    name: "proxy-arp",
    lines: [],
    words: "a bridge answers ARP for every address, and nothing announces",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    afterwards: (twin) => twin.setProxyArp(true, "02:00:5e:00:00:01"),
    truths: [
      truth("nothing announces the pool", "no-l2-advertisement", "announcer-pool-not-advertised"),
      truth("a device answers for every address", "proxy-arp"),
    ],
    alsoTrue: ["foreign-mac"],
  },
  {
    ...unreachable,
    name: "port-security",
    lines: ["A25"],
    words: "the announcing node died, and the switch binds the address to its MAC",
    afterwards: (twin) => {
      const node = announcerOf(twin, httpbin);
      twin.bindAddress(httpbin, twin.spec.nodes.find(({ name }) => name === node)?.nics[0]?.mac ?? "");
      twin.setPower(node, false);
    },
    undecidable: "no program on a node sees what a switch drops",
    truths: [truth("a switch drops what the next node says", "moved-and-filtered", "arp-filtered")],
  },
  {
    ...unreachable,
    name: "wifi-chip-deaf",
    lines: ["A1"],
    words: "the announcing node has Wi-Fi alone, and its chip drops broadcasts",
    site: healthyWith(
      onNic("cargyll", "eth0", { up: false, addresses: [] }),
      onNic("cargyll", "wlan0", {
        up: true,
        addresses: ["10.4.0.12/20"],
        dropsBroadcast: true,
      }),
      everyInterface,
    ),
    undecidable: "a chip that drops broadcasts looks like an access point that does",
    truths: [truth("the chip drops broadcast ARP", "broadcast-lost-at-leader")],
  },
  {
    ...unreachable,
    kind: "two faults",
    name: "seed-before-the-switch",
    lines: ["B1", "D13"],
    words:
      "the home lab on the evening of its switch: BGP alone, the router that spoke it is gone, and the new one answers for the domain itself",
    site: goldentooth,
    truths: [
      truth("only BGP announces, and nobody listens", "only-bgp"),
      truth("the router answers for the domain itself", "dns-split-horizon"),
    ],
    alsoTrue: ["no-l2-advertisement", "announcer-pool-not-advertised"],
  },
  {
    ...unreachable,
    name: "failover-under-way",
    lines: [],
    words: "the announcing node lost power two seconds ago, nobody has noticed",
    afterwards: (twin) => twin.setPower(announcerOf(twin, httpbin), false),
    waitSeconds: 2,
    truths: [truth("the announcing node is gone", "announcer-lost", "leader-gone")],
  },
  {
    ...unreachable,
    name: "address-of-nobody",
    lines: [],
    words: "somebody asks for an address of the pool that no Service has",
    ask: "10.4.11.200",
    truths: [truth("no Service has the address", "address-of-no-service")],
  },
  {
    ...unreachable,
    name: "address-outside-the-pools",
    lines: [],
    words: "the pool was narrowed, and the address is in none now",
    site: healthyWith(patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.12.0/24"] } })),
    truths: [truth("the address is in no pool", "address-in-no-pool", "announcer-no-pool")],
  },
];
