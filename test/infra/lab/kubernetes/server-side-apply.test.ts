import { describe, expect, it } from "vitest";
import { fieldsOf, serverSideApply } from "#infra/lab/kubernetes/server-side-apply.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";

const configuration = (spec: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "echo", namespace: "apps" },
  spec,
});

/** A live object as it is after these managers applied these specs, in order and without conflicts. */
function liveAfter(...applied: readonly (readonly [manager: string, spec: object])[]): KubeObject {
  let live: KubeObject | undefined;
  const managedFields = new Map<string, object>();
  for (const [manager, spec] of applied) {
    const merged = serverSideApply("services", live, configuration(spec), {
      manager,
      force: false,
    }) as KubeObject;
    managedFields.set(manager, {
      manager,
      operation: "Apply",
      fieldsV1: fieldsOf("services", configuration(spec)),
    });
    live = { ...merged, metadata: { ...merged.metadata, managedFields: [...managedFields.values()] } };
  }
  return live as KubeObject;
}

describe("serverSideApply", () => {
  it("owns what was applied, ports by number and protocol, never the identity", () => {
    expect(
      fieldsOf("services", configuration({ type: "LoadBalancer", ports: [{ port: 80, name: "http" }] })),
    ).toEqual({
      "f:metadata": {},
      "f:spec": {
        "f:type": {},
        "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {}, "f:name": {} } },
      },
    });
  });

  it("merges several managers and takes away what one applies no longer", () => {
    const live = liveAfter(
      ["one", { type: "LoadBalancer", sessionAffinity: "None", ports: [{ port: 80 }, { port: 443 }] }],
      ["two", { ports: [{ port: 8080 }, { port: 443 }], selector: { app: "echo" } }],
    );
    expect(live.spec).toEqual({
      type: "LoadBalancer",
      sessionAffinity: "None",
      ports: [{ port: 80 }, { port: 443 }, { port: 8080 }],
      selector: { app: "echo" },
    });
    const next = serverSideApply("services", live, configuration({ type: "LoadBalancer" }), {
      manager: "one",
      force: false,
    }) as KubeObject;
    expect(next.spec).toEqual({
      type: "LoadBalancer",
      ports: [{ port: 443 }, { port: 8080 }],
      selector: { app: "echo" },
    });
  });

  it("refuses what another manager applied differently, names every field, and can be forced", () => {
    const live = liveAfter(["one", { type: "LoadBalancer", sessionAffinity: "None" }]);
    const other = configuration({ type: "ClusterIP", sessionAffinity: "ClientIP" });
    const apply = (force: boolean) => serverSideApply("services", live, other, { manager: "two", force });
    expect(() => apply(false)).toThrow(
      'Apply failed with 2 conflicts: conflict with "one": .spec.type, conflict with "one": .spec.sessionAffinity',
    );
    expect(apply(true)).toMatchObject({ spec: { type: "ClusterIP", sessionAffinity: "ClientIP" } });
  });

  it("sees no conflict in the same value", () => {
    const live = liveAfter(["one", { type: "LoadBalancer" }], ["two", { type: "LoadBalancer" }]);
    expect(live.spec).toEqual({ type: "LoadBalancer" });
  });
});
