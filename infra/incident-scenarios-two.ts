import { onMachine, plugIn, removeObject, wifiOn } from "#shared/twin/sites/faults.ts";
import { goldentoothDomain } from "#shared/twin/sites/goldentooth-dns.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { excluded, podsNotReady, serves, targetPort } from "#shared/twin/sites/service-faults.ts";
import { everyInterface, healthyWith } from "./coverage-sites.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";
import { announcerOf, splitBrain } from "./incident-scenarios-announcing.ts";
import { externalDnsStopped } from "./incident-scenarios-names.ts";
import { certificate, issuer, renewed } from "./incident-scenarios-others.ts";
import { harborTls } from "./incident-scenarios-reach.ts";
import { delegated, record, resolver, withoutName, withRecords } from "./lab/dns/faults.ts";

const two = { kind: "two faults", runbook: "service-unreachable" } as const;
const host = "httpbin.services.k8s.goldentooth.net";
const harbor = "harbor.services.k8s.goldentooth.net";
const start = Date.UTC(2026, 2, 1, 14);
const days = (n: number): string => new Date(start + n * 86_400_000).toISOString();

/** Two things wrong at once, neither because of the other. */
export const twoFaultScenarios: readonly IncidentScenario[] = [
  {
    ...two,
    name: "record-missing-and-crash-loop",
    lines: [],
    words: "the record is gone, and the pod keeps ending",
    site: healthyWith(withoutName(host), externalDnsStopped, podsNotReady("httpbin")),
    ask: host,
    truths: [
      truth("the record is not in the zone", "record-missing"),
      truth("its pod is not ready", "no-ready-endpoint"),
    ],
    alsoTrue: ["announcer-no-servable-endpoint", "external-dns-not-running"],
  },
  {
    ...two,
    name: "old-address-and-ended-certificate",
    lines: [],
    words: "the record has an old address, and the certificate has ended",
    site: healthyWith(
      withRecords(record("A", harbor, 60, "10.4.11.99")),
      externalDnsStopped,
      harborTls({ until: days(-1) }),
    ),
    ask: harbor,
    truths: [
      truth("the record has the old address", "record-wrong-target"),
      truth("the certificate has ended", "certificate-expired"),
    ],
    alsoTrue: ["external-dns-not-running"],
  },
  {
    ...two,
    name: "not-delegated-and-no-advertisement",
    lines: ["D1", "A14"],
    words: "the registry has no NS records, and no advertisement selects the pool",
    site: healthyWith(
      delegated(goldentoothDomain, () => undefined),
      removeObject("l2advertisements", "primary"),
    ),
    ask: host,
    truths: [
      truth("the zone is not delegated", "dns-not-delegated"),
      truth("no L2Advertisement selects the pool", "no-l2-advertisement", "announcer-pool-not-advertised"),
    ],
  },
  {
    ...two,
    name: "answer-filter-and-dhcp-conflict",
    lines: ["D12", "A17"],
    words: "the site's resolver drops private addresses, and a printer has the address",
    site: healthyWith(
      resolver("router", { privateAddresses: "empty", privateDomains: [] }),
      plugIn("laptop", { name: "eth1", mac: "00:1b:a9:4e:77:21", addresses: ["10.4.11.1/20"] }),
    ),
    around: (ports) => ({
      ...ports,
      config: { ...ports.config, vantages: ports.config.vantages.filter(({ name }) => name !== "laptop") },
    }),
    ask: host,
    truths: [
      truth("the resolver filters private addresses", "dns-private-address-filter"),
      truth("a machine that is no node answers for the address", "foreign-mac"),
    ],
  },
  {
    ...two,
    name: "excluded-and-record-missing",
    lines: ["A13"],
    words: "every node is excluded by label, and the record is gone",
    site: healthyWith(excluded(), withoutName(host), externalDnsStopped),
    ask: host,
    truths: [
      truth("every node is excluded by label", "announcer-exclude-label"),
      truth("the record is not in the zone", "record-missing"),
    ],
    alsoTrue: ["external-dns-not-running"],
  },
  {
    ...two,
    name: "answer-filter-and-503",
    lines: ["D12"],
    words: "the site's resolver drops private addresses, and the application answers 503",
    site: healthyWith(
      resolver("router", { privateAddresses: "empty", privateDomains: [] }),
      serves({ service: "httpbin/httpbin", http: 503 }),
    ),
    ask: host,
    truths: [
      truth("the resolver filters private addresses", "dns-private-address-filter"),
      truth("the application fails", "http-server-error"),
    ],
  },
  {
    ...two,
    name: "split-brain-and-ended-certificate",
    lines: ["A6"],
    words: "two nodes announce, and the certificate has ended",
    site: healthyWith(harborTls({ until: days(-1) })),
    afterwards: splitBrain,
    ask: "harbor",
    truths: [
      truth("two nodes announce", "two-nodes"),
      truth("the certificate has ended", "certificate-expired"),
    ],
  },
  {
    ...two,
    name: "excluded-and-crash-loop",
    lines: ["A13"],
    words: "every node is excluded by label, and the only pod keeps ending",
    site: healthyWith(excluded(), podsNotReady("httpbin")),
    ask: "httpbin",
    truths: [
      truth("its pod is not ready", "no-ready-endpoint"),
      {
        ...truth("every node is excluded by label", "announcer-exclude-label"),
        hidden: "without an endpoint nobody stands for election",
      },
    ],
    alsoTrue: ["announcer-no-servable-endpoint"],
  },
  {
    ...two,
    name: "cable-and-record-missing",
    lines: [],
    words: "the cable of the announcing node is pulled, and the record is gone",
    site: healthyWith(withoutName(host), externalDnsStopped),
    afterwards: (twin) => twin.setLink(announcerOf(twin, "10.4.11.1"), "eth0", { carrier: false }),
    ask: host,
    truths: [
      truth("the announcing node has no link", "leader-no-usable-nic", "announcer-lost", "leader-gone"),
      truth("the record is not in the zone", "record-missing"),
    ],
    alsoTrue: ["external-dns-not-running"],
  },
  {
    ...two,
    name: "narrow-router-and-wrong-port",
    lines: ["B5"],
    words: "the router has a /24 on the LAN, and the Service sends to a port on which nothing listens",
    site: healthyWith(targetPort("httpbin", 9_999)),
    afterwards: (twin) => twin.setRouterLan("10.4.0.1/24"),
    ask: "httpbin",
    truths: [
      truth("no container listens on the target port", "target-port"),
      truth("the router has no way to the address", "router-no-way", "router-way"),
    ],
    alsoTrue: ["pod-refuses"],
  },
  {
    ...two,
    name: "dual-homed-and-503",
    lines: ["A2"],
    words: "the announcing node answers with two MACs, and the application answers 503",
    site: healthyWith(
      wifiOn("cargyll", "10.4.1.22/20"),
      everyInterface,
      serves({ service: "httpbin/httpbin", http: 503 }),
    ),
    ask: "httpbin",
    truths: [
      truth("one node answers with two MACs", "two-nics"),
      truth("the application fails", "http-server-error"),
    ],
  },
  {
    ...two,
    name: "seed-after-the-switch",
    lines: ["A2", "D12", "B22"],
    words:
      "the home lab after its switch: a dual-homed node announces, and the router's resolver drops private addresses",
    site: goldentoothL2,
    ask: "prometheus",
    truths: [
      truth("one node answers with two MACs", "two-nics"),
      truth("the resolver filters private addresses", "dns-private-address-filter"),
    ],
  },
  {
    ...two,
    name: "no-advertisement-and-ended-certificate",
    lines: ["A14"],
    words: "no advertisement, and a certificate that has ended",
    site: healthyWith(removeObject("l2advertisements", "primary"), harborTls({ until: days(-1) })),
    ask: "harbor",
    truths: [
      truth("no L2Advertisement selects the pool", "no-l2-advertisement", "announcer-pool-not-advertised"),
      {
        ...truth("the certificate has ended", "certificate-expired"),
        hidden: "nobody is shown a certificate while nothing answers",
      },
    ],
  },
  {
    ...two,
    name: "printer-and-crash-loop",
    lines: ["A17"],
    words: "a printer has the address, and the pod keeps ending",
    site: healthyWith(
      podsNotReady("httpbin"),
      plugIn("laptop", { name: "eth1", mac: "00:1b:a9:4e:77:21", addresses: ["10.4.11.1/20"] }),
    ),
    around: (ports) => ({
      ...ports,
      config: { ...ports.config, vantages: ports.config.vantages.filter(({ name }) => name !== "laptop") },
    }),
    ask: "httpbin",
    truths: [
      truth("a machine that is no node answers for the address", "foreign-mac"),
      truth("its pod is not ready", "no-ready-endpoint"),
    ],
    alsoTrue: ["announcer-no-servable-endpoint"],
  },
  {
    kind: "two faults",
    name: "node-dead-with-the-only-pods",
    lines: ["A8"],
    words: "a node lost power, and two Services lived on it alone",
    afterwards: (twin) => twin.setPower("harlton", false),
    waitSeconds: 90,
    runbook: "node-lost",
    ask: "harlton",
    truths: [
      truth("the node is off", "node-gone"),
      truth("Services lived on it alone", "service-without-endpoints"),
    ],
    alsoTrue: ["address-left-behind"],
  },
  {
    kind: "two faults",
    name: "new-node-wifi-and-firewall",
    lines: ["A2", "A7"],
    words: "a node came with Wi-Fi on and a firewall on port 7946",
    site: healthyWith(wifiOn("dalt", "10.4.1.22/20"), onMachine("dalt", { droppedPorts: [7946] })),
    runbook: "new-node",
    ask: "dalt",
    truths: [
      truth("Wi-Fi is on beside the cable", "wired-and-wifi", "wifi-may-answer"),
      truth("the speakers' port is filtered", "memberlist-filtered"),
    ],
    alsoTrue: ["arp-flux", "arp-flux-source", "calico-autodetection", "memberlist-udp-blocked"],
  },
  {
    kind: "two faults",
    name: "external-dns-stopped-and-unowned",
    lines: [],
    words: "ExternalDNS is scaled to zero, and a record has lost its owner",
    site: healthyWith(externalDnsStopped, withRecords(record("TXT", `a-${host}`, 300, '"x"'))),
    runbook: "dns-drift",
    ask: "goldentooth.net",
    truths: [
      truth("ExternalDNS does not run", "external-dns-not-running"),
      truth("nobody owns the record", "record-unowned"),
    ],
  },
  {
    kind: "two faults",
    name: "not-reloaded-and-other-name",
    lines: ["B26"],
    words: "the server shows an old certificate, and that one is for another name",
    site: healthyWith(
      issuer("True"),
      certificate(renewed(89)),
      harborTls({ names: ["*.goldentooth.net"], until: days(40) }),
    ),
    runbook: "certificate-expiring",
    ask: harbor,
    truths: [
      truth(
        "the server shows another than cert-manager made",
        "certificate-not-reloaded",
        "certificate-elsewhere",
      ),
      truth("it is for other names", "certificate-other-name"),
    ],
  },
];
