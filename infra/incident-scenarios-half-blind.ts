import { FaultError, type FaultKind } from "#shared/fault.ts";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { plugIn, removeObject } from "#shared/twin/sites/faults.ts";
import { goldentoothDomain } from "#shared/twin/sites/goldentooth-dns.ts";
import { excluded, podsNotReady } from "#shared/twin/sites/service-faults.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { healthyWith, vantageOn } from "./coverage-sites.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";
import { announcerOf, splitBrain } from "./incident-scenarios-announcing.ts";
import { externalDnsStopped } from "./incident-scenarios-names.ts";
import { certificate, issuer } from "./incident-scenarios-others.ts";
import { harborTls } from "./incident-scenarios-reach.ts";
import { delegated, withoutName } from "./lab/dns/faults.ts";

type Around = (ports: DiagnosePorts) => DiagnosePorts;

const ip = "10.4.11.1";
const host = "httpbin.services.k8s.goldentooth.net";
const harbor = "harbor.services.k8s.goldentooth.net";
const zone = "goldentooth.net";
const start = Date.UTC(2026, 2, 1, 14);
const days = (n: number): string => new Date(start + n * 86_400_000).toISOString();

const all =
  (...each: readonly Around[]): Around =>
  (ports) =>
    each.reduce((seen, one) => one(seen), ports);

/** The API server refuses these lists; `every` list without names. */
const denied =
  (...kinds: readonly ResourceKind[]): Around =>
  (ports) => ({
    ...ports,
    read: (async (asked: readonly ResourceKind[], signal?: AbortSignal) => {
      const lists = await ports.read(asked, signal);
      return Object.fromEntries(
        asked.map((kind) => [
          kind,
          kinds.length === 0 || kinds.includes(kind)
            ? { kind: "denied", what: `list of ${kind}`, detail: "forbidden" }
            : lists[kind],
        ]),
      );
    }) as DiagnosePorts["read"],
  });

const failing =
  (
    is: (target: Readonly<{ kind: string; name: string }>, argv: readonly string[]) => boolean,
    kind: FaultKind,
  ): Around =>
  (ports) => ({
    ...ports,
    shell: (target, command, options) =>
      is(target, command.argv)
        ? Promise.reject(
            new FaultError({ kind, what: `ssh to ${target.name}`, detail: "as the scenario says" }),
          )
        : ports.shell(target, command, options),
  });

/** We have no key for any node. */
const noKeys = failing(({ kind }) => kind === "node", "denied");
const deadVantage = (name: string) => failing((target) => target.name === name, "unreachable");
const without = (tool: string) => failing((_, argv) => argv.includes(tool), "missing-tool");

const vantages =
  (...names: readonly string[]): Around =>
  (ports) => ({
    ...ports,
    config: { ...ports.config, vantages: ports.config.vantages.filter(({ name }) => names.includes(name)) },
  });

const noRoute53: Around = (ports) => {
  const refuse = () =>
    Promise.reject(new FaultError({ kind: "denied", what: "Route 53", detail: "AccessDenied" }));
  return {
    ...ports,
    zones: { zones: refuse, zone: refuse, recordSets: refuse, lookUp: refuse, change: refuse },
  };
};

const half = { kind: "half blind", lines: [], runbook: "service-unreachable", ask: "httpbin" } as const;
const well = { ...half, truths: [], mayBeUnknown: true } as const;

const cutCable = (twin: Twin): void => twin.setLink(announcerOf(twin, ip), "eth0", { carrier: false });

