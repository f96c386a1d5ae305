import { describe, expect, it } from "vitest";
import { parseTtl } from "#shared/dns/annotations.ts";
import { matchesSelector, parseSelector } from "#shared/dns/label-selector.ts";
import { readSourceObjects } from "#shared/dns/source-objects.ts";
import { defaultSourceSettings, type SourceSettings } from "#shared/dns/source-settings.ts";
import { matchingHost } from "#shared/dns/sources-gateway.ts";
import { type Wanted, wantedEndpoints } from "#shared/dns/wanted.ts";
import { release } from "./zones.ts";

const old = "external-dns.alpha.kubernetes.io/";
const now = "external-dns.kubernetes.io/";

type Annotations = Record<string, string>;

const keyed = (annotations: Annotations, prefix: string): Annotations =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${prefix}${key}`, value]));

const service = (
  name: string,
  annotations: Annotations,
  more: Record<string, unknown> = {},
  prefix = old,
) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "apps", annotations: keyed(annotations, prefix) },
  spec: { type: "LoadBalancer", clusterIP: "10.96.0.9", ...((more.spec as object) ?? {}) },
  status: { loadBalancer: { ingress: more.ingress ?? [{ ip: "10.0.0.1" }] } },
});

const ingress = (spec: Record<string, unknown>, annotations: Annotations = {}) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "front", namespace: "apps", annotations: keyed(annotations, old) },
  spec,
  status: { loadBalancer: { ingress: [{ ip: "10.0.0.2" }] } },
});

const dnsEndpoint = (endpoints: readonly Record<string, unknown>[], name = "names") => ({
  apiVersion: "externaldns.k8s.io/v1alpha1",
  kind: "DNSEndpoint",
  metadata: { name, namespace: "apps" },
  spec: { endpoints },
});

function wanted(items: readonly unknown[], text = "0.21.0", given: Partial<SourceSettings> = {}): Wanted {
  const read = readSourceObjects(JSON.stringify({ kind: "List", items }));
  if (!read.ok) throw new Error(read.problems.join("; "));
  return wantedEndpoints(read.objects, { ...defaultSourceSettings(release(text)), ...given });
}

const short = ({ endpoints }: Wanted): readonly string[] =>
  endpoints
    .map(({ name, type, targets, ttl, setIdentifier, labels }) =>
      [name, type, setIdentifier, targets.join("+"), ttl > 0 ? `ttl ${ttl}` : "", labels.resource ?? ""]
        .filter((part) => part !== "")
        .join(" "),
    )
    .sort();

describe("TTL annotations", () => {
  it.each([
    [undefined, 0],
    ["60", 60],
    ["1m", 60],
    ["1m30s", 90],
    ["1.5s", 1],
    ["1h", 3600],
    ["0", 0],
    ["-60", 0],
    ["0.5s", 0],
    ["2147483647", 2_147_483_647],
    ["2147483648", 0],
    ["soon", 0],
    ["", 0],
    ["1 m", 0],
    ["+90", 90],
  ])("%s", (given, expected) => {
    expect(parseTtl(given)).toBe(expected);
  });
});

describe("Services", () => {
  const web = { hostname: "web.example.com" };
  it.each([
    ["status addresses", service("web", web), ["web.example.com A 10.0.0.1 service/apps/web"]],
    [
      "IPv6 and names get types of their own",
      service("web", web, { ingress: [{ ip: "2001:db8::1" }, { hostname: "lb.example.net" }] }),
      [
        "web.example.com AAAA 2001:db8::1 service/apps/web",
        "web.example.com CNAME lb.example.net service/apps/web",
      ],
    ],
    [
      "external IPs win over the status",
      service("web", web, { spec: { externalIPs: ["10.9.9.9"] } }),
      ["web.example.com A 10.9.9.9 service/apps/web"],
    ],
    [
      "the target annotation wins over all",
      service(
        "web",
        { ...web, target: "10.5.5.5, lb.example.net." },
        { spec: { externalIPs: ["10.9.9.9"] } },
      ),
      [
        "web.example.com A 10.5.5.5 service/apps/web",
        "web.example.com CNAME lb.example.net service/apps/web",
      ],
    ],
    ["no status yet: nothing", service("web", web, { ingress: [] }), []],
    [
      "several names, blanks and dots",
      service("web", { hostname: "a.example.com, b.example.com." }),
      ["a.example.com A 10.0.0.1 service/apps/web", "b.example.com A 10.0.0.1 service/apps/web"],
    ],
    [
      "an internal name is the cluster IP",
      service("web", { "internal-hostname": "in.example.com" }),
      ["in.example.com A 10.96.0.9 service/apps/web"],
    ],
    ["another controller", service("web", { ...web, controller: "other" }), []],
    [
      "our controller",
      service("web", { ...web, controller: "dns-controller" }),
      ["web.example.com A 10.0.0.1 service/apps/web"],
    ],
    ["ClusterIP is not published", service("web", web, { spec: { type: "ClusterIP" } }), []],
    [
      "an ExternalName is a CNAME",
      service("web", web, { spec: { type: "ExternalName", externalName: "x.example.net" } }),
      ["web.example.com CNAME x.example.net service/apps/web"],
    ],
    [
      "TTL and set identifier",
      service("web", { ...web, ttl: "2m", "set-identifier": "blue", "aws-weight": "10" }),
      ["web.example.com A blue 10.0.0.1 ttl 120 service/apps/web"],
    ],
    ["a label over 63 bytes", service("web", { hostname: `${"a".repeat(64)}.example.com` }), []],
  ])("%s", (_, object, expected) => {
    expect(short(wanted([object]))).toEqual(expected);
  });

  it("properties: aws-* and alias, only the text true", () => {
    const { endpoints } = wanted([
      service("web", { ...web, "aws-weight": "10", alias: "true", "scw-x": "1" }),
    ]);
    expect(endpoints[0]?.providerSpecific).toEqual([
      { name: "alias", value: "true" },
      { name: "aws/weight", value: "10" },
    ]);
    expect(wanted([service("web", { ...web, alias: "yes" })]).endpoints[0]?.providerSpecific).toEqual([]);
  });

  it("headless and NodePort are told as unknown, unless a target is given", () => {
    const nodePort = service("web", web, { spec: { type: "NodePort" } });
    expect(wanted([nodePort]).unknown).toEqual([expect.stringContaining("NodePort")]);
    const given = service("web", { ...web, target: "10.1.1.1" }, { spec: { type: "NodePort" } });
    expect(wanted([given])).toMatchObject({ unknown: [] });
  });

  it("--publish-internal-services publishes cluster IPs", () => {
    const clusterIp = service("web", web, { spec: { type: "ClusterIP" } });
    expect(short(wanted([clusterIp], "0.21.0", { publishInternal: true }))).toEqual([
      "web.example.com A 10.96.0.9 service/apps/web",
    ]);
  });
});

describe("Services with one name", () => {
  const one = service(
    "b",
    { hostname: "x.example.com", ttl: "60" },
    { ingress: [{ ip: "10.0.0.2" }, { ip: "10.0.0.3" }] },
  );
  const other = service(
    "a",
    { hostname: "x.example.com" },
    { ingress: [{ ip: "10.0.0.4" }, { ip: "10.0.0.1" }] },
  );
  const sameTtl = service(
    "b",
    { hostname: "x.example.com" },
    { ingress: [{ ip: "10.0.0.2" }, { ip: "10.0.0.3" }] },
  );
  it.each([
    [
      "0.18.0",
      [one, other],
      [
        "x.example.com A 10.0.0.1+10.0.0.4 service/apps/a",
        "x.example.com A 10.0.0.2+10.0.0.3 ttl 60 service/apps/b",
      ],
    ],
    ["0.18.0", [sameTtl, other], ["x.example.com A 10.0.0.1+10.0.0.2+10.0.0.4 service/apps/a"]],
    ["0.19.0", [one, other], ["x.example.com A 10.0.0.1+10.0.0.2+10.0.0.3+10.0.0.4 service/apps/a"]],
    ["0.22.0", [one, other], []],
  ])("%s", (text, items, expected) => {
    expect(short(wanted(items, text))).toEqual(expected);
  });

  it("CNAMEs are never united", () => {
    const cname = (name: string, target: string) => service(name, { hostname: "x.example.com", target });
    expect(short(wanted([cname("a", "a.example.net"), cname("b", "b.example.net")]))).toEqual([
      "x.example.com CNAME a.example.net service/apps/a",
      "x.example.com CNAME b.example.net service/apps/b",
    ]);
  });
});

describe("Ingresses", () => {
  const spec = { rules: [{ host: "r.example.com" }, {}], tls: [{ hosts: ["t.example.com"] }] };
  it.each([
    ["rules and TLS hosts", {}, ["r.example.com", "t.example.com"], {}],
    [
      "and the annotation",
      { hostname: "h.example.com" },
      ["h.example.com", "r.example.com", "t.example.com"],
      {},
    ],
    [
      "defined hosts only",
      { hostname: "h.example.com", "ingress-hostname-source": "defined-hosts-only" },
      ["r.example.com", "t.example.com"],
      {},
    ],
    [
      "annotation only",
      { hostname: "h.example.com", "ingress-hostname-source": "annotation-only" },
      ["h.example.com"],
      {},
    ],
    [
      "any other source yields nothing",
      { hostname: "h.example.com", "ingress-hostname-source": "both" },
      [],
      {},
    ],
    ["TLS ignored", {}, ["r.example.com"], { ignoreIngressTls: true }],
    ["rules ignored", {}, ["t.example.com"], { ignoreIngressRules: true }],
    ["another class", {}, [], { ingressClasses: ["nginx"] }],
  ] as const)("%s", (_, annotations, names, settings) => {
    const got = wanted([ingress(spec, annotations)], "0.21.0", settings);
    expect(got.endpoints.map(({ name }) => name).sort()).toEqual(names);
  });
});

describe("Gateways", () => {
  const gateway = (more: Record<string, unknown> = {}, annotations: Annotations = {}) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "gw", namespace: "infra", annotations: keyed(annotations, old) },
    spec: {
      listeners: [
        {
          name: "web",
          port: 80,
          protocol: "HTTP",
          hostname: "*.example.com",
          allowedRoutes: { namespaces: { from: "All" } },
          ...more,
        },
      ],
    },
    status: { addresses: [{ value: "10.0.0.7" }] },
  });
  const route = (hostnames: readonly string[], accepted = "True", annotations: Annotations = {}) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "r", namespace: "apps", annotations: keyed(annotations, old) },
    spec: { hostnames, parentRefs: [{ name: "gw", namespace: "infra" }] },
    status: {
      parents: [
        {
          parentRef: { name: "gw", namespace: "infra" },
          conditions: [{ type: "Accepted", status: accepted }],
        },
      ],
    },
  });
  it.each([
    [
      "hosts of the route within the listener's",
      [gateway(), route(["a.example.com", "b.other.net"])],
      ["a.example.com A 10.0.0.7 httproute/apps/r"],
    ],
    [
      "no hosts of its own: the listener's",
      [gateway(), route([])],
      ["*.example.com A 10.0.0.7 httproute/apps/r"],
    ],
    ["not accepted", [gateway(), route(["a.example.com"], "False")], []],
    [
      "the target is read on the Gateway",
      [gateway({}, { target: "lb.example.net" }), route(["a.example.com"])],
      ["a.example.com CNAME lb.example.net httproute/apps/r"],
    ],
    [
      "everything else on the route",
      [gateway({}, { ttl: "60" }), route(["a.example.com"], "True", { ttl: "90", target: "10.9.9.9" })],
      ["a.example.com A 10.0.0.7 ttl 90 httproute/apps/r"],
    ],
    [
      "the listener lets only its own namespace in",
      [gateway({ allowedRoutes: { namespaces: { from: "Same" } } }), route(["a.example.com"])],
      [],
    ],
    ["another protocol", [gateway({ protocol: "TLS" }), route(["a.example.com"])], []],
  ])("%s", (_, items, expected) => {
    expect(short(wanted(items))).toEqual(expected);
  });

  it.each([
    ["*.example.com", "a.example.com", "a.example.com"],
    ["*.example.com", "a.b.example.com", "a.b.example.com"],
    ["*.example.com", "example.com", undefined],
    ["", "A.example.com", "a.example.com"],
    ["a.example.com", "*.example.com", "a.example.com"],
    ["a.example.com", "b.example.com", undefined],
    ["10.0.0.1", "", undefined],
  ])("%s and %s", (a, b, expected) => {
    expect(matchingHost(a, b)).toBe(expected);
  });
});

describe("DNSEndpoints", () => {
  const plain = { dnsName: "x.example.com", recordType: "A", targets: ["10.0.0.1"], recordTTL: 90 };
  it("labels and properties come along, the resource is the object", () => {
    const { endpoints } = wanted([
      dnsEndpoint([
        {
          ...plain,
          labels: { team: "a", resource: "mine" },
          providerSpecific: [{ name: "aws/weight", value: "1" }],
          setIdentifier: "s",
        },
      ]),
    ]);
    expect(endpoints).toEqual([
      {
        name: "x.example.com",
        type: "A",
        targets: ["10.0.0.1"],
        ttl: 90,
        setIdentifier: "s",
        labels: { team: "a", resource: "crd/apps/names" },
        providerSpecific: [{ name: "aws/weight", value: "1" }],
      },
    ]);
  });

  it.each([
    ["0.20.0", "CNAME", "lb.example.net.", 0],
    ["0.21.0", "CNAME", "lb.example.net.", 1],
    ["0.21.0", "A", "10.0.0.1.", 0],
    ["0.19.0", "TXT", "text.", 0],
    ["0.20.0", "TXT", "text.", 1],
    ["0.21.0", "SRV", "0 5 80 x.", 0],
    ["0.22.0", "SRV", "0 5 80 x.", 1],
    ["0.21.0", "A", "lb.example.net", 0],
    ["0.20.0", "A", "lb.example.net", 1],
    ["0.21.0", "MX", "mail.example.net", 0],
  ])("%s: a %s to %s", (text, recordType, target, count) => {
    expect(wanted([dnsEndpoint([{ ...plain, recordType, targets: [target] }])], text).endpoints).toHaveLength(
      count,
    );
  });

  it("what is the same to the last target comes through once", () => {
    expect(
      wanted([dnsEndpoint([plain]), dnsEndpoint([{ ...plain, recordTTL: 5 }], "again")], "0.20.0").endpoints,
    ).toHaveLength(1);
  });

  it("since 0.21 equal names with equal TTLs are united", () => {
    const items = [dnsEndpoint([plain, { ...plain, targets: ["10.0.0.2"] }])];
    expect(short(wanted(items, "0.20.0"))).toHaveLength(2);
    expect(short(wanted(items, "0.21.0"))).toEqual([
      "x.example.com A 10.0.0.1+10.0.0.2 ttl 90 crd/apps/names",
    ]);
  });

  it("default targets fill what is empty, and replace all where they are forced", () => {
    const items = [
      dnsEndpoint([
        { ...plain, targets: [] },
        { ...plain, dnsName: "y.example.com" },
      ]),
    ];
    const given = { defaultTargets: ["10.8.8.8"] };
    expect(short(wanted(items, "0.21.0", given))).toEqual([
      "x.example.com A 10.8.8.8 ttl 90 crd/apps/names",
      "y.example.com A 10.0.0.1 ttl 90 crd/apps/names",
    ]);
    expect(short(wanted(items, "0.21.0", { ...given, forceDefaultTargets: true }))[1]).toContain("10.8.8.8");
    expect(short(wanted(items, "0.17.0", given))).toEqual(["y.example.com A 10.8.8.8 ttl 90 crd/apps/names"]);
  });
});

describe("the prefix of a release", () => {
  const under = (prefix: string) => service("web", { hostname: "web.example.com" }, {}, prefix);
  it.each([
    ["0.21.0", old, 1],
    ["0.21.0", now, 0],
    ["0.22.0", old, 0],
    ["0.22.0", now, 1],
  ])("%s reads %s", (text, prefix, count) => {
    const got = wanted([under(prefix)], text);
    expect(got.endpoints).toHaveLength(count);
    expect(got.dropped.map(({ endpoint }) => endpoint.name)).toEqual(count === 1 ? [] : ["web.example.com"]);
    if (count === 0) expect(got.dropped[0]?.why).toContain(prefix);
  });

  it("another prefix by flag", () => {
    expect(wanted([under("my.dns/")], "0.22.0", { annotationPrefix: "my.dns/" }).endpoints).toHaveLength(1);
  });
});

describe("which objects count", () => {
  const items = [
    service("web", { hostname: "web.example.com" }),
    dnsEndpoint([{ dnsName: "x.example.com", recordType: "A", targets: ["10.0.0.1"] }]),
  ];
  it("sources by name; one that is not modelled makes the answer unknown", () => {
    expect(short(wanted(items, "0.21.0", { sources: ["crd"] }))).toEqual([
      "x.example.com A 10.0.0.1 crd/apps/names",
    ]);
    expect(wanted(items, "0.21.0", { sources: ["istio-gateway"] }).unknown).toEqual([
      "--source=istio-gateway",
    ]);
    expect(
      wanted([...items, { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: {} }])
        .unknown,
    ).toHaveLength(1);
  });

  it("a namespace", () => {
    expect(wanted(items, "0.21.0", { namespace: "other" }).endpoints).toEqual([]);
  });

  it.each([
    ["a=b", { a: "b" }, true],
    ["a==b,c", { a: "b" }, false],
    ["a!=b", {}, true],
    ["!a", { a: "x" }, false],
    ["a in (x, y)", { a: "y" }, true],
    ["a notin (x,y),b", { b: "1" }, true],
  ] as const)("selector %s", (text, labels, expected) => {
    expect(parseSelector(text)?.(labels)).toBe(expected);
  });

  it("what is no selector, and selectors of objects", () => {
    expect(parseSelector("a in b")).toBeUndefined();
    const selector = {
      matchLabels: { a: "b" },
      matchExpressions: [{ key: "c", operator: "DoesNotExist", values: [] }],
    };
    expect([matchesSelector(selector, { a: "b" }), matchesSelector(selector, { a: "b", c: "" })]).toEqual([
      true,
      false,
    ]);
  });

  it("nets of targets", () => {
    const net = {
      family: 4 as const,
      first: 0x0a000000n,
      last: 0x0a0000ffn,
      length: 24,
      text: "10.0.0.0/24",
    };
    expect(wanted(items, "0.21.0", { excludedTargetNets: [net] }).endpoints).toEqual([]);
    expect(wanted(items, "0.21.0", { targetNets: [net] }).endpoints).toHaveLength(2);
  });

  it("names every problem of a dump", () => {
    const read = readSourceObjects(
      JSON.stringify([{ metadata: {} }, { kind: "Service", metadata: { name: "w", annotations: { a: 1 } } }]),
    );
    expect(read.ok ? [] : read.problems).toHaveLength(2);
    expect(readSourceObjects("no").ok).toBe(false);
  });
});
