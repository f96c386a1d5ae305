import { describe, expect, it } from "vitest";
import { discovery } from "#infra/lab/kubernetes/discovery.ts";
import { readTarget } from "#infra/lab/kubernetes/target.ts";
import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";

const kinds = Object.keys(resourceKinds) as ResourceKind[];
const ask = (path: string, known = kinds) => discovery(known, path, "127.0.0.1:6443") as never;

type Group = { name: string; versions: { version: string }[]; preferredVersion: { version: string } };
type List = { groupVersion: string; resources: { name: string; kind: string; namespaced: boolean }[] };
type Operation = { parameters: { name: string }[]; "x-kubernetes-group-version-kind": object };

describe("discovery", () => {
  it("leads from the groups to every kind, by the path that is served", () => {
    const { groups } = ask("/apis") as { groups: Group[] };
    const roots = [
      "/api/v1",
      ...groups.flatMap(({ name, versions }) => versions.map(({ version }) => `/apis/${name}/${version}`)),
    ];
    const found = roots.flatMap((root) => {
      const { resources } = ask(root) as List;
      return resources.flatMap(({ name }) => readTarget(`${root}/${name}`)?.kind ?? []);
    });
    expect(new Set(found)).toEqual(new Set(kinds));
    expect(ask("/apis/metallb.io")).toMatchObject({ preferredVersion: { version: "v1beta1" } });
  });

  it("does not know what the cluster does not", () => {
    expect(ask("/apis/metallb.io", ["nodes"])).toBeUndefined();
    expect(ask("/apis/metallb.io/v1beta2", ["l2advertisements"])).toBeUndefined();
    expect(ask("/apis/metallb.io/v1beta1/extra/path")).toBeUndefined();
    expect(ask("/openapi/v3/apis/metallb.io/v1beta1", ["nodes"])).toBeUndefined();
  });

  it("tells kubectl that patches of every kind can be validated by the server", () => {
    const { paths } = ask("/openapi/v3") as { paths: Record<string, { serverRelativeURL: string }> };
    const operations = Object.values(paths).flatMap(({ serverRelativeURL }) => {
      const [path = ""] = serverRelativeURL.split("?");
      const document = ask(path) as { paths: Record<string, { patch: Operation }> };
      return Object.values(document.paths).map(({ patch }) => patch);
    });
    for (const { group, version, kind } of Object.values(resourceKinds))
      expect(operations).toContainEqual(
        expect.objectContaining({
          "x-kubernetes-group-version-kind": { group, version, kind },
          parameters: expect.arrayContaining([expect.objectContaining({ name: "fieldValidation" })]),
        }),
      );
  });
});

describe("readTarget", () => {
  it.each([
    ["/api/v1/namespaces", { kind: "namespaces" }],
    ["/apis/metallb.io/v1beta2/bgppeers", { kind: "bgppeers" }],
    ["/apis/crd.projectcalico.org/v1/bgppeers/router", { kind: "calicobgppeers", name: "router" }],
    ["/api/v1/namespaces/apps", { kind: "namespaces", name: "apps" }],
    ["/api/v1/namespaces/apps/status", { kind: "namespaces", name: "apps", subresource: "status" }],
    [
      "/api/v1/namespaces/apps/pods/a/log",
      { kind: "pods", namespace: "apps", name: "a", subresource: "log" },
    ],
    ["/api/v1/namespaces/services/services/x", { kind: "services", namespace: "services", name: "x" }],
    ["/apis/metallb.io/v1beta2/bgppeers", { kind: "bgppeers" }],
    ["/apis/metallb.io/v1beta1/bgppeers", undefined],
    ["/api/v1/namespaces/apps/nodes", { kind: "namespaces", name: "apps", subresource: "nodes" }],
    ["/api/v1/nodes/a/b/c", undefined],
    ["/metrics", undefined],
  ])("reads %s", (path, target) => {
    expect(readTarget(path)).toEqual(target);
  });
});
