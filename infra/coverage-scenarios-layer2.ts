import {
  addObject,
  onMachine,
  onNic,
  patchObject,
  plugIn,
  removeObject,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";

import type { Scenario } from "./coverage-scenarios.ts";
import {
  addressOf,
  advertisement,
  everyInterface,
  healthyWith,
  ipvsEverywhere,
  planned,
  pool,
  slowKubelet,
  withoutCa,
} from "./coverage-sites.ts";

/** What users of layer 2 run into, list A; some of it is in list B too. */
export const layer2Scenarios: readonly Scenario[] = [
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
    lines: ["A14", "B1"],
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
    lines: ["A20"],
    words: "the node of MetalLB's only controller loses power",
    site: healthy,
    afterwards: (twin) => twin.setPower(twin.spec.nodes.at(-1)?.name ?? "", false),
    expect: ["webhook-unreachable"],
  },
  {
    lines: ["A20"],
    words: "a CA bundle that GitOps put back to empty",
    site: healthyWith(withoutCa),
    expect: ["webhook-without-ca"],
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
    lines: ["A25"],
    words: "a switch that binds an address to the MAC it had, and a leader that stops",
    site: healthy,
    afterwards: (twin) => {
      const mac = twin.spec.nodes.find(({ name }) => name === "cargyll")?.nics[0]?.mac ?? "";
      twin.bindAddress("10.4.11.1", mac);
      twin.setPower("cargyll", false);
    },
    ask: "arping httpbin",
    expect: ["silence", "moved-and-filtered"],
  },
  {
    lines: ["A26"],
    words: "a reboot after which kubelet is Ready 15 s later than the speaker",
    site: slowKubelet("cargyll", 15_000),
    afterwards: (twin) => {
      twin.setPower("cargyll", false);
      twin.setPower("cargyll", true);
    },
    expect: ["announced-before-ready"],
  },
  {
    lines: ["A27"],
    words: "MetalLB 0.10.3, which goes by ready endpoints alone",
    site: planned({ metallb: { ...healthyPlan.metallb, version: "0.10.3" } }),
    expect: ["withdrawn-with-control-plane"],
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
];
