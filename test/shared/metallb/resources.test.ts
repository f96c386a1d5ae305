import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { predict } from "#shared/metallb/announcer.ts";
import { readDump } from "#shared/metallb/dump.ts";
import { type MetalLbObjects, parseMetalLbObjects } from "#shared/metallb/resources.ts";
import { speakerSettings } from "#shared/metallb/speakers.ts";
import { knownVersion, knownVersions } from "#shared/metallb/versions.ts";
import { node, objectsOf, openPool, peer, service, slice, speakerDaemonSet, speakerPod } from "./cluster.ts";

type Relabelled = {
  metadata: { labels: Record<string, string> };
  spec: { template: { metadata: { labels: Record<string, string> } } };
};

const parse = (items: readonly unknown[]) => parseMetalLbObjects(items as never);

describe("parseMetalLbObjects", () => {
  it("asks only for the fields it uses", () => {
    const { objects, problems } = parse([
      { kind: "Node", metadata: { name: "a" } },
      { kind: "Service", metadata: { name: "s" } },
      { kind: "EndpointSlice", metadata: { name: "s-1" } },
      { kind: "IPAddressPool", metadata: { name: "p" } },
      { kind: "L2Advertisement", metadata: { name: "l" } },
      { kind: "BGPPeer", metadata: { name: "r" } },
      { kind: "ServiceL2Status", metadata: { name: "l2-x" } },
      { kind: "Event", metadata: { name: "e" } },
      { kind: "Pod", metadata: { name: "p" } },
      { kind: "DaemonSet", metadata: { name: "d" } },
    ]);
    expect(problems).toEqual([]);
    expect(objects.nodes).toMatchObject([{ name: "a", labels: {}, conditions: [], unschedulable: false }]);
    expect(objects.services).toMatchObject([{ namespace: "default", ingress: [] }]);
    expect(objects.l2Advertisements).toMatchObject([
      { ipAddressPools: [], nodeSelectors: [], interfaces: [] },
    ]);
  });

  it("reads Lists inside lists, and typed lists whose items carry no kind", () => {
    const { objects, problems } = parse([
      {
        kind: "List",
        items: [{ kind: "NodeList", apiVersion: "v1", items: [{ metadata: { name: "a" } }] }, node("b")],
      },
      node("c"),
    ]);
    expect(problems).toEqual([]);
    expect(objects.nodes.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("takes null for absent", () => {
    const { objects, problems } = parse([
      { kind: "Node", metadata: { name: "a", labels: null }, spec: null, status: { conditions: null } },
      { kind: "EndpointSlice", metadata: { name: "s" }, endpoints: null },
      { kind: "L2Advertisement", metadata: { name: "l" }, spec: { nodeSelectors: [null], interfaces: null } },
    ]);
    expect(problems).toEqual([]);
    expect(objects.l2Advertisements[0]?.nodeSelectors).toEqual([{ matchLabels: {}, matchExpressions: [] }]);
  });

  it("passes over kinds it does not need, and like-named kinds of other groups", () => {
    const { objects, problems } = parse([
      { kind: "ConfigMap", metadata: {} },
      { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "s" } },
      { kind: "constructor", metadata: {} },
    ]);
    expect(problems).toEqual([]);
    expect(objects.services).toEqual([]);
  });

  it("tells every problem at once, each with its place", () => {
    const { objects, problems } = parse([
      node("a"),
      { metadata: { name: "x" } },
      "text",
      { kind: "Node", metadata: {} },
      { kind: "IPAddressPool", metadata: { name: "p" }, spec: { addresses: "10.0.0.0/24" } },
      {
        kind: "List",
        items: [{ kind: "Service", metadata: { name: "s" }, status: { loadBalancer: { ingress: {} } } }],
      },
    ]);
    expect(objects.nodes).toHaveLength(1);
    expect(problems).toHaveLength(5);
    expect(problems[0]).toContain("items[1]");
    expect(problems[2]).toMatch(/items\[3\] \(Node\): metadata\.name/);
    expect(problems[3]).toMatch(/items\[4\] \(IPAddressPool p\): spec\.addresses/);
    expect(problems[4]).toMatch(/items\[5\]\.items\[0\] \(Service s\): status\.loadBalancer\.ingress/);
  });

  it("keeps one of two copies of an object", () => {
    expect(parse([node("a"), node("a")]).objects.nodes).toHaveLength(1);
  });

  it("drops a peer's password at once, also from kubectl's copy of the manifest", () => {
    const { objects } = parse([
      peer(
        "r",
        { myASN: 1, peerASN: 2, peerAddress: "10.0.0.1", password: "hunter2" },
        { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter2", note: "kept" } },
      ),
    ]);
    expect(JSON.stringify(objects)).not.toContain("hunter2");
    expect(objects.bgpPeers).toMatchObject([{ inlinePassword: true, annotations: { note: "kept" } }]);
  });

  it("never throws on arbitrary JSON, and what it gives can be predicted from", () => {
    const kinds = [
      "Node",
      "Service",
      "EndpointSlice",
      "IPAddressPool",
      "L2Advertisement",
      "BGPPeer",
      "Pod",
      "Event",
      "List",
    ];
    const anything = fc.jsonValue({ maxDepth: 3 });
    const item = fc.oneof(
      anything,
      fc.record({
        kind: fc.constantFrom(...kinds),
        metadata: anything,
        spec: anything,
        status: anything,
        items: anything,
      }),
      fc.record({
        kind: fc.constantFrom(...kinds),
        metadata: fc.record({ name: fc.string({ minLength: 1 }) }),
        spec: anything,
      }),
    );
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const { objects } = parse(items);
        predict(objects);
      }),
    );
  });
});

