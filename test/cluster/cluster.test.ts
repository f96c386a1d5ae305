import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type ClusterConnection, connectCluster } from "#shared/adapters/kubernetes.ts";
import { isFault } from "#shared/fault.ts";
import type { KubeObject, Listed } from "#shared/kubernetes/read.ts";
import { writeClusterContract } from "#test/contract/write-cluster.ts";
import { type GoBetween, startGoBetween } from "./support/go-between.ts";

const kubeconfig = inject("kubeconfig");
const connect = (file = kubeconfig): ClusterConnection =>
  connectCluster({ ...(file === undefined ? {} : { kubeconfig: file }), requestTimeoutMs: 15_000 });

const objects = (listed: Listed): readonly KubeObject[] => {
  if (isFault(listed)) throw new Error(`${listed.what}: ${listed.detail}`);
  return listed;
};

/** A namespace that is made for one suite and removed after it, and nothing else of the cluster is written to. */
async function ownNamespace(
  cluster: ClusterConnection,
): Promise<Readonly<{ name: string; remove: () => Promise<void> }>> {
  const name = `arpeggio-test-${crypto.randomUUID().slice(0, 8)}`;
  const made = await cluster.write({
    verb: "create",
    kind: "namespaces",
    object: { metadata: { name, labels: { "arpeggio.test/by": "test-cluster" } } },
  });
  if (!made.ok) throw new Error(`no namespace to test in (${made.because}): ${made.message}`);
  const uid = made.object?.metadata.uid ?? "";
  return {
    name,
    remove: async () => {
      const gone = await cluster.write({ verb: "delete", ref: { kind: "namespaces", name }, is: { uid } });
      if (!gone.ok) throw new Error(`namespace ${name} is left behind (${gone.because}): ${gone.message}`);
    },
  };
}

writeClusterContract("on this cluster", async () => {
  const cluster = connect();
  const { name, remove } = await ownNamespace(cluster);
  const metallb = inject("metallb");
  return {
    ...cluster,
    namespace: name,
    ...(metallb === undefined ? {} : { metallb }),
    close: async () => {
      await remove();
      cluster.close();
    },
  };
});

describe("reading this cluster", () => {
  let cluster: ClusterConnection;
  let through: ClusterConnection;
  let between: GoBetween;
  let namespace: Awaited<ReturnType<typeof ownNamespace>>;
  const names = ["one", "two", "three", "four", "five"];

  beforeAll(async () => {
    cluster = connect();
    namespace = await ownNamespace(cluster);
    for (const name of names)
      await cluster.write({
        verb: "create",
        kind: "configmaps",
        object: { metadata: { name, namespace: namespace.name } },
      });
    between = await startGoBetween(kubeconfig);
    through = connect(between.kubeconfig);
  });
  afterAll(async () => {
    await namespace.remove();
    through.close();
    cluster.close();
    await between.close();
  });

  const ours = (listed: Listed): string[] =>
    objects(listed)
      .filter(({ metadata }) => metadata.namespace === namespace.name)
      .map(({ metadata }) => metadata.name)
      .filter((name) => names.includes(name))
      .sort();

  it("lists page after page", async () => {
    between.answers.length = 0;
    between.rewrite(({ query }) => query.set("limit", "2"));
    const { configmaps } = await through.read(["configmaps"]);
    expect(ours(configmaps)).toEqual([...names].sort());
    expect(between.answers.length).toBeGreaterThan(2);
    between.rewrite(undefined);
  });

  it("begins again when the server says that a page has expired (410)", async ({ skip }) => {
    let aged = 0;
    between.answers.length = 0;
    between.rewrite(({ query }) => {
      query.set("limit", "2");
      const token = query.get("continue");
      if (token === null || aged > 0) return;
      aged += 1;
      // The token of a list that was begun when the cluster was, which has been compacted away since.
      const old = JSON.parse(Buffer.from(token, "base64url").toString()) as { rv: string | number };
      query.set(
        "continue",
        Buffer.from(JSON.stringify({ ...old, rv: typeof old.rv === "string" ? "1" : 1 })).toString(
          "base64url",
        ),
      );
    });
    const { configmaps } = await through.read(["configmaps"]);
    between.rewrite(undefined);
    expect(aged).toBe(1);
    if (!between.answers.includes(410)) skip("this API server has not compacted its first revision yet");
    expect(ours(configmaps)).toEqual([...names].sort());
    expect(between.answers.filter((status) => status !== 200)).toEqual([410]);
  });

  it("tells a denied kind apart in the API's own words, and denies writes likewise", async ({ skip }) => {
    between.answers.length = 0;
    between.rewrite(({ headers }) => {
      headers["Impersonate-User"] = "arpeggio-test-nobody";
    });
    const { configmaps } = await through.read(["configmaps"]);
    const written = await through.write({
      verb: "create",
      kind: "configmaps",
      object: { metadata: { name: "denied", namespace: namespace.name } },
    });
    between.rewrite(undefined);
    if (isFault(configmaps) && /cannot impersonate/.test(configmaps.detail))
      skip("the user of this kubeconfig may not impersonate");
    expect(configmaps).toEqual({
      kind: "denied",
      what: "list of configmaps",
      detail:
        'configmaps is forbidden: User "arpeggio-test-nobody" cannot list resource "configmaps" in API group "" at the cluster scope',
    });
    expect(written).toEqual({
      ok: false,
      because: "denied",
      message: `configmaps is forbidden: User "arpeggio-test-nobody" cannot create resource "configmaps" in API group "" in the namespace "${namespace.name}"`,
    });
  });

  it("says that a watch from a forgotten version is gone (410), and goes on from a fresh list", async ({
    skip,
  }) => {
    const path = `/api/v1/namespaces/${namespace.name}/configmaps`;
    const gone = await between.get(`${path}?watch=1&resourceVersion=1&timeoutSeconds=2`);
    const first = JSON.parse(gone.body.split("\n")[0] || "{}") as {
      type?: string;
      object?: { code?: number };
    };
    // A server that began with an empty etcd has all that ever happened in its watch cache.
    if (gone.status === 200 && first.type !== "ERROR")
      skip("this API server has forgotten nothing since it began: start it anew");
    expect(gone.status === 200 ? first.object?.code : gone.status).toBe(410);
    const list = JSON.parse((await between.get(path)).body) as { metadata: { resourceVersion: string } };
    await cluster.write({
      verb: "create",
      kind: "configmaps",
      object: { metadata: { name: "watched", namespace: namespace.name } },
    });
    const { resourceVersion } = list.metadata;
    const seen = await between.get(`${path}?watch=1&resourceVersion=${resourceVersion}&timeoutSeconds=2`);
    const events = seen.body
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { type: string; object: KubeObject });
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toContainEqual([
      "ADDED",
      "watched",
    ]);
  });

  it("says that credentials are not taken", async ({ skip }) => {
    between.rewrite(({ headers }) => {
      for (const name of Object.keys(headers))
        if (name.toLowerCase() === "authorization") delete headers[name];
      headers.authorization = "Bearer nobody-knows-this-token";
    });
    const { nodes } = await through.read(["nodes"]);
    between.rewrite(undefined);
    if (!isFault(nodes)) return skip("the client certificate of this kubeconfig counts whatever the token");
    expect(nodes).toMatchObject({ kind: "denied", what: "list of nodes" });
  });

  it("has no log of a pod that is not there", async () => {
    await expect(
      cluster.logs({ namespace: namespace.name, pod: "absent", tailLines: 5 }),
    ).rejects.toMatchObject({ fault: { kind: "not-configured" } });
  });
});
