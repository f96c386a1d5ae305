import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AccessRule } from "#infra/lab/kubernetes/access.ts";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import type { ApiRequest } from "#infra/lab/kubernetes/request.ts";
import { type KubernetesApiOptions, startKubernetesApi, type Trouble } from "#infra/lab/kubernetes/start.ts";
import { connectClustersInWorker } from "#shared/adapters/clusters-in-worker.ts";
import { type ClusterConnection, connectCluster } from "#shared/adapters/kubernetes.ts";
import type { KubeWrite } from "#shared/kubernetes/write.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { writeClusterContract } from "#test/contract/write-cluster.ts";

function emptyCluster(): ObjectStore {
  let uid = 0;
  const store = createObjectStore({
    now: () => Date.parse("2026-11-01T14:00:00Z"),
    newUid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}`,
    admit: admitMetalLb,
  });
  for (const name of ["apps", "metallb-system"]) store.create("namespaces", { metadata: { name } });
  return store;
}

async function served(options: Partial<KubernetesApiOptions> & Readonly<{ store: ObjectStore }>) {
  const folder = await mkdtemp(join(tmpdir(), "kubernetes-write-"));
  const api = await startKubernetesApi({
    tokens: { "token-of-writer": { user: "writer", groups: ["system:masters"] } },
    ...options,
  });
  const kubeconfig = join(folder, "config");
  await writeKubeconfig({ ...api, token: "token-of-writer", cluster: "lab", file: kubeconfig });
  return {
    kubeconfig,
    close: async () => {
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

writeClusterContract("over the Kubernetes API", async () => {
  const { kubeconfig, close } = await served({ store: emptyCluster() });
  const cluster = connectCluster({ kubeconfig, requestTimeoutMs: 10_000 });
  return {
    ...cluster,
    namespace: "apps",
    metallb: "metallb-system",
    close: async () => {
      cluster.close();
      await close();
    },
  };
});

writeClusterContract("over the Kubernetes API, from a thread", async () => {
  const { kubeconfig, close } = await served({ store: emptyCluster() });
  const connected = await connectClustersInWorker({
    clusters: [
      {
        name: "lab",
        kubeconfig,
        site: { lanPrefix: "10.4.0.0/20", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
        vantages: [],
        nodes: [],
      },
    ],
    log: () => {},
  });
  const cluster = connected.get("lab");
  if (cluster === undefined) throw new Error("no cluster");
  return {
    ...cluster,
    namespace: "apps",
    metallb: "metallb-system",
    close: async () => {
      await cluster.close();
      await close();
    },
  };
});

describe("a write over the API", () => {
  const store = emptyCluster();
  const seen: ApiRequest[] = [];
  let trouble: Trouble | undefined;
  let api: Awaited<ReturnType<typeof served>>;
  let cluster: ClusterConnection;
  beforeAll(async () => {
    api = await served({
      store,
      faults: {
        respond: (request) => {
          seen.push(request);
          return trouble;
        },
      },
    });
    cluster = connectCluster({ kubeconfig: api.kubeconfig, requestTimeoutMs: 400 });
  });
  afterAll(async () => {
    cluster.close();
    await api.close();
  });
  afterEach(() => {
    trouble = undefined;
    seen.length = 0;
  });

  const creating = (name: string): KubeWrite => ({
    verb: "create",
    kind: "configmaps",
    object: { metadata: { name, namespace: "apps" } },
  });
  const is = { uid: "00000000-0000-4000-8000-000000000009", resourceVersion: "7" };
  const ref = { kind: "l2advertisements", namespace: "metallb-system", name: "primary" } as const;

  it("means items of lists by their name where the write says so", async () => {
    const patch = { spec: { template: { spec: { containers: [{ name: "dns", args: ["--once"] }] } } } };
    await cluster.write({
      verb: "patch",
      ref: { kind: "deployments", namespace: "apps", name: "dns" },
      patch,
      byName: true,
      is,
    });
    expect(seen[0]?.headers["content-type"]).toBe("application/strategic-merge-patch+json");
    expect(JSON.parse(seen[0]?.body.toString() ?? "")).toEqual({ ...patch, metadata: is });
  });

  it("names us as field manager and carries its precondition", async () => {
    await cluster.write(creating("named"), { dryRun: true });
    await cluster.write({ verb: "patch", ref, patch: { spec: { interfaces: ["eth0"] } }, is });
    await cluster.write({ verb: "delete", ref, is }, { dryRun: true });
    const path = "/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements/primary";
    expect(seen.map(({ method, path, query }) => [method, path, query.toString()])).toEqual([
      ["POST", "/api/v1/namespaces/apps/configmaps", "fieldManager=arpeggio&dryRun=All"],
      ["PATCH", path, "fieldManager=arpeggio"],
      ["DELETE", path, ""],
    ]);
    const bodies = seen.map(({ body }) => JSON.parse(body.toString()) as unknown);
    expect(bodies[1]).toEqual({ spec: { interfaces: ["eth0"] }, metadata: is });
    expect(seen[1]?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(bodies[2]).toEqual({
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: is,
      dryRun: ["All"],
    });
  });

  it.each<[string, Trouble, object]>([
    ["an internal error", { status: 500, message: "etcdserver: request timed out" }, { kind: "refused" }],
    ["throttling", { status: 429, message: "too many requests" }, { kind: "refused" }],
    ["a page that is no API's", { status: 502, text: "<html>bad gateway</html>" }, { kind: "refused" }],
    ["somebody else's 404", { status: 404, text: "<html>not found</html>" }, { kind: "unreadable" }],
    ["a login page", { status: 200, text: "<html>login</html>" }, { kind: "unreadable" }],
    ["a redirect", { status: 302, text: "", location: "/login" }, { kind: "unreadable" }],
    ["a cut connection", "reset", { kind: "unreachable" }],
    ["silence", "hang", { kind: "timed-out", what: "create of configmaps apps/unsure" }],
  ])("is neither made nor refused after %s", async (_, answer, fault) => {
    trouble = answer;
    await expect(cluster.write(creating("unsure"))).rejects.toMatchObject({ fault });
  });

  it("that was made before the connection broke is not called refused", async () => {
    trouble = "reset";
    const asked = cluster.write(creating("made"));
    store.create("configmaps", { metadata: { name: "made", namespace: "apps" } });
    await expect(asked).rejects.toMatchObject({ fault: { kind: "unreachable" } });
    trouble = undefined;
    expect(await cluster.write(creating("made"))).toMatchObject({ ok: false, because: "exists" });
  });

  it("that is aborted on its way is unknown too", async () => {
    trouble = "hang";
    const abort = new AbortController();
    const asked = cluster.write(creating("aborted"), { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ fault: { kind: "cancelled" } });
  });

  it.each<[Trouble, object]>([
    [
      { status: 401, message: "Unauthorized" },
      { because: "denied", message: "the cluster does not accept the credentials of lab (401)" },
    ],
    [{ status: 403, reason: "Forbidden", message: "exceeded quota: x" }, { because: "denied" }],
    [
      {
        status: 400,
        reason: "BadRequest",
        message: 'admission webhook "x.example.com" denied the request: no',
      },
      { because: "webhook" },
    ],
    [{ status: 404, reason: "NotFound", message: 'namespaces "apps" not found' }, { because: "not-found" }],
    [
      { status: 404, text: "404 page not found\n" },
      { because: "not-found", message: "the server does not know configmaps in v1 (404)" },
    ],
  ])("answered with %j is refused", async (answer, refused) => {
    trouble = answer;
    expect(await cluster.write(creating("refused"))).toMatchObject({ ok: false, ...refused });
  });

  it("keeps credentials out of what it says", async () => {
    trouble = { status: 422, reason: "Invalid", message: "token-of-writer is not welcome" };
    expect(await cluster.write(creating("secret"))).toMatchObject({ message: "[secret] is not welcome" });
  });

  it("without the right to it says so in the API's words", async () => {
    const rules: AccessRule[] = [
      { verbs: ["list"], apiGroups: ["*"], resources: ["*"] },
      { verbs: ["create"], apiGroups: [""], resources: ["configmaps"], namespaces: ["apps"] },
    ];
    const own = emptyCluster();
    const other = await served({
      store: own,
      tokens: { "token-of-writer": { user: "clerk", groups: [], rules } },
    });
    const clerk = connectCluster({ kubeconfig: other.kubeconfig, requestTimeoutMs: 5_000 });
    expect(await clerk.write(creating("mine"))).toMatchObject({ ok: true });
    expect(await clerk.write({ verb: "delete", ref, is })).toEqual({
      ok: false,
      because: "denied",
      message:
        'l2advertisements.metallb.io "primary" is forbidden: User "clerk" cannot delete resource "l2advertisements" in API group "metallb.io" in the namespace "metallb-system"',
    });
    clerk.close();
    await other.close();
  });
});