describe("readDump", () => {
  it.each([
    ["a List", JSON.stringify({ kind: "List", items: [node("a")] })],
    ["a List without a kind", JSON.stringify({ items: [node("a")] })],
    ["one object", JSON.stringify(node("a"))],
    ["an array", JSON.stringify([node("a")])],
    ["a typed list", JSON.stringify({ kind: "NodeList", items: [{ metadata: { name: "a" } }] })],
    ["a byte order mark", `\uFEFF${JSON.stringify([node("a")])}`],
  ])("%s", (_, text) => {
    const dump = readDump(text);
    expect(dump.ok && dump.objects.nodes.map(({ name }) => name)).toEqual(["a"]);
  });

  it.each(["", "kind: Node", "null", "7", "{}", '"x"'])("refuses %j", (text) => {
    const dump = readDump(text);
    expect(dump.ok ? [] : dump.problems).toHaveLength(1);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        readDump(text);
      }),
    );
  });
});

describe("speakerSettings", () => {
  const settings = (...items: readonly KubeObject[]) => speakerSettings(objectsOf(...items));

  it("says nothing about what it cannot see", () => {
    expect(settings(node("a"))).toMatchObject({
      namespace: undefined,
      version: undefined,
      memberlist: undefined,
      ignoreExcludeLb: undefined,
      speakerNodes: undefined,
    });
    // A shortened Pod without environment does not show that memberlist is off.
    expect(settings(speakerPod("a"))).toMatchObject({ memberlist: undefined, speakerNodes: ["a"] });
  });

  it.each([
    ["quay.io/metallb/speaker:v0.15.2", "0.15.2", undefined],
    ["registry.local:5000/metallb/speaker:v0.14.9-3@sha256:abc", "0.14.9", undefined],
    ["quay.io/metallb/speaker@sha256:abc", undefined, "names no tag"],
    ["registry.local:5000/metallb/speaker", undefined, "names no tag"],
    ["quay.io/metallb/speaker:latest", undefined, "names no release"],
    ["quay.io/metallb/speaker:v0.99.0", undefined, "not known here"],
  ])("%s is %s", (image, version, doubt) => {
    const found = settings(speakerDaemonSet(image));
    expect(found.version).toBe(version);
    if (doubt !== undefined) expect(found.versionDoubt).toContain(doubt);
  });

  it("reads memberlist and flags", () => {
    expect(settings(speakerDaemonSet())).toMatchObject({
      namespace: "metallb-system",
      memberlist: "on",
      ignoreExcludeLb: false,
      loadBalancerClass: undefined,
    });
    expect(settings(speakerDaemonSet(undefined, { memberlist: false })).memberlist).toBe("off");
    expect(
      settings(speakerDaemonSet(undefined, { args: ["--ignore-exclude-lb=true", "--lb-class=x"] })),
    ).toMatchObject({
      ignoreExcludeLb: true,
      loadBalancerClass: "x",
    });
    expect(
      settings(speakerDaemonSet(undefined, { args: ["--ignore-exclude-lb=false"] })).ignoreExcludeLb,
    ).toBe(false);
  });

  it("finds the chart's labels too, and no other DaemonSet", () => {
    const chart = { "app.kubernetes.io/name": "metallb", "app.kubernetes.io/component": "speaker" };
    const relabelled = structuredClone(speakerDaemonSet()) as unknown as Relabelled;
    relabelled.metadata.labels = {};
    relabelled.spec.template.metadata.labels = chart;
    expect(settings(relabelled as unknown as KubeObject).version).toBe("0.16.1");
    relabelled.spec.template.metadata.labels = { app: "frr-k8s" };
    expect(settings(relabelled as unknown as KubeObject).version).toBeUndefined();
  });
});

describe("versions", () => {
  it.each([
    ["0.16.1", "0.16.1"],
    ["v0.13.12", "0.13.12"],
    ["0.15", "0.15.3"],
    ["main", "main"],
    ["0.17.0", undefined],
    ["latest", undefined],
    ["", undefined],
    ["constructor", undefined],
  ])("%s is %s", (given, version) => {
    expect(knownVersion(given)).toBe(version);
  });

  it("knows every release from 0.9.0 to 0.16.1, oldest first", () => {
    expect(knownVersions).toHaveLength(9 + 4 + 1 + 2 + 13 + 10 + 4 + 2 + 1);
    expect(knownVersions[0]).toBe("0.9.0");
    expect(knownVersions.slice(-2)).toEqual(["0.16.1", "main"]);
  });
});

it("a cluster of 100 nodes and 300 services is one pass", () => {
  const many = Array.from({ length: 100 }, (_, i) => node(`node-${i}`));
  const services = Array.from({ length: 300 }, (_, i) => [
    service(`s${i}`, `10.1.${i >> 8}.${i & 255}`),
    slice(`s${i}`, ["node-1"]),
  ]).flat();
  const objects: MetalLbObjects = objectsOf(many, openPool, services);
  const { addresses } = predict(objects);
  expect(addresses).toHaveLength(300);
  expect(addresses.every(({ order }) => order.length === 100)).toBe(true);
});
