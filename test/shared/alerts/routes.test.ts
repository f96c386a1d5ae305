import { describe, expect, it } from "vitest";
import type { Alert } from "#shared/alerts/alert.ts";
import { type RouteSpec, readRoutes, routeAlert } from "#shared/alerts/routes.ts";
import { plain } from "#shared/text.ts";

const runbooks = [
  { id: "service-unreachable", takesSubject: true },
  { id: "node-lost", takesSubject: true },
  { id: "water-in-the-cellar", takesSubject: false },
];
const read = (specs: readonly RouteSpec[], clusters: readonly string[] = ["goldentooth"]) =>
  readRoutes(specs, { clusters, runbooks });
const routes = (specs: readonly RouteSpec[], clusters?: readonly string[]) => {
  const result = read(specs, clusters);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.routes;
};
const alert = (labels: Readonly<Record<string, string>>): Alert => ({
  fingerprint: "f",
  status: "firing",
  labels,
  annotations: {},
  startsAt: 1,
});
const mapped = (
  specs: readonly RouteSpec[],
  labels: Readonly<Record<string, string>>,
  clusters = ["goldentooth"],
) => {
  const routed = routeAlert(routes(specs, clusters), clusters, alert(labels));
  return routed.kind === "mapped"
    ? `${routed.cluster} ${routed.runbook} ${routed.subject}`
    : `${routed.cluster}: ${plain(routed.why)}`;
};

const service: RouteSpec = {
  match: { alertname: "/KubeService.*/" },
  runbook: "service-unreachable",
  subject: "{{namespace}}/{{service}}",
};

describe("labels map to a runbook", () => {
  it.each([
    [
      "a template",
      [service],
      { alertname: "KubeServiceDown", namespace: "web", service: "httpbin" },
      "goldentooth service-unreachable web/httpbin",
    ],
    [
      "a template as Prometheus writes it",
      [{ ...service, subject: "{{ $labels.service }}" }],
      { alertname: "KubeServiceDown", service: "httpbin" },
      "goldentooth service-unreachable httpbin",
    ],
    [
      "one label",
      [{ match: { alertname: "NodeDown" }, runbook: "node-lost", subject: "node" }],
      { alertname: "NodeDown", node: "karstark" },
      "goldentooth node-lost karstark",
    ],
    [
      "no subject",
      [{ match: { floor: "cellar" }, runbook: "water-in-the-cellar" }],
      { floor: "cellar" },
      "goldentooth water-in-the-cellar null",
    ],
    [
      "the first route that fits",
      [{ match: { severity: "critical" }, runbook: "node-lost", subject: "node" }, service],
      { alertname: "KubeServiceDown", severity: "critical", node: "lipps" },
      "goldentooth node-lost lipps",
    ],
    [
      "every label has to fit",
      [{ ...service, match: { ...service.match, severity: "critical" } }],
      { alertname: "KubeServiceDown", namespace: "a", service: "b", severity: "warning" },
      "goldentooth: No route of the config maps it to a runbook.",
    ],
    [
      "a missing label is empty, as in Alertmanager",
      [{ match: { job: "" }, runbook: "node-lost", subject: "node" }],
      { node: "x" },
      "goldentooth node-lost x",
    ],
    [
      "an expression fits the whole value",
      [{ match: { alertname: "/Kube/" }, runbook: "node-lost", subject: "node" }],
      { alertname: "KubeNodeDown", node: "x" },
      "goldentooth: No route of the config maps it to a runbook.",
    ],
    [
      "one that lacks the subject's label says so",
      [service],
      { alertname: "KubeServiceDown", namespace: "web" },
      "goldentooth: Route 1 maps it to service-unreachable, but it has no label service.",
    ],
  ] as const)("%s", (_, specs, labels, expected) => {
    expect(mapped(specs, labels)).toBe(expected);
  });

  it("with several clusters, the label or the name in the route says which", () => {
    const two = ["goldentooth", "hellholt"];
    const labels = { alertname: "KubeServiceDown", namespace: "web", service: "httpbin" };
    expect(mapped([service], { ...labels, cluster: "hellholt" }, two)).toBe(
      "hellholt service-unreachable web/httpbin",
    );
    expect(mapped([{ ...service, cluster: "goldentooth" }], labels, two)).toBe(
      "goldentooth service-unreachable web/httpbin",
    );
    expect(mapped([{ ...service, cluster: "site" }], { ...labels, site: "hellholt" }, two)).toBe(
      "hellholt service-unreachable web/httpbin",
    );
    expect(mapped([service], labels, two)).toBe(
      "unnamed cluster: Route 1 maps it to service-unreachable, but it has no label cluster that names its cluster.",
    );
    expect(mapped([service], { ...labels, cluster: "elsewhere" }, two)).toBe(
      "elsewhere: Route 1 maps it to service-unreachable, but no cluster elsewhere is configured.",
    );
  });

  it("a subject that is no single word is told, not run; names of clusters are bounded", () => {
    const labels = { alertname: "KubeServiceDown", namespace: "web" };
    expect(mapped([service], { ...labels, service: "a b" })).toMatch(
      /is no single word of at most 253 characters/,
    );
    expect(mapped([service], { ...labels, service: "x".repeat(300) })).toMatch(/… \(cut\)\.$/);
    const long = mapped([service], { ...labels, service: "b", cluster: "y".repeat(2_000) }, ["one", "two"]);
    expect(long.length).toBeLessThan(400);
  });

  it("a malformed alert is never mapped", () => {
    const odd = {
      ...alert({ alertname: "KubeServiceDown", namespace: "a", service: "b" }),
      malformed: "status is missing",
    };
    const routed = routeAlert(routes([service]), ["goldentooth"], odd);
    expect(routed.kind).toBe("unmapped");
  });
});

describe("routes that cannot be", () => {
  it("are told all at once, with the nearest word", () => {
    const result = read([
      { match: { alertname: "/Kube(/" }, runbook: "service-unreachabel", subject: "service" },
      { match: { "alert-name": "x" }, runbook: "node-lost" },
      { match: {}, runbook: "water-in-the-cellar", subject: "floor" },
      { match: {}, runbook: "node-lost", subject: "{{node", cluster: "golden tooth" },
      { match: {}, runbook: "node-lost", subject: "{{a b}}" },
    ]);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    const said = result.problems.map(({ path, message }) => `${path.join(".")} ${message}`);
    expect(said).toEqual([
      expect.stringContaining('0.match.alertname is "/Kube(/", which is no regular expression'),
      '0.runbook is "service-unreachabel", which is no runbook; nearest: "service-unreachable"',
      '1.match.alert-name "alert-name" is no label name',
      '1 has no "subject"; node-lost is about something: name the label that says what',
      '2.subject is "floor"; water-in-the-cellar takes none',
      '3.subject "{{node" has braces that do not close',
      '3.cluster is "golden tooth", which is neither a configured cluster nor a label name; nearest: "goldentooth"',
      '4.subject "a b" between braces is no label name',
    ]);
  });
});
