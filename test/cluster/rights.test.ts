import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { readingRoles, rightsOf, rolesOf, usualNamespaces, writesOfRunbooks } from "#infra/rbac.ts";
import { type ClusterConnection, connectCluster } from "#shared/adapters/kubernetes.ts";
import { FaultError, isFault } from "#shared/fault.ts";
import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { KubeWrite } from "#shared/kubernetes/write.ts";
import { type AccessCall, callOfWrite } from "#shared/steps/recording.ts";
import { bgpRun, dnsRun, type RecordedRun } from "#test/infra/calls-of-run.ts";
import { type BoundAccount, makeAccount } from "./support/bound-account.ts";
import { openRawApi, type RawApi } from "./support/raw-api.ts";

const kubeconfig = inject("kubeconfig");
const isOurs = kubeconfig !== undefined;
const kinds = Object.keys(resourceKinds) as ResourceKind[];
const runbooks = Object.keys(writesOfRunbooks).filter((id) => (writesOfRunbooks[id]?.length ?? 0) > 0);

/** What a run of each runbook asked of the model's API, where one was recorded. */
const recorded: Readonly<Record<string, () => Promise<readonly RecordedRun[]>>> = {
  "bgp-to-l2": async () => [await bgpRun("0.16.1"), await bgpRun("0.15.2")],
  "dns-domain-move": async () => [await dnsRun()],
};

const words = ({ verb, group, resource }: AccessCall): string =>
  `${verb} ${resource}${group === "" ? "" : `.${group}`}`;

