import { buildSite } from "#shared/twin/sites/build-site.ts";
import { addObject, calicoUses, onMachine, removeObject, wifiOn } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthyPlan } from "#shared/twin/sites/healthy.ts";
import { excluded, nodeConditions } from "#shared/twin/sites/service-faults.ts";
import { everyInterface, healthyWith } from "./coverage-sites.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";
import { externalDnsStopped } from "./incident-scenarios-names.ts";
import { harborTls } from "./incident-scenarios-reach.ts";
import { externalDnsRelease, record, withoutName, withRecords } from "./lab/dns/faults.ts";

const one = { kind: "one fault" } as const;
const zone = "goldentooth.net";
const host = "httpbin.services.k8s.goldentooth.net";
const harbor = "harbor.services.k8s.goldentooth.net";
const start = Date.UTC(2026, 2, 1, 14);
const days = (n: number): string => new Date(start + n * 86_400_000).toISOString();

export const issuer = (status: string) =>
  addObject(
    "clusterissuers",
    { name: "letsencrypt" },
    {
      spec: {
        acme: {
          server: "https://acme-v02.api.letsencrypt.org/directory",
          solvers: [{ dns01: { route53: { region: "eu-central-1" } } }],
        },
      },
      status: { conditions: [{ type: "Ready", status, message: "as the site says" }] },
    },
  );

export const certificate = (status: object) =>
  addObject(
    "certificates",
    { name: "harbor", namespace: "harbor" },
    {
      spec: {
        secretName: "harbor-tls",
        dnsNames: [harbor],
        issuerRef: { kind: "ClusterIssuer", name: "letsencrypt" },
      },
      status,
    },
  );

export const renewed = (until: number) => ({
  notAfter: days(until),
  renewalTime: days(until - 30),
  conditions: [{ type: "Ready", status: "True", message: "Certificate is up to date and has not expired" }],
});

