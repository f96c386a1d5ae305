import { describe, expect, it } from "vitest";
import { humanDuration } from "#infra/lab/kubernetes/age.ts";
import { table } from "#infra/lab/kubernetes/table.ts";
import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";

const now = Date.parse("2026-11-01T14:00:00Z");
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("humanDuration", () => {
  it.each([
    [-5 * second, "<invalid>"],
    [0, "0s"],
    [119 * second, "119s"],
    [2 * minute, "2m"],
    [9 * minute + 59 * second, "9m59s"],
    [10 * minute + 59 * second, "10m"],
    [179 * minute, "179m"],
    [3 * hour + 5 * minute, "3h5m"],
    [8 * hour + 5 * minute, "8h"],
    [47 * hour, "47h"],
    [2 * day + 3 * hour, "2d3h"],
    [8 * day + 3 * hour, "8d"],
    [729 * day, "729d"],
    [2 * 365 * day + day, "2y1d"],
    [9 * 365 * day, "9y"],
  ])("%d ms is %s", (ms, words) => {
    expect(humanDuration(ms)).toBe(words);
  });
});

describe("table", () => {
  const cells = (kind: ResourceKind, object: object): Record<string, unknown> => {
    const whole = { metadata: { name: "x", creationTimestamp: "2026-11-01T13:00:00Z" }, ...object };
    const made = table(kind, [whole], {}, { now, include: "None" }) as {
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[] }[];
    };
    return Object.fromEntries(made.columnDefinitions.map(({ name }, i) => [name, made.rows[0]?.cells[i]]));
  };

  it("has a row as wide as its head for every kind, also of an object that says nothing", () => {
    for (const kind of Object.keys(resourceKinds) as ResourceKind[])
      expect(Object.values(cells(kind, {})), kind).not.toContain(undefined);
  });

  it("tells a Service that waits for an address", () => {
    expect(cells("services", { spec: { type: "LoadBalancer" } })["External-IP"]).toBe("<pending>");
    expect(cells("services", { spec: { type: "ClusterIP" } })["External-IP"]).toBe("<none>");
  });

  it.each([
    [{ status: { conditions: [{ type: "Ready", status: "True" }] } }, "Ready"],
    [{ status: { conditions: [{ type: "Ready", status: "Unknown" }] } }, "NotReady"],
    [{ spec: { unschedulable: true } }, "Unknown,SchedulingDisabled"],
  ])("tells the state of node %j", (node, status) => {
    expect(cells("nodes", node)).toMatchObject({ Status: status, Age: "60m" });
  });

  it("tells why a pod does not run", () => {
    const waiting = { ready: false, restartCount: 4, state: { waiting: { reason: "CrashLoopBackOff" } } };
    const status = { phase: "Running", containerStatuses: [waiting, { ready: true, restartCount: 1 }] };
    expect(cells("pods", { status })).toMatchObject({
      Ready: "1/2",
      Status: "CrashLoopBackOff",
      Restarts: "5",
    });
  });

  it("shows the status objects of MetalLB", () => {
    const status = { node: "bettley", serviceName: "httpbin", serviceNamespace: "apps" };
    expect(cells("servicel2statuses", { status })).toEqual({
      Name: "x",
      "Allocated Node": "bettley",
      "Service Name": "httpbin",
      "Service Namespace": "apps",
    });
  });
});