// The built-in API has no Roles: its test is test/infra/rbac.test.ts.
describe.skipIf(isOurs)("rights of infra/k8s on this cluster", () => {
  let api: RawApi;
  let account: BoundAccount;
  let bound: ClusterConnection;
  let folder: string;
  let why = "";
  const own = `arpeggio-test-${crypto.randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    api = await openRawApi(kubeconfig);
    await api.call("POST", "/api/v1/namespaces", { metadata: { name: own } });
    const made = await makeAccount(api, own);
    if ("because" in made) {
      why = made.because;
      return;
    }
    account = made;
    folder = await mkdtemp(join(tmpdir(), "arpeggio-rights-"));
    const file = join(folder, "config");
    await writeKubeconfig({
      url: api.server,
      caPem: api.caPem ?? "",
      token: account.token,
      cluster: "bound",
      file,
    });
    bound = connectCluster({ kubeconfig: file, requestTimeoutMs: 15_000 });
  });
  beforeEach(({ skip }) => {
    if (why !== "") skip(why);
  });
  afterAll(async () => {
    await account?.remove();
    bound?.close();
    await api.call("DELETE", `/api/v1/namespaces/${own}`);
    await api.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  /** Every right the account has in a namespace, as the server's own authorizer lists them. */
  async function rightsIn(namespace: string): Promise<ReadonlySet<string>> {
    const { body } = await api.call(
      "POST",
      "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
      { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } },
      account.token,
    );
    const { resourceRules } = body.status as {
      resourceRules: readonly { verbs: string[]; apiGroups: string[]; resources: string[] }[];
    };
    return new Set(
      resourceRules.flatMap(({ verbs, apiGroups, resources }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.map((verb) => words({ verb: verb as AccessCall["verb"], group, resource })),
          ),
        ),
      ),
    );
  }

  const expected = (id: string | undefined, namespace: string): readonly string[] =>
    [
      ...rightsOf(readingRoles(account.namespaces)),
      ...(id === undefined ? [] : rightsOf(rolesOf(id, account.namespaces))),
    ]
      .filter((right) => right.namespace === undefined || right.namespace === namespace)
      .map(words);

  /** Binds what a file says, and waits until the authorizer has heard of it. */
  async function bind(id: string | undefined): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    await account.unbind();
    const everybody = await settled(
      () => rightsIn(own),
      (rights) => !rights.has("list pods"),
    );
    await account.bind("reading.yaml");
    if (id !== undefined) await account.bind(`${id}.yaml`);
    const places = [...Object.values(account.namespaces), own];
    const out = new Map<string, ReadonlySet<string>>();
    for (const place of places) {
      const wanted = expected(id, place);
      const rights = await settled(
        () => rightsIn(place),
        (have) => wanted.every((right) => have.has(right)),
      );
      out.set(place, new Set([...rights].filter((right) => !everybody.has(right))));
    }
    return out;
  }

  async function settled<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
    let seen = await look();
    for (let i = 0; i < 50 && !isSo(seen); i++) {
      await new Promise((go) => setTimeout(go, 100));
      seen = await look();
    }
    return seen;
  }

  /** The server's answer to a call as RBAC sees it; nothing is changed by it. */
  async function isRefused(call: AccessCall): Promise<boolean> {
    const kind = kinds.find((each) => {
      const { group } = resourceKinds[each];
      return (
        group === call.group &&
        call.resource.split("/")[0] === (each === "calicobgppeers" ? "bgppeers" : each)
      );
    });
    if (kind === undefined) throw new Error(`no kind for ${words(call)}`);
    if (call.verb === "list") {
      const listed = (await bound.read([kind]))[kind];
      return isFault(listed) && listed.kind === "denied";
    }
    if (call.resource === "pods/log")
      return bound
        .logs({ namespace: call.namespace ?? "default", pod: "arpeggio-test-absent", tailLines: 1 })
        .then(
          () => false,
          (error: unknown) => error instanceof FaultError && error.fault.kind === "denied",
        );
    const inside = resourceKinds[kind].namespaced ? { namespace: call.namespace ?? own } : {};
    const name = "arpeggio-test-absent";
    const is = { uid: "11111111-2222-4333-8444-555555555555" };
    const write: KubeWrite =
      call.verb === "create"
        ? { verb: "create", kind, object: { metadata: { name, ...inside } } }
        : call.verb === "patch"
          ? { verb: "patch", ref: { kind, name, ...inside }, patch: { metadata: { labels: {} } }, is }
          : { verb: "delete", ref: { kind, name, ...inside }, is };
    const written = await bound.write(write, { dryRun: true });
    return !written.ok && written.because === "denied";
  }

  it("of a fresh account are none of ours", async () => {
    await account.unbind();
    for (const call of [
      { verb: "list", group: "", resource: "services" },
      {
        verb: "create",
        group: "metallb.io",
        resource: "l2advertisements",
        namespace: account.namespaces.metallb,
      },
    ] as const)
      expect(await isRefused(call), words(call)).toBe(true);
  });

  it("to look are exactly those of reading.yaml, and each list is really answered", async () => {
    for (const [place, rights] of await bind(undefined))
      expect([...rights].sort(), place).toEqual([...new Set(expected(undefined, place))].sort());
    for (const call of rightsOf(readingRoles(account.namespaces)))
      expect(await isRefused(call), words(call)).toBe(false);
    const elsewhere = { verb: "get", group: "", resource: "pods/log", namespace: own } as const;
    expect(await isRefused(elsewhere)).toBe(true);
  });

  it.each(runbooks)("of %s are exactly those of its file, called and refused", async (id) => {
    const there = await bind(id);
    for (const [place, rights] of there)
      expect([...rights].sort(), place).toEqual([...new Set(expected(id, place))].sort());
    const granted = rightsOf(rolesOf(id, account.namespaces));
    for (const call of granted) expect(await isRefused(call), words(call)).toBe(false);
    // Each right of a namespace ends at its border.
    for (const call of granted.filter(({ namespace }) => namespace !== undefined)) {
      const isAlsoWide = granted.some((each) => each.namespace === undefined && words(each) === words(call));
      if (!isAlsoWide)
        expect(await isRefused({ ...call, namespace: own }), `${words(call)} elsewhere`).toBe(true);
    }
    const never = [
      ["GET", "/api/v1/secrets"],
      ["GET", `/api/v1/namespaces/${account.namespaces.metallb}/secrets/any`],
      ["POST", `/api/v1/namespaces/${account.namespaces.metallb}/pods/any/exec?command=id`],
      ["DELETE", `/apis/metallb.io/v1beta1/namespaces/${account.namespaces.metallb}/ipaddresspools`],
      ["DELETE", `/api/v1/namespaces/${account.namespaces.canary}`],
      ["GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles"],
    ] as const;
    for (const [method, path] of never)
      expect((await api.call(method, path, undefined, account.token)).status, `${method} ${path}`).toBe(403);
  });

  it.each(Object.keys(recorded))("let a whole run of %s through, and it needs them", async (id) => {
    const runs = await (recorded[id] as () => Promise<readonly RecordedRun[]>)();
    const here = (namespaces: RecordedRun["namespaces"]) => {
      const names = new Map(
        (Object.keys(usualNamespaces) as (keyof typeof usualNamespaces)[]).map((part) => [
          namespaces[part],
          account.namespaces[part],
        ]),
      );
      return (name: string | undefined): string | undefined =>
        name === undefined ? undefined : (names.get(name) ?? own);
    };
    const moved = ({ namespaces, writes }: RecordedRun): readonly KubeWrite[] => {
      const to = here(namespaces);
      return writes.map((write): KubeWrite => {
        if (write.verb !== "create") {
          const namespace = to(write.ref.namespace);
          return { ...write, ref: { ...write.ref, ...(namespace === undefined ? {} : { namespace }) } };
        }
        const { uid: _, resourceVersion: __, ...metadata } = write.object.metadata;
        const namespace = to(metadata.namespace);
        return {
          ...write,
          object: {
            ...write.object,
            metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) },
          },
        };
      });
    };
    const denied = async (): Promise<readonly string[]> => {
      const out = new Set<string>();
      for (const run of runs) {
        for (const call of run.calls.filter(({ verb }) => verb === "list" || verb === "get")) {
          const namespace = here(run.namespaces)(call.namespace);
          if (await isRefused({ ...call, ...(namespace === undefined ? {} : { namespace }) }))
            out.add(words(call));
        }
        for (const write of moved(run)) {
          const written = await bound.write(write, { dryRun: true });
          if (!written.ok && written.because === "denied") out.add(words(callOfWrite(write)));
        }
      }
      return [...out].sort();
    };
    await bind(id);
    expect(await denied()).toEqual([]);
    await bind(undefined);
    const writes = new Set(runs.flatMap(moved).map((write) => words(callOfWrite(write))));
    expect(await denied()).toEqual([...writes].sort());
  });
});
