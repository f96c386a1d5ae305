import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { predict } from "#shared/metallb/announcer.ts";
import { impact, isConcentrated } from "#shared/metallb/impact.ts";
import {
  event,
  l2Status,
  nodes,
  objectsOf,
  openPool,
  service,
  slice,
  speakerDaemonSet,
  speakerPod,
} from "./cluster.ts";

// node-b leads node-a, node-c for 10.0.0.1 (upstream's own example).
const three = nodes("node-a", "node-b", "node-c");
const pods = ["node-a", "node-b", "node-c"].map((name) => speakerPod(name));
const web = (policy: "Local" | "Cluster" = "Cluster") => service("web", "10.0.0.1", { policy });
const of = (...items: readonly (KubeObject | readonly KubeObject[])[]) =>
  impact(objectsOf(three, openPool, speakerDaemonSet(), pods, ...items));
const codes = (result: ReturnType<typeof impact>) => result.findings.map(({ code }) => code).sort();

describe("where an address goes when its announcer dies", () => {
  it("to the next in order", () => {
    const result = of(web(), slice("web", ["node-a", "node-b"]));
    expect(result.addresses[0]).toMatchObject({
      announcer: "node-b",
      by: "prediction",
      order: ["node-b", "node-a", "node-c"],
      fate: { kind: "moves", to: "node-a" },
    });
    expect(result.findings).toEqual([]);
    expect(result.load[0]).toEqual({ node: "node-b", addresses: ["10.0.0.1"] });
    expect(result.load).toHaveLength(3);
  });

  it("nowhere under policy Local with one endpoint: no successor, an error", () => {
    const result = of(web("Local"), slice("web", ["node-c"]));
    expect(result.addresses[0]).toMatchObject({ announcer: "node-c", fate: { kind: "silent" } });
    expect(result.findings).toMatchObject([{ code: "address-no-successor", severity: "error" }]);
  });

  it("to a node that then falls silent, when every endpoint dies with it", () => {
    const result = of(web(), slice("web", ["node-b"]));
    expect(result.addresses[0]?.fate).toEqual({ kind: "moves-then-silent", to: "node-a" });
    expect(result.findings).toMatchObject([{ code: "address-endpoints-on-announcer", severity: "warning" }]);
  });

  it("an endpoint without a nodeName counts as elsewhere", () => {
    const result = of(web(), slice("web", ["node-b", { conditions: { ready: true } }]));
    expect(result.addresses[0]?.fate).toEqual({ kind: "moves", to: "node-a" });
  });

  it.each([
    { policy: "Cluster", fate: { kind: "stays" }, found: ["memberlist-off"] },
    { policy: "Local", fate: { kind: "moves-late", to: "node-a" }, found: [] },
  ] as const)("memberlist off, policy $policy", ({ policy, fate, found }) => {
    const off = speakerDaemonSet(undefined, { memberlist: false });
    const result = impact(
      objectsOf(three, openPool, off, pods, web(policy), slice("web", ["node-a", "node-b"])),
    );
    expect(result.memberlist).toBe("off");
    expect(result.addresses[0]?.fate).toEqual(fate);
    expect(codes(result)).toEqual(found);
  });

  it("unknown when nobody announces it", () => {
    const result = of(web());
    expect(result.addresses[0]).toMatchObject({ announcer: undefined, fate: { kind: "unknown" } });
    expect(codes(result)).toEqual(["address-not-announced"]);
  });

  it("the predicted successor leads once the node is gone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 250 }), fc.integer({ min: 2, max: 8 }), (last, size) => {
        const names = Array.from({ length: size }, (_, i) => `n${i}`);
        const build = (list: readonly string[]) =>
          objectsOf(nodes(...list), openPool, service("s", `10.0.0.${last}`), slice("s", ["elsewhere"]));
        const before = impact(build(names)).addresses[0];
        const after = predict(build(names.filter((name) => name !== before?.announcer))).addresses[0];
        expect(before?.fate).toEqual({ kind: "moves", to: after?.order[0] });
      }),
      { numRuns: 40 },
    );
  });
});