/** What cannot be seen is never an alarm, never a pass, and never taken for something else. */
export const halfBlindScenarios: readonly IncidentScenario[] = [
  {
    ...well,
    name: "blind-well-no-keys",
    words: "all is well, and we have no key for any node",
    around: noKeys,
  },
  {
    ...well,
    name: "blind-well-no-endpoints",
    words: "all is well, and endpoints may not be listed",
    around: denied("endpointslices"),
  },
  {
    ...well,
    name: "blind-well-no-events",
    words: "all is well, and events and status objects may not be listed",
    around: denied("events", "servicel2statuses"),
  },
  {
    ...well,
    name: "blind-well-no-pods",
    words: "all is well, and pods may not be listed",
    around: denied("pods"),
  },
  {
    ...well,
    name: "blind-well-no-nodes",
    words: "all is well, and nodes may not be listed",
    around: denied("nodes"),
  },
  {
    ...well,
    name: "blind-well-no-metallb",
    words: "all is well, and nothing of MetalLB may be listed",
    around: denied("ipaddresspools", "l2advertisements", "bgpadvertisements"),
  },
  {
    ...well,
    name: "blind-well-no-vantage",
    words: "all is well, and no vantage is configured",
    around: vantages(),
    blind: true,
  },
  {
    ...well,
    name: "blind-well-on-a-node",
    words: "all is well, and the only vantage is a node of the cluster",
    site: healthyWith(vantageOn("velaryon")),
    around: vantages("velaryon"),
    blind: true,
  },
  {
    ...well,
    name: "blind-well-no-api",
    words: "all is well but the API server, which answers nothing",
    around: denied(),
    ask: ip,
    blind: true,
  },
  {
    ...well,
    name: "blind-well-dead-vantage",
    words: "all is well, and the wired vantage is off",
    around: deadVantage("ops-host"),
  },
  {
    ...well,
    name: "blind-well-no-arping",
    words: "all is well, and no vantage has arping",
    around: without("arping"),
  },
  {
    ...well,
    name: "blind-well-wifi-only",
    words: "all is well, and the only vantage is on Wi-Fi",
    around: vantages("laptop"),
  },
  {
    ...well,
    name: "blind-well-behind-router-only",
    words: "all is well, and the only vantage is behind the router",
    around: vantages("guest-client"),
  },
  {
    ...half,
    name: "blind-no-advertisement-from-behind",
    words: "no advertisement, and the only vantage is behind the router",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    around: vantages("guest-client"),
    truths: [
      truth("no L2Advertisement selects the pool", "no-l2-advertisement", "announcer-pool-not-advertised"),
    ],
  },
  {
    ...half,
    name: "blind-split-brain-from-behind",
    words: "two nodes announce, and the only vantage is behind the router, where ARP is not seen",
    afterwards: splitBrain,
    around: vantages("guest-client"),
    truths: [truth("two nodes announce", "two-nodes")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-new-node-silent",
    words: "a new node does not answer SSH, and nothing else is wrong with it",
    runbook: "new-node",
    ask: "fenn",
    around: failing(({ kind, name }) => kind === "node" && name === "fenn", "timed-out"),
    truths: [truth("SSH to it fails", "ssh-silent")],
  },
  {
    ...well,
    name: "blind-well-no-curl",
    words: "all is well, and no vantage has curl",
    around: without("curl"),
  },
  { ...well, name: "blind-well-no-nc", words: "all is well, and no vantage has nc", around: without("nc") },
  {
    ...well,
    name: "blind-well-no-route53",
    words: "all is well, and Route 53 may not be read",
    ask: host,
    around: noRoute53,
  },
  {
    ...well,
    name: "blind-well-no-dig",
    words: "all is well, and no vantage has dig",
    ask: host,
    around: without("dig"),
  },
  {
    ...half,
    name: "blind-no-advertisement",
    words: "no advertisement, and advertisements may not be listed",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    around: denied("l2advertisements"),
    truths: [
      truth("whether an advertisement selects it is not seen", "no-l2-advertisement", "advertisement-unseen"),
    ],
    undecidable: "a speaker that hangs is silent as well",
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-crash-loop",
    words: "the pod keeps ending, and endpoints and pods may not be listed",
    site: healthyWith(podsNotReady("httpbin")),
    around: denied("endpointslices", "pods"),
    truths: [truth("whether a pod is ready is not seen", "no-ready-endpoint", "endpoints-unseen")],
    undecidable: "silence has many reasons",
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-printer",
    words: "a printer has the address, and we have no key for any node",
    site: healthyWith(plugIn("laptop", { name: "eth1", mac: "00:1b:a9:4e:77:21", addresses: [`${ip}/20`] })),
    around: all(noKeys, vantages("ops-host", "guest-client")),
    truths: [truth("a machine that is no node answers", "foreign-mac", "two-macs")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-split-brain",
    words: "two nodes announce, and we have no key for any node",
    afterwards: splitBrain,
    around: noKeys,
    truths: [truth("two nodes announce", "two-macs", "two-nodes")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-certificate",
    words: "the certificate has ended, and no vantage has curl",
    site: healthyWith(harborTls({ until: days(-1) })),
    ask: "harbor",
    around: without("curl"),
    truths: [truth("the certificate has ended", "certificate-expired")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-record-missing",
    words: "the record is gone, and Route 53 may not be read",
    site: healthyWith(withoutName(host), externalDnsStopped),
    ask: host,
    around: noRoute53,
    truths: [truth("whether the zone has the record is not seen", "record-missing", "record-unseen")],
    alsoTrue: ["external-dns-not-running"],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-not-delegated",
    words: "the zone is not delegated, and Route 53 may not be read",
    site: healthyWith(delegated(goldentoothDomain, () => undefined)),
    ask: host,
    around: noRoute53,
    truths: [truth("whether the zone is delegated is not seen", "dns-not-delegated", "delegation-unseen")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-cable",
    words: "the cable of the announcing node is pulled, and we have no key for any node",
    afterwards: cutCable,
    around: noKeys,
    truths: [
      truth("the announcing node has no link", "leader-no-usable-nic", "announcer-lost", "leader-gone"),
    ],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-excluded",
    words: "every node is excluded by label, and nodes may not be listed",
    site: healthyWith(excluded()),
    around: denied("nodes"),
    truths: [
      truth(
        "whether a node may announce is not seen",
        "announcer-exclude-label",
        "announcer-predicted-unseen",
      ),
    ],
    undecidable: "silence has many reasons",
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-dead-vantage-and-cable",
    words: "the cable of the announcing node is pulled, and the wired vantage is off",
    afterwards: cutCable,
    around: deadVantage("ops-host"),
    truths: [
      truth("the announcing node has no link", "leader-no-usable-nic", "announcer-lost", "leader-gone"),
    ],
  },
  {
    ...half,
    name: "blind-node-lost-no-api",
    words: "a node lost power, and the API server answers nothing",
    afterwards: (twin) => twin.setPower("cargyll", false),
    runbook: "node-lost",
    ask: "cargyll",
    around: denied(),
    truths: [truth("the node is off", "node-gone")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-node-lost-from-behind",
    words: "a node lost power, and the only vantage is behind the router",
    afterwards: (twin) => twin.setPower("cargyll", false),
    runbook: "node-lost",
    ask: "cargyll",
    around: vantages("guest-client"),
    truths: [truth("the node is off", "node-gone")],
    undecidable: "without ARP a broken way to the LAN looks the same",
  },
  {
    ...half,
    name: "blind-node-well-no-keys",
    words: "a node is there, and our key is refused",
    runbook: "node-lost",
    ask: "fenn",
    around: noKeys,
    truths: [],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-new-node",
    words: "a node is fit, and pods may not be listed",
    runbook: "new-node",
    ask: "fenn",
    around: denied("pods"),
    truths: [],
    blind: true,
  },
  {
    ...half,
    name: "blind-drift",
    words: "nothing differs, and Services may not be listed: nothing may be called orphaned",
    runbook: "dns-drift",
    ask: zone,
    around: denied("services"),
    truths: [],
    blind: true,
  },
  {
    ...half,
    name: "blind-drift-no-deployments",
    words: "nothing differs, and Deployments may not be listed",
    runbook: "dns-drift",
    ask: zone,
    around: denied("deployments"),
    truths: [],
    blind: true,
  },
  {
    ...half,
    name: "blind-certificate-objects",
    words: "the issuer is broken, and nothing of cert-manager may be listed",
    site: healthyWith(
      issuer("False"),
      certificate({
        notAfter: days(5),
        conditions: [{ type: "Ready", status: "False", message: "Issuing" }],
      }),
      harborTls({ until: days(5) }),
    ),
    runbook: "certificate-expiring",
    ask: harbor,
    around: denied("certificates", "issuers", "clusterissuers"),
    truths: [truth("it ends soon", "certificate-expiring")],
  },
  {
    ...half,
    name: "blind-two-announcers",
    words: "two nodes announce, and we have no key for any node",
    afterwards: splitBrain,
    runbook: "two-announcers",
    ask: ip,
    around: noKeys,
    truths: [
      truth(
        "the speakers do not hear each other",
        "two-macs",
        "two-nodes",
        "memberlist-filtered",
        "memberlist-split",
      ),
    ],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-one-answer-no-keys",
    words: "one node answers, and we have no key for any node",
    runbook: "two-announcers",
    ask: ip,
    around: noKeys,
    truths: [],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-moved-no-events",
    words: "the node that announced it lost power, and events may not be listed",
    afterwards: (twin) => twin.setPower(announcerOf(twin, ip), false),
    waitSeconds: 120,
    runbook: "announcer-moved",
    ask: "httpbin",
    around: denied("events"),
    truths: [truth("the node before is gone", "moved-node-lost")],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-name-no-dig",
    words: "a name resolves, and no vantage has dig",
    runbook: "name-does-not-resolve",
    ask: host,
    around: without("dig"),
    truths: [],
    mayBeUnknown: true,
  },
  {
    ...half,
    name: "blind-name-no-route53",
    words: "a name resolves, and Route 53 may not be read",
    runbook: "name-does-not-resolve",
    ask: host,
    around: noRoute53,
    truths: [],
    mayBeUnknown: true,
  },
];
