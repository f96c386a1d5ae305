import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { type KubernetesApi, startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import { openReadOnlyApi, type ReadOnlyApi } from "#shared/adapters/read-only-api.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";

describe("a cluster's API that only reads", () => {
  let folder: string;
  let store: ObjectStore;
  let api: KubernetesApi;
  let door: ReadOnlyApi;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "arpeggio-door-"));
    let uid = 0;
    store = createObjectStore({ now: () => 0, newUid: () => `uid-${++uid}`, admit: () => undefined });
    store.create("configmaps", { metadata: { name: "one", namespace: "default" } });
    store.create("dnsendpoints", { metadata: { name: "www", namespace: "default" } });
    api = await startKubernetesApi({
      store,
      tokens: { "lab-admin": { user: "admin", groups: ["system:masters"] } },
    });
    const file = join(folder, "config");
    await writeKubeconfig({ ...api, token: "lab-admin", cluster: "lab", file });
    door = await openReadOnlyApi({ kubeconfig: file });
    const config = JSON.parse(await readFile(door.kubeconfig, "utf8")) as {
      clusters: { cluster: { server: string } }[];
    };
    url = config.clusters[0]?.cluster.server ?? "";
  });
  afterAll(async () => {
    await door.close();
    await api.close();
    await rm(folder, { recursive: true });
  });
  const ask = (path: string, method = "GET", body?: string) =>
    fetch(url + path, { method, ...(body === undefined ? {} : { body }) });

  it("hands a list on, without the credentials in what it gives away", async () => {
    const listed = (await (await ask("/api/v1/configmaps")).json()) as {
      items: { metadata: { name: string } }[];
    };
    expect(listed.items.map(({ metadata }) => metadata.name)).toEqual(["one"]);
    expect(await readFile(door.kubeconfig, "utf8")).not.toContain("lab-admin");
    expect((await stat(door.kubeconfig)).mode & 0o077).toBe(0);
  });

  it("streams a watch as it comes", async () => {
    const { resourceVersion } = store.list("configmaps");
    const answer = await ask(`/api/v1/configmaps?watch=1&resourceVersion=${resourceVersion}`);
    store.create("configmaps", { metadata: { name: "two", namespace: "default" } });
    const reader = answer.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toContain('"ADDED"');
    await reader?.cancel();
  });

  it.each([
    ["PUT", "/apis/externaldns.k8s.io/v1alpha1/namespaces/default/dnsendpoints/www/status"],
    ["PATCH", "/apis/externaldns.k8s.io/v1alpha1/namespaces/default/dnsendpoints/www"],
    ["POST", "/api/v1/namespaces/default/events"],
    ["DELETE", "/api/v1/namespaces/default/configmaps/one"],
    ["GET", "/api/v1/secrets"],
    ["GET", "/api/v1/namespaces/default/pods/x/exec?command=id"],
    ["GET", "/api/v1/namespaces/default/services/x/proxy/turn-off"],
    ["GET", "/api/v1/namespaces/default/services/x/%70roxy/turn-off"],
  ])("keeps %s %s to itself", async (method, path) => {
    const before = store.list("configmaps").resourceVersion;
    const answer = await ask(path, method, method === "GET" ? undefined : "{}");
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ kind: "Status", reason: "Forbidden" });
    expect(door.refused).toContain(`${method} ${path}`);
    expect(store.list("configmaps").resourceVersion).toBe(before);
  });

  it("opens to nobody else", async () => {
    const { origin, pathname } = new URL(url);
    const other = { headers: { authorization: "Bearer lab-admin" } };
    for (const at of [
      origin,
      `${origin}/guessed`,
      `${origin}${pathname}x`,
      `${origin}${pathname.slice(0, -1)}`,
    ])
      expect((await fetch(`${at}/api/v1/configmaps`, other)).status, at).toBe(401);
    expect(pathname.length).toBeGreaterThan(30);
  });

  it("says that the cluster does not answer, and leaves nothing behind when it is closed", async () => {
    const file = join(folder, "far");
    await writeKubeconfig({
      ...api,
      url: "https://127.0.0.1:1",
      token: "lab-admin",
      cluster: "far",
      file,
    });
    const far = await openReadOnlyApi({ kubeconfig: file });
    const config = JSON.parse(await readFile(far.kubeconfig, "utf8"));
    const answer = await fetch(`${config.clusters[0].cluster.server}/api/v1/configmaps`);
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain("ECONNREFUSED");
    await far.close();
    await expect(stat(far.kubeconfig)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
