import { patchObject, wifiOn } from "#shared/twin/sites/faults.ts";
import { bgpObjects } from "#shared/twin/sites/goldentooth-plan.ts";
import { healthyPlan } from "#shared/twin/sites/healthy.ts";
import { excluded, podsNotReady, serves } from "#shared/twin/sites/service-faults.ts";
import { everyInterface, healthyWith, planned } from "./coverage-sites.ts";
import type { IncidentScenario } from "./incident-scenario.ts";
import { announcerOf, splitBrain } from "./incident-scenarios-announcing.ts";
import { externalDnsStopped } from "./incident-scenarios-names.ts";
import { certificate, issuer, renewed } from "./incident-scenarios-others.ts";
import { harborTls } from "./incident-scenarios-reach.ts";

const well = { kind: "healthy", lines: [], runbook: "service-unreachable", truths: [] } as const;
const host = "httpbin.services.k8s.goldentooth.net";
const harbor = "harbor.services.k8s.goldentooth.net";
const start = Date.UTC(2026, 2, 1, 14);
const days = (n: number): string => new Date(start + n * 86_400_000).toISOString();

/** Sites on which a false alarm would wake somebody: whatever is unusual there breaks nothing of what is asked. */
export const healthyScenarios: readonly IncidentScenario[] = [
  { ...well, name: "well-by-service", words: "asked by the name of the Service", ask: "httpbin" },
  { ...well, name: "well-by-address", words: "asked by the address", ask: "10.4.11.1" },
  { ...well, name: "well-by-hostname", words: "asked by the host name", ask: host },
  { ...well, name: "well-https", words: "a Service on 443", ask: "harbor" },
  { ...well, name: "well-local", words: "policy Local with two pods", ask: "ingress-nginx-controller" },
  { ...well, name: "well-not-http", words: "MQTT: a port on which nobody speaks HTTP", ask: "mosquitto" },
  {
    ...well,
    name: "well-control-planes-excluded",
    words: "the exclude label on the control planes, as kubeadm puts it",
    site: healthyWith(excluded("allyrion", "bettley", "cargyll")),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-after-failover",
    words: "the announcing node died two minutes ago and the next one took over",
    afterwards: (twin) => twin.setPower(announcerOf(twin, "10.4.11.1"), false),
    waitSeconds: 120,
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-another-node-dead",
    words: "a node is dead that neither announces it nor runs its pod",
    afterwards: (twin) => twin.setPower("velaryon", false),
    waitSeconds: 120,
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-one-of-two-pods",
    words: "one of two pods keeps ending, the other serves",
    site: healthyWith(podsNotReady("minio", 1)),
    ask: "minio",
  },
  {
    ...well,
    name: "well-another-service-broken",
    words: "the pod of another Service keeps ending",
    site: healthyWith(podsNotReady("grafana")),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-older-release",
    words: "MetalLB 0.15.2, whose status objects may be stale",
    site: planned({ metallb: { ...healthyPlan.metallb, version: "0.15.2" } }),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-one-way-in",
    words: "one wired vantage and no other",
    around: (ports) => ({
      ...ports,
      config: { ...ports.config, vantages: ports.config.vantages.filter(({ name }) => name === "ops-host") },
    }),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-node-port-pods",
    words: "a rollout ended: the pods are young, all of them serve",
    site: healthyWith(patchObject("services", "httpbin", { metadata: { labels: { rolled: "again" } } })),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-stale-status",
    words: "MetalLB 0.15.2 after a failover: a status object still names the dead node",
    site: planned({ metallb: { ...healthyPlan.metallb, version: "0.15.2" } }),
    afterwards: (twin) => twin.setPower(announcerOf(twin, "10.4.11.1"), false),
    waitSeconds: 120,
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-without-memberlist",
    words: "memberlist is off, and nobody has died",
    site: planned({ metallb: { ...healthyPlan.metallb, memberlist: false } }),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-wifi-that-does-not-announce",
    words: "Wi-Fi is on beside the cable on the announcing node, and the advertisement names eth0",
    site: healthyWith(wifiOn("cargyll", "10.4.1.22/20")),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-every-interface",
    words: "an advertisement without interfaces, and nodes with one",
    site: healthyWith(everyInterface),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-bgp-leftovers",
    words: "a BGPPeer and a BFDProfile are left over",
    site: planned({
      metallb: { ...healthyPlan.metallb, version: "0.15.2" },
      frr: true,
      extra: [...healthyPlan.extra, ...bgpObjects.filter(({ kind }) => kind !== "bgpadvertisements")],
    }),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-external-dns-stopped",
    words: "ExternalDNS is scaled to zero, and the record is as it should be",
    site: healthyWith(externalDnsStopped),
    ask: host,
  },
  {
    ...well,
    name: "well-certificate-two-weeks",
    words: "a certificate with two weeks left serves as well as any other",
    site: healthyWith(harborTls({ until: days(14) })),
    ask: "harbor",
  },
  {
    ...well,
    name: "well-private-ca",
    words: "a self-signed certificate, as home labs have",
    site: healthyWith(harborTls({ verifyResult: 18 })),
    ask: "harbor",
  },
  {
    ...well,
    name: "well-login-wanted",
    words: "the application answers 401",
    site: healthyWith(serves({ service: "httpbin/httpbin", http: 401 })),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-redirect",
    words: "the application redirects",
    site: healthyWith(serves({ service: "httpbin/httpbin", http: 302, redirect: "https://example.org/" })),
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-speakers-restarted",
    words: "every speaker was restarted in turn, the last a minute ago",
    afterwards: async (twin) => {
      for (const { name } of twin.spec.nodes) {
        twin.stopSpeaker(name);
        await twin.clock.sleep(2_000);
        twin.startSpeaker(name);
        await twin.clock.sleep(2_000);
      }
    },
    waitSeconds: 120,
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-split-healed",
    words: "speakers were cut in two for a minute, and have found each other since",
    afterwards: async (twin) => {
      splitBrain(twin);
      await twin.clock.sleep(60_000);
      twin.partition([]);
    },
    waitSeconds: 150,
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-answer-after-split",
    words: "the same, asked who answers",
    afterwards: async (twin) => {
      splitBrain(twin);
      await twin.clock.sleep(60_000);
      twin.partition([]);
    },
    waitSeconds: 150,
    runbook: "two-announcers",
    ask: "10.4.11.1",
  },
  {
    ...well,
    name: "well-name",
    words: "a name that resolves",
    runbook: "name-does-not-resolve",
    ask: host,
  },
  {
    ...well,
    name: "well-announcer",
    words: "one node has announced it all the time",
    runbook: "announcer-moved",
    ask: "httpbin",
  },
  {
    ...well,
    name: "well-one-answer",
    words: "one node answers, once",
    runbook: "two-announcers",
    ask: "10.4.11.1",
  },
  { ...well, name: "well-node", words: "a node that is there", runbook: "node-lost", ask: "fenn" },
  {
    ...well,
    name: "well-node-beside-a-dead-one",
    words: "another node is dead",
    afterwards: (twin) => twin.setPower("velaryon", false),
    waitSeconds: 120,
    runbook: "node-lost",
    ask: "fenn",
  },
  { ...well, name: "well-new-node", words: "a node that is fit", runbook: "new-node", ask: "fenn" },
  {
    ...well,
    name: "well-new-node-beside-a-dead-one",
    words: "the neighbour of a fit node is dead",
    afterwards: (twin) => twin.setPower("fenn", false),
    waitSeconds: 90,
    runbook: "new-node",
    ask: "erenford",
  },
  {
    ...well,
    name: "well-new-control-plane",
    words: "a control plane with the exclude label, which is usual",
    site: healthyWith(excluded("allyrion")),
    runbook: "new-node",
    ask: "allyrion",
  },
  { ...well, name: "well-zone", words: "nothing differs", runbook: "dns-drift", ask: "goldentooth.net" },
  {
    ...well,
    name: "well-certificate",
    words: "60 days left, made by hand",
    runbook: "certificate-expiring",
    ask: harbor,
  },
  {
    ...well,
    name: "well-certificate-renewed",
    words: "renewed by cert-manager and served",
    site: healthyWith(issuer("True"), certificate(renewed(80)), harborTls({ until: days(80) })),
    runbook: "certificate-expiring",
    ask: harbor,
  },
  {
    ...well,
    name: "well-certificate-being-renewed",
    words: "due for ten minutes, and cert-manager is at it",
    site: healthyWith(
      issuer("True"),
      certificate({
        ...renewed(30),
        renewalTime: new Date(start - 600_000).toISOString(),
        conditions: [
          { type: "Ready", status: "True", message: "Certificate is up to date and has not expired" },
          { type: "Issuing", status: "True", lastTransitionTime: new Date(start - 60_000).toISOString() },
        ],
      }),
      harborTls({ until: days(30) }),
    ),
    runbook: "certificate-expiring",
    ask: harbor,
  },
];