describe("sources that differ", () => {
  const endpoints = slice("web", ["node-a", "node-b", "node-c"]);

  it("a status object that can be believed overrules the prediction, and that is told", () => {
    const result = of(web(), endpoints, l2Status("web", "node-c"));
    expect(result.addresses[0]).toMatchObject({ announcer: "node-c", by: "status", predicted: "node-b" });
    expect(result.addresses[0]?.fate).toEqual({ kind: "moves", to: "node-b" });
    expect(codes(result)).toEqual(["announcer-differs"]);
  });

  it("an old release's status is told but not believed", () => {
    const old = speakerDaemonSet("quay.io/metallb/speaker:v0.15.3");
    const result = impact(objectsOf(three, openPool, old, pods, web(), endpoints, l2Status("web", "node-c")));
    expect(result.addresses[0]).toMatchObject({ announcer: "node-b", by: "prediction" });
    expect(result.findings).toMatchObject([{ code: "announcer-differs", facts: { status: ["node-c"] } }]);
  });

  it("the newest event comes after status and before prediction", () => {
    const seen = event(
      "web",
      "nodeAssigned",
      'announcing from node "node-a" with protocol "layer2"',
      "2026-07-01T10:00:00Z",
    );
    expect(of(web(), endpoints, seen).addresses[0]).toMatchObject({ announcer: "node-a", by: "event" });
    expect(of(web(), endpoints, seen, l2Status("web", "node-b")).addresses[0]).toMatchObject({
      announcer: "node-b",
      by: "status",
    });
  });

  it("agreement is no finding", () => {
    expect(of(web(), endpoints, l2Status("web", "node-b")).findings).toEqual([]);
  });

  it("an elected node without the named interface answers nothing", () => {
    const failed = event(
      "web",
      "announceFailed",
      'the interfaces specified by LB IP "10.0.0.1" doesn\'t exist in assigned node "node-b" with protocol "layer2"',
      "2026-07-01T10:00:00Z",
    );
    expect(of(web(), endpoints, failed).findings).toMatchObject([
      { code: "announce-failed", severity: "error" },
    ]);
  });
});

describe("concentration", () => {
  it.each([
    [4, 7, true],
    [4, 8, false],
    [3, 3, false],
    [4, 4, true],
    [9, 12, true],
    [0, 0, false],
  ])("%i of %i: %s", (held, total, expected) => {
    expect(isConcentrated(held, total)).toBe(expected);
  });

  it("counts addresses once, however many Services share them", () => {
    const shared = Array.from({ length: 5 }, (_, i) => [
      service(`s${i}`, "10.0.0.1"),
      slice(`s${i}`, ["node-a", "node-b"]),
    ]).flat();
    const result = of(...shared);
    expect(result.load[0]?.addresses).toEqual(["10.0.0.1"]);
    expect(result.findings).toEqual([]);
  });

  it("warns when one node holds most", () => {
    const all = Array.from({ length: 5 }, (_, i) => [
      service(`s${i}`, `10.0.0.${i + 1}`, { policy: "Local" }),
      slice(`s${i}`, ["node-a"]),
    ]).flat();
    const found = of(...all).findings.filter(({ code }) => code === "announcer-concentration");
    expect(found).toMatchObject([{ severity: "warning", facts: { held: 5, total: 5 } }]);
  });
});

it("Services that share an address and elect different nodes are a split", () => {
  const result = of(
    service("tcp", "10.0.0.1", { policy: "Local" }),
    slice("tcp", ["node-a"]),
    service("udp", "10.0.0.1", { policy: "Local" }),
    slice("udp", ["node-b"]),
  );
  expect(codes(result)).toContain("shared-address-split");
});
