import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import {
  covers,
  rbacFiles,
  readingRoles,
  rightsOf,
  rolesOf,
  ruleOf,
  usualNamespaces,
  writesOfRunbooks,
} from "#infra/rbac.ts";
import { resourceKinds } from "#shared/kubernetes/kinds.ts";
import { migrations } from "#shared/runbooks/all.ts";
import { type AccessCall, callOfWrite, recordCalls } from "#shared/steps/recording.ts";
import { bgpRun, dnsRun } from "./calls-of-run.ts";

const words = ({ verb, resource, group, namespace = "*" }: AccessCall): string =>
  `${verb} ${resource}${group === "" ? "" : `.${group}`} in ${namespace}`;

describe("rights of a run", () => {
  it("are what it calls, and no more than what some run of it calls", async () => {
    const runs = [await bgpRun("0.16.1"), await bgpRun("0.15.2")];
    const unused = new Set<string>();
    for (const [i, { calls, namespaces }] of runs.entries()) {
      const roles = [...readingRoles(namespaces), ...rolesOf("bgp-to-l2", namespaces)];
      expect(calls.length).toBeGreaterThan(20);
      expect(covers(roles, calls).map(words)).toEqual([]);
      const rights = rightsOf(rolesOf("bgp-to-l2", namespaces)).map((right) => ({ ...right, namespace: "" }));
      const made = calls.map((call) => words({ ...call, namespace: "" }));
      for (const right of rights.map(words)) {
        if (!made.includes(right)) {
          if (i === 0) unused.add(right);
        } else unused.delete(right);
      }
    }
    // These sites have no GitOps, no Community, and Services that a label of their own tells apart.
    expect([...unused].map((right) => right.replace(/ in $/, "")).sort()).toEqual([
      "create communities.metallb.io",
      "delete communities.metallb.io",
      "patch applications.argoproj.io",
      "patch helmreleases.helm.toolkit.fluxcd.io",
      "patch kustomizations.kustomize.toolkit.fluxcd.io",
      "patch services",
    ]);
  });

  it("of a move to another domain are what it calls, and hardly more", async () => {
    const { calls, namespaces } = await dnsRun();
    const own = rolesOf("dns-domain-move", namespaces);
    expect(covers([...readingRoles(namespaces), ...own], calls).map(words)).toEqual([]);
    const made = new Set(calls.map(({ verb, group, resource }) => `${verb} ${resource}.${group}`));
    // This site has no GitOps and names its hosts on Services alone.
    expect(
      rightsOf(own)
        .map(({ verb, group, resource }) => `${verb} ${resource}.${group}`)
        .filter((right) => !made.has(right))
        .sort(),
    ).toEqual([
      "patch applications.argoproj.io",
      "patch dnsendpoints.externaldns.k8s.io",
      "patch helmreleases.helm.toolkit.fluxcd.io",
      "patch httproutes.gateway.networking.k8s.io",
      "patch ingresses.networking.k8s.io",
      "patch kustomizations.kustomize.toolkit.fluxcd.io",
    ]);
  });

  it("do not reach beyond their namespace, group or verb", () => {
    const roles = rolesOf("bgp-to-l2", usualNamespaces);
    const allowed = {
      verb: "delete",
      group: "metallb.io",
      resource: "bgppeers",
      namespace: "metallb-system",
    } as const;
    expect(covers(roles, [allowed])).toEqual([]);
    const denied: AccessCall[] = [
      { ...allowed, namespace: "kube-system" },
      { ...allowed, group: "crd.projectcalico.org" },
      { ...allowed, verb: "patch" },
      { verb: "get", group: "", resource: "secrets", namespace: "metallb-system" },
      { verb: "create", group: "", resource: "pods/exec", namespace: "metallb-system" },
      { verb: "patch", group: "", resource: "nodes" },
    ];
    expect(covers([...roles, ...readingRoles(usualNamespaces)], denied)).toEqual(denied);
    expect(covers([{ name: "one", rules: [ruleOf(allowed)] }], [allowed, ...denied])).toEqual(
      denied.slice(1),
    );
  });

  it("to look go over every kind we know, and over no other", () => {
    const lists = rightsOf(readingRoles(usualNamespaces)).filter(({ verb }) => verb === "list");
    expect(lists).toHaveLength(Object.keys(resourceKinds).length);
    expect(
      rightsOf(readingRoles(usualNamespaces))
        .filter(({ verb }) => verb !== "list")
        .map(words),
    ).toEqual(["get pods/log in metallb-system"]);
    expect(JSON.stringify(lists)).not.toMatch(/secrets/);
  });
});

describe("files of rights", () => {
  it("are there for every runbook, and for nothing else", () => {
    const pages = readdirSync(join(import.meta.dirname, "../../infra/k8s")).filter((name) =>
      name.endsWith(".yaml"),
    );
    expect(pages.sort()).toEqual(
      [...Object.keys(writesOfRunbooks).filter((id) => writesOfRunbooks[id]?.length), "reading"]
        .map((name) => `${name}.yaml`)
        .sort(),
    );
    const without = migrations.map(({ id }) => id).filter((id) => !(id in writesOfRunbooks));
    expect(without, "add what these write to infra/rbac.ts").toEqual([]);
    expect(() => rolesOf("no-such-runbook", usualNamespaces)).toThrow(/writesOfRunbooks/);
  });

  it.each(rbacFiles)("$path binds what it defines and grants no wildcard", async ({ make }) => {
    const documents = parseAllDocuments(await make()).map(
      (document) =>
        document.toJS() as {
          kind: string;
          metadata: { name: string; namespace?: string };
          rules?: { verbs: string[]; resources: string[]; apiGroups: string[] }[];
          roleRef?: { kind: string; name: string };
        },
    );
    const roles = documents.filter(({ rules }) => rules !== undefined);
    expect(roles.length).toBeGreaterThan(0);
    for (const role of roles) {
      expect(documents).toContainEqual(
        expect.objectContaining({
          kind: `${role.kind}Binding`,
          metadata: role.metadata,
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: role.kind, name: role.metadata.name },
        }),
      );
      for (const { verbs, resources, apiGroups } of role.rules ?? [])
        expect([...verbs, ...resources, ...apiGroups]).not.toContain("*");
    }
  });
});

it("a recording leaves answers alone and notes each call once", async () => {
  const recording = recordCalls();
  const read = recording.read((async () => ({ pods: [] })) as never);
  expect(await read(["pods"])).toEqual({ pods: [] });
  await read(["pods", "nodes"]);
  const logs = recording.logs(async () => ["line"]);
  expect(await logs({ namespace: "metallb", pod: "a", tailLines: 1 })).toEqual(["line"]);
  const create = {
    verb: "create",
    kind: "calicobgppeers",
    object: { metadata: { name: "peer" } },
  } as const;
  await recording.write(async () => ({ ok: true, object: undefined }))(create, { dryRun: true });
  expect(recording.calls().map(words)).toEqual([
    "list pods in *",
    "list nodes in *",
    "get pods/log in metallb",
    "create bgppeers.crd.projectcalico.org in *",
  ]);
  expect(callOfWrite(create)).toEqual(recording.calls().at(-1));
});
