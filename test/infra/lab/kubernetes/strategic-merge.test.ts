import { describe, expect, it } from "vitest";
import { strategicMerge } from "#infra/lab/kubernetes/strategic-merge.ts";

const service = {
  metadata: { labels: { a: "1" }, finalizers: ["x", "y"] },
  spec: {
    ports: [
      { name: "http", port: 80, targetPort: 8080, nodePort: 30_080 },
      { name: "https", port: 443 },
    ],
    loadBalancerSourceRanges: ["10.0.0.0/8"],
    selector: { app: "old", tier: "edge" },
  },
};

const merged = (patch: unknown) => strategicMerge("services", service, patch) as typeof service;

describe("strategicMerge", () => {
  it("merges ports by their number and keeps what it does not name", () => {
    expect(
      merged({
        spec: {
          ports: [
            { port: 80, targetPort: 9090 },
            { port: 8443, name: "alt" },
          ],
        },
      }).spec.ports,
    ).toEqual([
      { name: "http", port: 80, targetPort: 9090, nodePort: 30_080 },
      { name: "https", port: 443 },
      { name: "alt", port: 8443 },
    ]);
  });

  it("deletes and orders as kubectl apply asks", () => {
    const patch = {
      spec: {
        "$setElementOrder/ports": [{ port: 8443 }, { port: 80 }],
        ports: [
          { name: "alt", port: 8443 },
          { $patch: "delete", port: 443 },
        ],
      },
    };
    expect(merged(patch).spec.ports.map(({ port }) => port)).toEqual([8443, 80]);
    expect(
      merged({ spec: { "$setElementOrder/ports": [{ port: 443 }, { port: 80 }] } }).spec.ports.map(
        ({ port }) => port,
      ),
    ).toEqual([443, 80]);
  });

  it("replaces a list as a whole when asked, or when it has no key", () => {
    expect(merged({ spec: { ports: [{ $patch: "replace" }, { port: 1 }] } }).spec.ports).toEqual([
      { port: 1 },
    ]);
    expect(
      merged({ spec: { loadBalancerSourceRanges: ["192.168.0.0/16"] } }).spec.loadBalancerSourceRanges,
    ).toEqual(["192.168.0.0/16"]);
  });

  it("removes with null, replaces and retains maps, and edits sets of words", () => {
    expect(merged({ metadata: { labels: { a: null } } }).metadata.labels).toEqual({});
    expect(merged({ spec: { selector: { $patch: "replace", app: "new" } } }).spec.selector).toEqual({
      app: "new",
    });
    expect(merged({ spec: { selector: { $retainKeys: ["app"], app: "new" } } }).spec.selector).toEqual({
      app: "new",
    });
    expect(merged({ spec: { selector: { $patch: "delete" } } }).spec).not.toHaveProperty("selector");
    expect(merged({ metadata: { finalizers: ["y", "z"] } }).metadata.finalizers).toEqual(["x", "y", "z"]);
    expect(
      merged({ metadata: { "$deleteFromPrimitiveList/finalizers": ["x"] } }).metadata.finalizers,
    ).toEqual(["y"]);
  });

  it("merges conditions of a node by type", () => {
    const node = {
      status: {
        conditions: [
          { type: "Ready", status: "True" },
          { type: "DiskPressure", status: "False" },
        ],
      },
    };
    expect(
      strategicMerge("nodes", node, { status: { conditions: [{ type: "Ready", status: "False" }] } }),
    ).toEqual({
      status: {
        conditions: [
          { type: "Ready", status: "False" },
          { type: "DiskPressure", status: "False" },
        ],
      },
    });
  });

  it("leaves no directive in what it makes, also in what is new", () => {
    const patch = {
      spec: { template: { $retainKeys: ["a"], a: { "$setElementOrder/list": [1], list: [1] } } },
    };
    expect(strategicMerge("deployments", {}, patch)).toEqual({ spec: { template: { a: { list: [1] } } } });
  });

  it.each([
    ["no object", []],
    ["an item without its key", { spec: { ports: [{ name: "http" }] } }],
    ["an unknown directive", { spec: { $patch: "shuffle" } }],
    ["an order that is no list", { spec: { "$setElementOrder/ports": 1, ports: [{ port: 80 }] } }],
  ])("refuses %s", (_, patch) => {
    expect(() => merged(patch)).toThrow(/^invalid strategic merge patch: /);
  });
});