/** Nodes, zones and certificates: the runbooks beside the path. */
export const otherScenarios: readonly IncidentScenario[] = [
  {
    ...one,
    name: "node-without-power",
    lines: [],
    words: "a node lost power a minute ago",
    afterwards: (twin) => twin.setPower("cargyll", false),
    runbook: "node-lost",
    ask: "cargyll",
    truths: [truth("the node is off", "node-gone")],
  },
  {
    ...one,
    name: "node-just-died",
    lines: [],
    words: "a node lost power 15 s ago, Kubernetes still calls it Ready",
    afterwards: (twin) => twin.setPower("cargyll", false),
    waitSeconds: 15,
    runbook: "node-lost",
    ask: "cargyll",
    undecidable: "until Kubernetes notices, a cut cable looks the same",
    truths: [truth("the node is off", "node-gone")],
  },
  {
    ...one,
    name: "node-cable",
    lines: [],
    words: "the LAN cable of a node is pulled, it is reached another way",
    afterwards: (twin) => twin.setLink("dalt", "eth0", { carrier: false }),
    runbook: "node-lost",
    ask: "dalt",
    truths: [truth("its LAN interface has no link", "lan-link-down")],
    alsoTrue: ["address-left-behind"],
  },
  {
    ...one,
    name: "node-kubelet-silent",
    lines: [],
    words: "kubelet was stopped on a node that runs",
    site: healthyWith(nodeConditions("dalt", { Ready: ["Unknown", "NodeStatusUnknown"] })),
    runbook: "node-lost",
    ask: "dalt",
    truths: [truth("kubelet says nothing", "kubelet-silent")],
    alsoTrue: ["speaker-down"],
  },
  {
    ...one,
    name: "node-hung",
    lines: [],
    words: "a node is out of memory: its kernel answers, nothing else does",
    site: healthyWith(nodeConditions("dalt", { Ready: ["Unknown", "NodeStatusUnknown"] })),
    afterwards: (twin) => twin.hang("dalt", true),
    runbook: "node-lost",
    ask: "dalt",
    undecidable: "a firewall that drops SSH beside a dead kubelet looks the same",
    truths: [truth("it hangs", "node-hung")],
  },
  {
    ...one,
    name: "node-deleted",
    lines: [],
    words: "somebody deleted the Node while the machine runs",
    site: healthyWith(removeObject("nodes", "dalt")),
    around: (ports) => ({
      ...ports,
      config: { ...ports.config, nodes: [{ name: "dalt", access: {} as never }] },
    }),
    runbook: "node-lost",
    ask: "dalt",
    truths: [truth("the Node object is gone", "node-object-missing")],
  },
  {
    ...one,
    name: "speaker-stopped",
    lines: [],
    words: "the speaker of a node was evicted",
    afterwards: (twin) => twin.stopSpeaker("cargyll"),
    runbook: "node-lost",
    ask: "cargyll",
    truths: [truth("its speaker does not run", "speaker-down")],
  },
  {
    ...one,
    name: "new-node-wifi",
    lines: ["A2", "B21"],
    words: "a node was imaged with Wi-Fi on",
    site: healthyWith(wifiOn("dalt", "10.4.1.22/20"), everyInterface),
    runbook: "new-node",
    ask: "dalt",
    truths: [truth("Wi-Fi is on beside the cable", "wired-and-wifi", "wifi-may-answer")],
    // Two interfaces in one segment are wrong for the kernel's own ARP and for Calico's choice as well.
    alsoTrue: ["arp-flux", "calico-autodetection", "arp-flux-source", "restriction-cancelled"],
  },
  {
    ...one,
    name: "new-node-calico",
    lines: ["B22"],
    words: "Calico took the Wi-Fi address of a node",
    site: healthyWith(wifiOn("dalt", "10.4.1.22/20"), calicoUses("dalt", "10.4.1.22/20")),
    runbook: "new-node",
    ask: "dalt",
    truths: [truth("Calico is on Wi-Fi", "calico-address-nic")],
    alsoTrue: ["wired-and-wifi", "wifi-may-answer", "arp-flux", "arp-flux-source", "calico-autodetection"],
  },
  {
    ...one,
    name: "new-node-firewall",
    lines: ["A7"],
    words: "a firewall of the node drops port 7946",
    site: healthyWith(onMachine("dalt", { droppedPorts: [7946] })),
    runbook: "new-node",
    ask: "dalt",
    truths: [truth("the speakers' port is filtered", "memberlist-filtered")],
    // It drops TCP and UDP alike; what leaves the node over TCP gets through.
    alsoTrue: ["memberlist-udp-blocked"],
  },
  {
    ...one,
    name: "new-node-excluded",
    lines: ["A13"],
    words: "a worker came with the exclude label",
    site: healthyWith(excluded("dalt")),
    runbook: "new-node",
    ask: "dalt",
    truths: [truth("it is excluded by label", "exclude-label")],
  },
  {
    ...one,
    name: "zone-record-missing",
    lines: [],
    words: "a record was deleted while ExternalDNS is scaled to zero",
    site: healthyWith(withoutName(host), externalDnsStopped),
    runbook: "dns-drift",
    ask: zone,
    truths: [truth("ExternalDNS does not run", "external-dns-not-running")],
    alsoTrue: ["record-missing"],
  },
  {
    ...one,
    name: "zone-unowned-record",
    lines: [],
    words: "the ownership text of a record was deleted",
    site: healthyWith(withRecords(record("TXT", `a-${host}`, 300, '"x"'))),
    runbook: "dns-drift",
    ask: zone,
    truths: [truth("nobody owns the record", "record-unowned")],
  },
  {
    ...one,
    name: "zone-new-prefix",
    lines: ["B25"],
    words: "ExternalDNS was updated to 0.22, which reads other annotations",
    site: healthyWith(externalDnsRelease("0.22.0")),
    runbook: "dns-drift",
    ask: zone,
    truths: [truth("its annotations are ignored", "annotation-ignored")],
    alsoTrue: ["dns-source-empty"],
  },
  {
    ...one,
    name: "zone-out-of-sight",
    lines: ["B23"],
    words: "the domain filter was replaced in place",
    site: goldentoothL2,
    runbook: "dns-drift",
    ask: "hellholt.net",
    truths: [truth("no ExternalDNS looks at the old zone", "dns-zone-unwatched")],
  },
  {
    ...one,
    name: "certificate-by-hand",
    lines: [],
    words: "a certificate that a person made has five days left",
    site: healthyWith(harborTls({ until: days(5) })),
    runbook: "certificate-expiring",
    ask: harbor,
    truths: [truth("it ends soon and nobody renews it", "certificate-expiring")],
  },
  {
    ...one,
    name: "certificate-not-reloaded",
    lines: [],
    words: "cert-manager has renewed, and the server still shows the old one",
    site: healthyWith(issuer("True"), certificate(renewed(89)), harborTls({ until: days(2) })),
    runbook: "certificate-expiring",
    ask: harbor,
    truths: [truth("the server has not taken it up", "certificate-not-reloaded")],
  },
  {
    ...one,
    name: "certificate-issuer-broken",
    lines: [],
    words: "the account of the issuer is gone, and the renewal fails since two days",
    site: healthyWith(
      issuer("False"),
      certificate({
        notAfter: days(5),
        renewalTime: days(-25),
        failedIssuanceAttempts: 4,
        conditions: [
          { type: "Ready", status: "False", message: "Issuing" },
          { type: "Issuing", status: "True", lastTransitionTime: days(-2) },
        ],
      }),
      harborTls({ until: days(5) }),
    ),
    runbook: "certificate-expiring",
    ask: harbor,
    truths: [truth("the issuer is not ready", "issuer-not-ready")],
  },
  {
    kind: "two faults",
    name: "node-without-power-and-memberlist",
    lines: ["A12"],
    words: "memberlist is off and a node that carries an address lost power",
    site: () => buildSite({ ...healthyPlan, metallb: { ...healthyPlan.metallb, memberlist: false } }),
    afterwards: (twin) => twin.setPower("cargyll", false),
    runbook: "node-lost",
    ask: "cargyll",
    truths: [truth("the node is off", "node-gone"), truth("nobody takes its address over", "memberlist-off")],
    alsoTrue: ["address-left-behind"],
  },
];
