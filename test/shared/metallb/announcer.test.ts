import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { electionHash, predict } from "#shared/metallb/announcer.ts";
import {
  l2,
  node,
  nodes,
  objectsOf,
  openPool,
  pool,
  service,
  slice,
  speakerDaemonSet,
  speakerPod,
} from "./cluster.ts";

const only = <T>(items: readonly T[]): T => {
  expect(items).toHaveLength(1);
  return items[0] as T;
};

describe("upstream's own expectations (speaker/layer2_controller_test.go)", () => {
  it("hashes node name, # and address", () => {
    expect(electionHash("node-a", "10.0.0.1")).toBe(
      "dd41591fe8f31f9f38e297fe9892a8eff47892ea017c4167619a62f366fb8149",
    );
  });

  it.each([
    { names: ["node-a", "node-b", "node-c"], ip: "10.0.0.1", order: ["node-b", "node-a", "node-c"] },
    { names: ["node-a", "node-b", "node-c"], ip: "10.0.0.2", order: ["node-b", "node-c", "node-a"] },
    { names: ["node-a", "node-b"], ip: "10.20.30.1", order: ["node-b", "node-a"] },
    { names: ["iris1", "iris2"], ip: "10.20.30.1", order: ["iris2", "iris1"] },
    { names: ["iris1", "iris2"], ip: "10.20.30.2", order: ["iris1", "iris2"] },
    { names: ["worker-a", "worker-b"], ip: "10.20.30.1", order: ["worker-a", "worker-b"] },
  ])("$names for $ip", ({ names, ip, order }) => {
    const objects = objectsOf(
      nodes(...names),
      openPool,
      service("web", ip),
      slice("web", [names[0] as string]),
    );
    const address = only(predict(objects).addresses);
    expect(address.order).toEqual(order);
    expect(address.why).toEqual({});
    expect(Object.values(address.interfaces)).toEqual(names.map(() => "all"));
  });

  it.each([
    {
      names: ["edge-a", "edge-b", "worker-a", "worker-b"],
      on: ["edge-a"],
      order: ["edge-a", "edge-b", "worker-a", "worker-b"],
    },
    {
      names: ["edge-a", "edge-b", "worker-a"],
      on: ["edge-a", "edge-b"],
      order: ["edge-b", "edge-a", "worker-a"],
    },
  ])("main sorts preferred nodes first: $on", ({ names, on, order }) => {
    const objects = objectsOf(
      names.map((name) => node(name, on.includes(name) ? { labels: { edge: "true" } } : {})),
      pool("p", ["10.20.30.0/24"]),
      l2("p", { preferredNodeSelectors: [{ weight: 100, preference: { matchLabels: { edge: "true" } } }] }),
      service("web", "10.20.30.1"),
      slice("web", ["worker-a"]),
    );
    expect(only(predict(objects, { version: "main" }).addresses).order).toEqual(order);
    expect(only(predict(objects, { version: "0.16.1" }).addresses).order).not.toEqual(order);
  });

  it("policy Local keeps only nodes with a servable endpoint", () => {
    const objects = objectsOf(
      nodes("iris1", "iris2"),
      openPool,
      service("web", "10.20.30.1", { policy: "Local" }),
      slice("web", ["iris1", { conditions: { ready: false }, nodeName: "iris2" }]),
    );
    expect(only(predict(objects).addresses)).toMatchObject({
      order: ["iris1"],
      why: { iris2: "no-local-endpoint" },
    });
  });
});

describe("property", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/), {
    minLength: 2,
    maxLength: 9,
  });
  it("removing a node that does not announce never moves the address", () => {
    fc.assert(
      fc.property(names, fc.ipV4(), fc.nat(), (all, ip, pick) => {
        const build = (list: readonly string[]) =>
          objectsOf(nodes(...list), pool("p", ["0.0.0.0/0"]), l2("p"), service("s", ip), slice("s", ["x"]));
        const order = only(predict(build(all)).addresses).order;
        const loser = order[1 + (pick % (order.length - 1))] as string;
        const less = only(predict(build(all.filter((name) => name !== loser))).addresses).order;
        expect(less).toEqual(order.filter((name) => name !== loser));
      }),
      { numRuns: 60 },
    );
  });
});
void [speakerDaemonSet, speakerPod];
