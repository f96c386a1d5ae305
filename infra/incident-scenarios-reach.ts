import { onMachine, onNic, staticRoute, wifiOn } from "#shared/twin/sites/faults.ts";
import {
  podsNotReady,
  selectsNothing,
  serves,
  targetPort,
  unscheduled,
  withoutPods,
} from "#shared/twin/sites/service-faults.ts";
import type { WebTls } from "#shared/twin/web.ts";
import { advertisement, healthyWith, vantageRoutes } from "./coverage-sites.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";

const unreachable = { kind: "one fault", runbook: "service-unreachable", ask: "httpbin" } as const;
const start = Date.UTC(2026, 2, 1, 14);
const days = (n: number): string => new Date(start + n * 86_400_000).toISOString();

/** The certificate of harbor, as the site has it, with something else about it. */
export const harborTls = (change: Partial<WebTls>) =>
  serves({
    service: "harbor/harbor",
    port: 443,
    tls: { names: ["harbor.services.k8s.goldentooth.net"], from: days(-60), until: days(30), ...change },
  });

/** From the wire to the pods: routes, the router, TCP, TLS, HTTP, endpoints. */
export const reachScenarios: readonly IncidentScenario[] = [
  {
    ...unreachable,
    name: "crash-loop",
    lines: [],
    words: "the only pod keeps ending",
    site: healthyWith(podsNotReady("httpbin")),
    truths: [truth("its pod is not ready", "no-ready-endpoint")],
    alsoTrue: ["announcer-no-servable-endpoint"],
  },
  {
    ...unreachable,
    name: "scaled-to-zero",
    lines: [],
    words: "no pod is left",
    site: healthyWith(withoutPods("httpbin")),
    truths: [truth("no pod runs", "no-pods", "no-endpoints")],
    alsoTrue: ["announcer-no-servable-endpoint"],
  },
  {
    ...unreachable,
    name: "misspelt-selector",
    lines: [],
    words: "the selector of the Service names no pod",
    site: healthyWith(selectsNothing("httpbin")),
    truths: [truth("the selector selects nothing", "no-pods", "no-endpoints")],
    alsoTrue: ["announcer-no-servable-endpoint"],
  },
  {
    ...unreachable,
    name: "unschedulable",
    lines: [],
    words: "no node takes its pod",
    site: healthyWith(unscheduled("httpbin")),
    truths: [truth("its pod has no node", "pods-not-scheduled")],
    alsoTrue: ["announcer-no-servable-endpoint", "no-endpoints"],
  },
  {
    ...unreachable,
    name: "wrong-target-port",
    lines: [],
    words: "the Service sends to 9999, and its containers listen on 8080",
    site: healthyWith(targetPort("httpbin", 9_999)),
    truths: [truth("no container listens on the target port", "target-port")],
    alsoTrue: ["pod-refuses"],
  },
  {
    ...unreachable,
    name: "pods-node-dead",
    lines: ["A8"],
    words: "the node with its only pod lost power 25 s ago, Kubernetes has not noticed",
    afterwards: (twin) => twin.setPower("harlton", false),
    waitSeconds: 25,
    truths: [truth("the node of its only pod is gone", "endpoints-on-lost-node")],
  },
  {
    ...unreachable,
    name: "pods-node-dead-and-noticed",
    lines: ["A8"],
    words: "the node with its only pod lost power two minutes ago",
    afterwards: (twin) => twin.setPower("harlton", false),
    waitSeconds: 120,
    truths: [truth("the node of its only pod is gone", "no-ready-endpoint", "endpoints-on-lost-node")],
    alsoTrue: ["announcer-no-servable-endpoint"],
  },
  {
    ...unreachable,
    name: "router-narrow-lan",
    lines: ["B5"],
    words: "the router has a /24 on the LAN and no route to the pool: only clients behind it suffer",
    afterwards: (twin) => twin.setRouterLan("10.4.0.1/24"),
    truths: [truth("the router has no way to the address", "router-no-way", "router-way")],
  },
  {
    ...unreachable,
    name: "router-via-dead-node",
    lines: ["B7", "B9"],
    words: "the router sends the pool to one node, and that node lost power",
    site: healthyWith(staticRoute("10.4.11.0/24", "10.4.0.19")),
    afterwards: (twin) => twin.setPower("jast", false),
    truths: [
      truth("the router's route leads through a dead node", "via-a-node", "router-no-way", "router-way"),
    ],
  },
  {
    ...unreachable,
    name: "router-via-live-node",
    lines: ["B7", "B9"],
    words: "the router sends the pool to one node, and that node lives: it works until it does not",
    site: healthyWith(staticRoute("10.4.11.0/24", "10.4.0.19")),
    truths: [truth("the router's route leads through a node", "via-a-node")],
  },
  {
    ...unreachable,
    name: "vantage-via-live-node",
    lines: ["B18"],
    words: "the wired host has a route to the pool through a node that lives",
    site: healthyWith(vantageRoutes("ops-host", { dst: "10.4.11.0/24", gateway: "10.4.0.19", dev: "eth0" })),
    truths: [
      truth(
        "that host's own route leads through a node",
        "vantage-route-via-node",
        "via-a-node",
        "vantage-route-via-gateway",
      ),
    ],
  },
  {
    ...unreachable,
    name: "vantage-via-dead-node",
    lines: ["B18"],
    words: "the wired host has a route to the pool through a node, and that node lost power",
    site: healthyWith(vantageRoutes("ops-host", { dst: "10.4.11.0/24", gateway: "10.4.0.19", dev: "eth0" })),
    afterwards: (twin) => twin.setPower("jast", false),
    truths: [
      truth(
        "that host's own route leads through a dead node",
        "vantage-route-via-node",
        "via-a-node",
        "vantage-route-via-gateway",
      ),
    ],
  },
  {
    ...unreachable,
    name: "rp-filter",
    lines: ["A23"],
    words: "strict reverse path filtering on a node that announces on Wi-Fi and replies by cable",
    site: healthyWith(
      ...["cargyll"].map((name) => wifiOn(name, "10.4.1.22/20")),
      advertisement({ interfaces: ["wlan0"] }),
      onNic("cargyll", "wlan0", { metric: 600 }),
      onNic("cargyll", "eth0", { metric: 100 }),
      onMachine("cargyll", { sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "1" } }),
    ),
    truths: [truth("the kernel drops what comes in on Wi-Fi", "rp-filter")],
    alsoTrue: ["wrong-nic"],
  },
  {
    ...unreachable,
    name: "certificate-ended",
    lines: [],
    words: "the certificate ended yesterday",
    site: healthyWith(harborTls({ until: days(-1) })),
    ask: "harbor",
    truths: [truth("the certificate has ended", "certificate-expired")],
  },
  {
    ...unreachable,
    name: "certificate-of-another-name",
    lines: ["B26"],
    words: "a wildcard one level too high",
    site: healthyWith(harborTls({ names: ["*.goldentooth.net"] })),
    ask: "harbor",
    truths: [truth("the certificate is for other names", "certificate-wrong-name")],
  },
  {
    ...unreachable,
    name: "handshake-breaks",
    lines: [],
    words: "the server hangs up in the handshake",
    site: healthyWith(serves({ service: "harbor/harbor", port: 443, tls: "broken" })),
    ask: "harbor",
    truths: [truth("TLS does not come about", "tls-handshake-failed")],
  },
  {
    ...unreachable,
    name: "plain-http-on-443",
    lines: [],
    words: "the pods speak plain HTTP on the port for HTTPS",
    site: healthyWith(serves({ service: "harbor/harbor", port: 443, tls: null })),
    ask: "harbor",
    truths: [truth("no TLS is spoken there", "not-tls", "tls-handshake-failed")],
  },
  {
    ...unreachable,
    name: "http-503",
    lines: [],
    words: "the application answers 503",
    site: healthyWith(serves({ service: "httpbin/httpbin", http: 503 })),
    truths: [truth("the application fails", "http-server-error")],
  },
  {
    ...unreachable,
    name: "http-silent",
    lines: [],
    words: "the application takes connections and says nothing",
    site: healthyWith(serves({ service: "httpbin/httpbin", http: "silent" })),
    truths: [truth("the application does not answer", "http-silent")],
  },
];
