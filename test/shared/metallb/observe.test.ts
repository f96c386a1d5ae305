import { describe, expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { eventSays, statusSays } from "#shared/metallb/observe.ts";
import { event, l2Status, node, nodes, objectsOf } from "./cluster.ts";

const ready = nodes("a", "b");
const down = node("b", { conditions: [{ type: "Ready", status: "Unknown" }] });

describe("statusSays", () => {
  const says = (version: string | undefined, ...items: readonly KubeObject[]) =>
    statusSays(objectsOf(items), "default/web", version);

  it("is believed when one object of 0.16 or newer names a Ready node", () => {
    expect(
      says("0.16.0", ...ready, l2Status("web", "a", { interfaces: ["eth0"] }), l2Status("other", "b")),
    ).toEqual({
      node: "a",
      nodes: ["a"],
      interfaces: ["eth0"],
      objects: ["l2-web-a"],
      trust: "as reported",
      because: [],
    });
  });

  it("empty interfaces mean all", () => {
    expect(says("main", ...ready, l2Status("web", "a")).interfaces).toBe("all");
  });

  it("no object says nothing", () => {
    expect(says("0.16.1", ...ready)).toMatchObject({
      node: undefined,
      nodes: [],
      interfaces: undefined,
      because: [],
    });
  });

  it.each([
    {
      name: "an old release",
      version: "0.15.3",
      items: [...ready, l2Status("web", "a")],
      because: /0\.15\.3/,
    },
    {
      name: "an unknown release",
      version: undefined,
      items: [...ready, l2Status("web", "a")],
      because: /version is unknown/,
    },
    {
      name: "two objects",
      version: "0.16.1",
      items: [...ready, l2Status("web", "a"), l2Status("web", "b")],
      because: /2 ServiceL2Status objects/,
    },
    {
      name: "a NotReady node",
      version: "0.16.1",
      items: [node("a"), down, l2Status("web", "b")],
      because: /b is not Ready/,
    },
    {
      name: "a node that is gone",
      version: "0.16.1",
      items: [...ready, l2Status("web", "gone")],
      because: /no node gone/,
    },
  ])("$name: may be stale", ({ version, items, because }) => {
    const status = says(version, ...items);
    expect(status.trust).toBe("may be stale");
    expect(status.because.join("\n")).toMatch(because);
  });

  it("several nodes are no answer", () => {
    expect(says("0.16.1", ...ready, l2Status("web", "a"), l2Status("web", "b"))).toMatchObject({
      node: undefined,
      nodes: ["a", "b"],
    });
  });
});

describe("eventSays", () => {
  const assigned = (on: string, time: string, protocol: string | undefined = "layer2") =>
    event(
      "web",
      "nodeAssigned",
      `announcing from node "${on}"${protocol === "" ? "" : ` with protocol "${protocol}"`}`,
      time,
    );
  const says = (...items: readonly KubeObject[]) => eventSays(objectsOf(ready, items), "default/web");

  it("takes the newest layer 2 assignment, whatever the order", () => {
    const events = [
      assigned("a", "2026-07-01T10:00:00Z"),
      assigned("b", "2026-07-01T14:02:11Z"),
      assigned("a", "2026-07-01T15:00:00Z", "bgp"),
    ];
    for (const list of [events, [...events].reverse()])
      expect(says(...list)).toEqual({
        assigned: { node: "b", time: "2026-07-01T14:02:11Z" },
        nodes: ["b"],
        failed: undefined,
        trust: "as reported",
        because: [],
      });
  });

  it("reads releases before 0.13, which named no protocol", () => {
    expect(says(assigned("a", "2026-07-01T10:00:00Z", "")).assigned?.node).toBe("a");
  });

  it("reads the announceFailed of a missing interface", () => {
    const message =
      'the interfaces specified by LB IP "10.4.11.1" doesn\'t exist in assigned node "a" with protocol "layer2"';
    expect(says(event("web", "announceFailed", message, "2026-07-01T10:00:00Z")).failed).toMatchObject({
      node: "a",
      ip: "10.4.11.1",
      time: "2026-07-01T10:00:00Z",
    });
  });

  it("passes over other Services, other reporters and other reasons", () => {
    const foreign = event(
      "web",
      "nodeAssigned",
      'announcing from node "a" with protocol "layer2"',
      "2026-07-01T10:00:00Z",
      {
        source: { component: "somebody-else" },
      },
    );
    expect(
      says(event("web", "IPAllocated", "Assigned IP", "2026-07-01T10:00:00Z"), foreign).assigned,
    ).toBeUndefined();
    expect(
      eventSays(objectsOf(assigned("a", "2026-07-01T10:00:00Z")), "default/other").assigned,
    ).toBeUndefined();
  });

  it.each([
    {
      name: "two nodes at the same second",
      items: [assigned("a", "2026-07-01T10:00:00Z"), assigned("b", "2026-07-01T10:00:00Z")],
      because: /in the same second/,
    },
    {
      name: "a node that is gone",
      items: [assigned("gone", "2026-07-01T10:00:00Z")],
      because: /no node gone/,
    },
    { name: "no time", items: [assigned("a", "")], because: /no time/ },
  ])("$name: may be stale", ({ items, because }) => {
    const found = says(...items);
    expect(found.trust).toBe("may be stale");
    expect(found.because.join("\n")).toMatch(because);
  });

  it("names every node of the newest second, and tells those apart whose times have fractions", () => {
    const tied = says(assigned("b", "2026-07-01T10:00:00Z"), assigned("a", "2026-07-01T10:00:00.400000Z"));
    expect(tied.nodes).toEqual(["a", "b"]);
    expect(
      says(assigned("b", "2026-07-01T10:00:00.100000Z"), assigned("a", "2026-07-01T10:00:00.400000Z")).nodes,
    ).toEqual(["a"]);
    expect(says(assigned("b", "2026-07-01T10:00:00Z"), assigned("a", "2026-07-01T10:00:01Z")).nodes).toEqual([
      "a",
    ]);
  });

  it("reads events.k8s.io objects too", () => {
    const modern = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "web.1", namespace: "default" },
      regarding: { kind: "Service", namespace: "default", name: "web" },
      reason: "nodeAssigned",
      note: 'announcing from node "a" with protocol "layer2"',
      reportingController: "metallb-speaker",
      eventTime: "2026-07-01T10:00:00.000000Z",
    };
    expect(says({ ...modern, reportingController: "somebody-else" }).assigned).toBeUndefined();
    expect(says(modern).assigned).toEqual({ node: "a", time: "2026-07-01T10:00:00.000000Z" });
  });
});
