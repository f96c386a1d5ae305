import { describe, expect, it } from "vitest";
import { claimedNodes, eventClaim, statusClaim } from "#shared/arp/claims.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { parseMetalLbObjects } from "#shared/metallb/resources.ts";

const service = "httpbin/httpbin";

const status = (name: string, node: string): KubeObject => ({
  apiVersion: "metallb.io/v1beta1",
  kind: "ServiceL2Status",
  metadata: {
    name,
    namespace: "metallb",
    labels: { "metallb.io/service-name": "httpbin", "metallb.io/service-namespace": "httpbin" },
  },
  status: { node, serviceName: "httpbin", serviceNamespace: "httpbin" },
});

const event = (name: string, reason: string, message: string, lastTimestamp: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: { name, namespace: "httpbin" },
  involvedObject: { kind: "Service", namespace: "httpbin", name: "httpbin" },
  reason,
  message,
  source: { component: "metallb-speaker" },
  lastTimestamp,
});

const from = (...objects: readonly KubeObject[]) => parseMetalLbObjects(objects).objects;

describe("status", () => {
  it("is doubted before 0.16, in words short enough for a column", () => {
    expect(statusClaim(from(status("l2-a", "bettley")), service, "0.15.2")).toEqual({
      kind: "node",
      node: "bettley",
      doubts: ["0.15: may be stale after failover"],
    });
    expect(statusClaim(from(status("l2-a", "bettley")), service, "0.16.1")).toMatchObject({ doubts: [] });
  });
  it("names every node when there is more than one object", () => {
    const claim = statusClaim(from(status("l2-a", "bettley"), status("l2-b", "cargyll")), service, "0.16.1");
    expect(claim.kind).toBe("nodes");
    expect(claimedNodes(claim)).toEqual(["bettley", "cargyll"]);
  });
  it("is none without an object", () => {
    expect(statusClaim(from(), service, "0.16.1")).toEqual({ kind: "none", because: "no ServiceL2Status" });
  });
});

describe("event", () => {
  const assigned = (node: string, at: string, protocol = "layer2") =>
    event(
      `e-${node}-${at}`,
      "nodeAssigned",
      `announcing from node "${node}" with protocol "${protocol}"`,
      at,
    );
  it("is the newest layer 2 assignment", () => {
    const claim = eventClaim(
      from(
        assigned("cargyll", "2026-11-23T14:02:11Z"),
        assigned("bettley", "2026-11-23T13:00:00Z"),
        assigned("dalt", "2026-11-23T14:30:00Z", "bgp"),
      ),
      service,
    );
    expect(claim).toEqual({
      kind: "node",
      node: "cargyll",
      at: Date.UTC(2026, 10, 23, 14, 2, 11),
      doubts: [],
    });
  });
  it("is doubted when the same node could not announce on the named interfaces", () => {
    const claim = eventClaim(
      from(
        assigned("cargyll", "2026-11-23T14:02:11Z"),
        event(
          "f",
          "announceFailed",
          'the interfaces specified by LB IP "10.4.11.1" doesn\'t exist in assigned node "cargyll" with protocol "layer2"',
          "2026-11-23T14:02:11Z",
        ),
      ),
      service,
    );
    expect(claim.kind === "node" && claim.doubts.join()).toMatch(/announceFailed/);
  });
  it("is one of several when they come from the same second", () => {
    const claim = eventClaim(
      from(assigned("cargyll", "2026-11-23T14:02:11Z"), assigned("bettley", "2026-11-23T14:02:11Z")),
      service,
    );
    expect(claim).toMatchObject({ kind: "nodes", nodes: ["bettley", "cargyll"], oneOf: true });
  });
  it("is none when none is left", () => {
    expect(eventClaim(from(), service).kind).toBe("none");
  });
});
