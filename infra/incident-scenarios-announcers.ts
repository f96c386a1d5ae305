import { onNic, patchObject, plugIn, wifiOn, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { addressOf, everyInterface, healthyWith, ipvsEverywhere, planned } from "./coverage-sites.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";
import { announcerOf, splitBrain } from "./incident-scenarios-announcing.ts";

const httpbin = "10.4.11.1";
const moved = { kind: "one fault", runbook: "announcer-moved", ask: "httpbin", lines: [] } as const;
const two = { kind: "one fault", runbook: "two-announcers", ask: httpbin } as const;

const onAnnouncer = (act: (twin: Twin, node: string) => void) => (twin: Twin) =>
  act(twin, announcerOf(twin, httpbin));

const withoutLaptop: NonNullable<IncidentScenario["around"]> = (ports) => ({
  ...ports,
  config: { ...ports.config, vantages: ports.config.vantages.filter(({ name }) => name !== "laptop") },
});

/** Who announces and why: moves, and more than one who answers. */
export const announcerScenarios: readonly IncidentScenario[] = [
  {
    ...moved,
    name: "moved-by-power",
    words: "the node that announced it lost power",
    afterwards: onAnnouncer((twin, node) => twin.setPower(node, false)),
    waitSeconds: 120,
    truths: [truth("the node before is gone", "moved-node-lost")],
  },
  {
    ...moved,
    name: "moved-by-label",
    lines: ["A13"],
    words: "somebody put the exclude label on the node",
    afterwards: onAnnouncer((twin, node) => {
      twin.store.mergePatch("nodes", undefined, node, {
        metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
      });
    }),
    truths: [truth("the node before is excluded by label", "moved-exclude-label")],
  },
  {
    ...moved,
    name: "moved-by-speaker",
    words: "the speaker of the node was evicted",
    afterwards: onAnnouncer((twin, node) => twin.stopSpeaker(node)),
    truths: [truth("no speaker runs on the node before", "moved-not-a-speaker")],
  },
  {
    ...moved,
    name: "moved-by-selector",
    lines: ["A21"],
    words: "the advertisement was narrowed to other nodes",
    afterwards: onAnnouncer((twin, node) => {
      twin.store.mergePatch("l2advertisements", "metallb", "primary", {
        spec: {
          nodeSelectors: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "NotIn", values: [node] }] },
          ],
        },
      });
    }),
    truths: [truth("no advertisement selects the node before", "moved-no-advertisement-selects-node")],
  },
  {
    ...moved,
    name: "moved-back",
    lines: ["A26"],
    words: "the node that comes first was away for a minute, and took its address back",
    afterwards: async (twin) => {
      const node = announcerOf(twin, httpbin);
      twin.setPower(node, false);
      await twin.clock.sleep(60_000);
      twin.setPower(node, true);
    },
    waitSeconds: 180,
    truths: [truth("the first in order is back", "moved-fail-back")],
  },
  {
    ...two,
    name: "two-by-split",
    lines: ["A6"],
    words: "speakers are cut into two groups",
    afterwards: splitBrain,
    truths: [
      truth(
        "the speakers do not hear each other",
        "memberlist-filtered",
        "memberlist-split",
        "memberlist-unreachable",
      ),
    ],
    alsoTrue: ["two-nodes", "memberlist-udp-blocked"],
  },
  {
    ...two,
    name: "two-by-wifi",
    lines: ["A2"],
    words: "one node answers on cable and on Wi-Fi",
    site: healthyWith(wifiOn("cargyll", "10.4.1.22/20"), everyInterface),
    truths: [truth("one node answers with two MACs", "two-nics")],
  },
  {
    ...two,
    name: "two-by-sharing",
    lines: ["A5"],
    words: "two Services share the address, and one has policy Local",
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
    truths: [truth("Services that share it elect apart", "shared-address-split")],
    alsoTrue: ["two-nodes"],
  },
  {
    ...two,
    name: "two-by-ipvs",
    lines: ["A18"],
    words: "IPVS without strictARP: every kernel answers",
    site: () => withFaults(planned({ kubeProxy: { mode: "ipvs", strictArp: false } })(), ...ipvsEverywhere),
    truths: [truth("every node answers", "ipvs-strict-arp", "ipvs-strict-arp-not-set")],
    alsoTrue: ["two-nodes"],
  },
  {
    ...two,
    name: "two-by-printer",
    lines: ["A17"],
    words: "a printer has the address as well",
    site: healthyWith(
      plugIn("laptop", { name: "eth1", mac: "00:1b:a9:4e:77:21", addresses: [`${httpbin}/20`] }),
    ),
    around: withoutLaptop,
    truths: [truth("a machine that is no node answers", "foreign-mac")],
  },
  {
    ...two,
    name: "two-by-keepalived",
    lines: [],
    words: "keepalived on another node has the address on its interface",
    site: healthyWith(onNic("dalt", "eth0", { addresses: ["10.4.0.13/20", `${httpbin}/32`] })),
    truths: [
      truth("another program announces it on a second node", "second-announcer", "pool-address-on-nic"),
    ],
    alsoTrue: ["two-nodes"],
  },
  {
    ...two,
    name: "two-by-node-address",
    lines: ["A16"],
    words: "the pool held a node's own address, and a Service got it",
    site: healthyWith(
      patchObject("services", "httpbin", { status: { loadBalancer: { ingress: [{ ip: "10.4.0.13" }] } } }),
      patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.0.0-10.4.15.254"] } }),
    ),
    ask: "10.4.0.13",
    truths: [
      truth("the address is a node's own", "second-announcer", "pool-address-on-nic", "pool-overlaps-node"),
    ],
    alsoTrue: ["two-nodes"],
  },
];
