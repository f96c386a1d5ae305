import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { CustomObjectsApi, KubeConfig, makeInformer, Watch } from "@kubernetes/client-node";
import { Agent, fetch } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import {
  type KubernetesApi,
  type KubernetesApiOptions,
  startKubernetesApi,
} from "#infra/lab/kubernetes/start.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { Admit, ObjectStore } from "#shared/twin/object-store.ts";
import { done } from "#test/contract/read-cluster.ts";

const now = Date.parse("2026-11-01T14:05:00Z");
const tokens = {
  admin: { user: "admin", groups: ["system:masters"] },
  bot: {
    user: "bot",
    groups: ["arpeggio"],
    rules: [
      { verbs: ["get", "list"], apiGroups: ["metallb.io"], resources: ["*"], namespaces: ["metallb-system"] },
      { verbs: ["get"], apiGroups: [""], resources: ["services"], resourceNames: ["httpbin"] },
      { verbs: ["get"], nonResourceURLs: ["/metrics"] },
    ],
  },
};

let store: ObjectStore;
let api: KubernetesApi;
let agent: Agent;
let verdict: ReturnType<Admit>;

async function start(options: Partial<KubernetesApiOptions> = {}): Promise<void> {
  api = await startKubernetesApi({ store, tokens, now: () => now, bookmarkEveryMs: 20, ...options });
  agent = new Agent({ connect: { ca: api.caPem } });
}

beforeEach(async () => {
  let uid = 0;
  verdict = undefined;
  store = createObjectStore({ now: () => now - 300_000, newUid: () => `uid-${++uid}`, admit: () => verdict });
  done(store.create("namespaces", { metadata: { name: "apps" } }));
  done(store.create("namespaces", { metadata: { name: "metallb-system" } }));
  done(
    store.create("services", {
      metadata: { name: "httpbin", namespace: "apps", labels: { app: "httpbin" } },
      spec: {
        type: "LoadBalancer",
        clusterIP: "10.43.0.9",
        ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }],
      },
      status: { loadBalancer: { ingress: [{ ip: "10.4.11.1" }] } },
    }),
  );
  done(
    store.create("l2advertisements", {
      metadata: { name: "example", namespace: "metallb-system" },
      spec: { ipAddressPools: ["first-pool"], interfaces: ["eth0"] },
    }),
  );
  await start();
});
afterEach(async () => {
  await agent.destroy();
  await api.close();
});

const metallb = "/apis/metallb.io/v1beta1/namespaces/metallb-system";

type Json = Record<string, never> & { code: number };

async function call(
  method: string,
  path: string,
  options: Readonly<{ body?: unknown; token?: string; type?: string; accept?: string }> = {},
) {
  const { body, token = "admin", type = "application/json", accept = "application/json" } = options;
  const response = await fetch(api.url + path, {
    method,
    dispatcher: agent,
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": type }),
      accept,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    code: response.status,
    warning: response.headers.get("warning"),
    text,
    body: (text.startsWith("{") ? JSON.parse(text) : undefined) as Json,
  };
}

/** The first events of a watch, and the way to close it. */
async function watching(path: string, count: number) {
  const abort = new AbortController();
  const response = await fetch(`${api.url}${path}`, {
    dispatcher: agent,
    headers: { authorization: "Bearer admin" },
    signal: abort.signal,
  });
  const lines = createInterface(Readable.fromWeb(response.body as never));
  const iterator = lines[Symbol.asyncIterator]();
  const next = async (): Promise<{ type: string; object: never } | undefined> => {
    const { value, done: ended } = await iterator.next();
    return ended ? undefined : (JSON.parse(value as string) as { type: string; object: never });
  };
  const first = [];
  for (let i = 0; i < count; i++) first.push(await next());
  return { status: response.status, first, next, close: () => abort.abort() };
}

const brief = (event: { type: string; object: never } | undefined): string =>
  event === undefined
    ? "end"
    : `${event.type} ${(event.object as { metadata: { name?: string } }).metadata.name ?? ""}`.trim();

describe("who may do what", () => {
  it("answers 401 without a token it knows", async () => {
    for (const token of ["", "stranger", "constructor"])
      expect(await call("GET", "/api/v1/nodes", { token })).toMatchObject({
        code: 401,
        body: {
          kind: "Status",
          status: "Failure",
          message: "Unauthorized",
          reason: "Unauthorized",
          code: 401,
        },
      });
  });

  it("answers 403 in the server's words, within namespaces, at the cluster and for a name", async () => {
    const message = async (method: string, path: string) =>
      (await call(method, path, { token: "bot" })).body.message;
    expect(await message("GET", "/api/v1/pods")).toBe(
      'pods is forbidden: User "bot" cannot list resource "pods" in API group "" at the cluster scope',
    );
    expect(await message("DELETE", `${metallb}/l2advertisements/example`)).toBe(
      'l2advertisements.metallb.io "example" is forbidden: User "bot" cannot delete resource "l2advertisements" in API group "metallb.io" in the namespace "metallb-system"',
    );
    expect((await call("GET", `${metallb}/l2advertisements`, { token: "bot" })).code).toBe(200);
    expect((await call("GET", "/apis/metallb.io/v1beta1/l2advertisements", { token: "bot" })).code).toBe(403);
    expect((await call("GET", "/api/v1/namespaces/apps/services/httpbin", { token: "bot" })).code).toBe(200);
    expect((await call("GET", "/api/v1/namespaces/apps/services/other", { token: "bot" })).code).toBe(403);
    expect((await call("GET", `${metallb}/l2advertisements?watch=true`, { token: "bot" })).code).toBe(403);
  });

  it.each([
    [{ verb: "list", group: "metallb.io", resource: "l2advertisements", namespace: "metallb-system" }, true],
    [{ verb: "list", group: "metallb.io", resource: "l2advertisements" }, false],
    [{ verb: "get", resource: "services", name: "httpbin", namespace: "apps" }, true],
    [{ verb: "get", resource: "services", namespace: "apps" }, false],
    [{ verb: "get", group: "", resource: "pods", subresource: "log" }, false],
  ])("reviews %j as %s", async (resourceAttributes, allowed) => {
    const review = await call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      token: "bot",
      body: { spec: { resourceAttributes } },
    });
    expect(review).toMatchObject({ code: 201, body: { status: { allowed } } });
  });

  it("reviews paths and lists rules by namespace", async () => {
    const review = (spec: object, plural: string) =>
      call("POST", `/apis/authorization.k8s.io/v1/${plural}`, { token: "bot", body: { spec } });
    const path = (path: string) =>
      review({ nonResourceAttributes: { verb: "get", path } }, "selfsubjectaccessreviews");
    expect((await path("/metrics")).body).toMatchObject({ status: { allowed: true } });
    expect((await path("/logs")).body).toMatchObject({ status: { allowed: false } });
    const { body } = await review({ namespace: "apps" }, "selfsubjectrulesreviews");
    expect(body).toMatchObject({
      status: {
        incomplete: false,
        resourceRules: [
          { verbs: ["get"], apiGroups: [""], resources: ["services"], resourceNames: ["httpbin"] },
        ],
        nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/metrics"] }],
      },
    });
  });
});

describe("reads", () => {
  it("pages a list of one moment, and answers 410 when that moment is forgotten", async () => {
    for (const name of ["a", "b", "c"])
      done(store.create("configmaps", { metadata: { name, namespace: "apps" } }));
    const page = async (query: string) =>
      (await call("GET", `/api/v1/configmaps?${query}`)).body as never as {
        code: number;
        reason: string;
        metadata: { continue?: string; remainingItemCount?: number; resourceVersion: string };
        items: { metadata: { name: string } }[];
      };
    const first = await page("limit=2");
    expect(first.metadata.remainingItemCount).toBe(1);
    done(store.remove("configmaps", "apps", "c"));
    const second = await page(`limit=2&continue=${first.metadata.continue}`);
    expect([...first.items, ...second.items].map((item) => item.metadata.name)).toEqual(["a", "b", "c"]);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    store.compact();
    expect(await page(`limit=2&continue=${first.metadata.continue}`)).toMatchObject({
      code: 410,
      reason: "Expired",
    });
    expect(await page("limit=2&continue=nonsense")).toMatchObject({ code: 400 });
    expect(await page("limit=x")).toMatchObject({ code: 400 });
  });

  it("selects by labels and fields", async () => {
    const count = async (query: string) =>
      ((await call("GET", `/api/v1/services?${query}`)).body as never as { items: unknown[] }).items?.length;
    expect(await count("labelSelector=app%3Dhttpbin")).toBe(1);
    expect(await count("labelSelector=app%21%3Dhttpbin")).toBe(0);
    expect(await count("fieldSelector=spec.type%3DLoadBalancer,metadata.name%3Dhttpbin")).toBe(1);
    expect(await count("fieldSelector=metadata.namespace%3Dother")).toBe(0);
    expect((await call("GET", "/api/v1/services?fieldSelector=spec.ports%3D1")).body).toMatchObject({
      code: 400,
      message: "field label not supported: spec.ports",
    });
  });

  it("prints tables", async () => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const { body } = await call("GET", "/api/v1/services", { accept });
    expect(body).toMatchObject({
      kind: "Table",
      rows: [
        {
          cells: ["httpbin", "LoadBalancer", "10.43.0.9", "10.4.11.1", "80:30080/TCP", "5m", "<none>"],
          object: { kind: "PartialObjectMetadata", metadata: { name: "httpbin" } },
        },
      ],
    });
    expect(
      (body.columnDefinitions as never as { name: string; priority: number }[])
        .filter(({ priority }) => priority === 0)
        .map(({ name }) => name),
    ).toEqual(["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"]);
    const one = await call("GET", `${metallb}/l2advertisements/example?includeObject=None`, { accept });
    expect(one.body.rows).toEqual([{ cells: ["example", '["first-pool"]', null, '["eth0"]', null] }]);
  });

  it("says 404 as the server does: for an object, for a path, for a kind it was told not to know", async () => {
    expect((await call("GET", "/api/v1/nodes/nope")).body).toMatchObject({
      code: 404,
      reason: "NotFound",
      message: 'nodes "nope" not found',
    });
    expect(await call("GET", "/apis/nothing.io/v1/things")).toMatchObject({
      code: 404,
      text: "404 page not found\n",
    });
    await agent.destroy();
    await api.close();
    await start({ kinds: ["nodes"] });
    expect((await call("GET", "/apis/metallb.io/v1beta1/l2advertisements")).code).toBe(404);
    expect((await call("GET", "/apis/metallb.io")).code).toBe(404);
  });
});

describe("writes", () => {
  const advertisement = (name: string, spec: object = {}) => ({
    apiVersion: "metallb.io/v1beta1",
    kind: "L2Advertisement",
    metadata: { name },
    spec,
  });

  it("creates with the namespace of the path, defaults, and without a status", async () => {
    const created = await call("POST", "/api/v1/namespaces/apps/services?fieldManager=me", {
      body: {
        metadata: { name: "echo" },
        spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
        status: { x: 1 },
      },
    });
    expect(created.code).toBe(201);
    expect(created.body).toMatchObject({
      metadata: { namespace: "apps", managedFields: [{ manager: "me" }] },
      spec: {
        clusterIP: "10.43.0.10",
        externalTrafficPolicy: "Cluster",
        ports: [{ port: 80, protocol: "TCP", targetPort: 80, nodePort: 30_000 }],
      },
    });
    expect(created.body).not.toHaveProperty("status");
    expect(
      (await call("POST", "/api/v1/namespaces/nowhere/services", { body: { metadata: { name: "x" } } })).body,
    ).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
    expect(
      (
        await call("POST", "/api/v1/namespaces/apps/services", {
          body: { metadata: { name: "x", namespace: "other" } },
        })
      ).body,
    ).toMatchObject({ code: 400, message: expect.stringContaining("does not match the namespace") });
  });

  it("leaves the status alone whatever is put or patched", async () => {
    const path = "/api/v1/namespaces/apps/services/httpbin";
    const status = { loadBalancer: { ingress: [{ ip: "6.6.6.6" }] } };
    const before = store.get("services", "apps", "httpbin");
    await call("PUT", path, { body: { ...before, status } });
    await call("PATCH", path, { body: { status }, type: "application/merge-patch+json" });
    expect(store.get("services", "apps", "httpbin")?.status).toEqual(before?.status);
  });

  it("refuses a stale version, a missing one for custom resources, and another name than the path's", async () => {
    const path = `${metallb}/l2advertisements/example`;
    const put = async (metadata: object) =>
      (await call("PUT", path, { body: { ...advertisement("example"), metadata } })).body;
    expect(await put({ name: "example", resourceVersion: "1" })).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect(await put({ name: "example" })).toMatchObject({
      code: 422,
      message:
        'L2Advertisement.metallb.io "example" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
    expect(await put({ name: "other", resourceVersion: "5" })).toMatchObject({
      code: 400,
      message: "the name of the object (other) does not match the name on the URL (example)",
    });
  });

  it("takes the patches it knows, and none it does not", async () => {
    const path = `${metallb}/l2advertisements/example`;
    const patch = async (type: string, body: unknown) =>
      (await call("PATCH", path, { type: `application/${type}`, body })).code;
    expect(await patch("merge-patch+json", { spec: { interfaces: ["eth1"] } })).toBe(200);
    expect(
      await patch("json-patch+json", [{ op: "add", path: "/spec/ipAddressPools/-", value: "second" }]),
    ).toBe(200);
    expect(await patch("strategic-merge-patch+json", {})).toBe(415);
    expect(await patch("yoga+json", {})).toBe(415);
    expect(await patch("merge-patch+json", "{")).toBe(400);
    expect(store.get("l2advertisements", "metallb-system", "example")?.spec).toEqual({
      ipAddressPools: ["first-pool", "second"],
      interfaces: ["eth1"],
    });
  });

  it("creates by server-side apply, in YAML, and wants a manager", async () => {
    const body =
      "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: new}, spec: {ipAddressPools: [p]}}";
    const apply = (query: string) =>
      call("PATCH", `${metallb}/l2advertisements/new?${query}`, {
        type: "application/apply-patch+yaml",
        body,
      });
    expect((await apply("")).code).toBe(422);
    expect(await apply("fieldManager=gitops")).toMatchObject({
      code: 201,
      body: { metadata: { managedFields: [{ manager: "gitops", operation: "Apply" }] } },
    });
    const again = await apply("fieldManager=gitops");
    expect(again).toMatchObject({ code: 200, body: { metadata: { generation: 1 } } });
  });

  it("refuses or prunes fields that MetalLB does not know", async () => {
    const post = (query: string, name: string) =>
      call("POST", `${metallb}/l2advertisements?${query}`, { body: advertisement(name, { pools: ["x"] }) });
    expect((await post("fieldValidation=Strict", "a")).body).toMatchObject({
      code: 400,
      message:
        'L2Advertisement in version "v1beta1" cannot be handled as a L2Advertisement: strict decoding error: unknown field "spec.pools"',
    });
    expect(await post("fieldValidation=Warn", "b")).toMatchObject({
      code: 201,
      warning: '299 - "unknown field \\"spec.pools\\""',
      body: { spec: {} },
    });
  });

  it("does not hold a field that was there before against a later writer", async () => {
    const spec = { ipAddressPools: ["first-pool"], preferredNodeSelectors: [] };
    done(
      store.create("l2advertisements", { metadata: { name: "newer", namespace: "metallb-system" }, spec }),
    );
    const labelled = await call("PATCH", `${metallb}/l2advertisements/newer?fieldValidation=Strict`, {
      type: "application/merge-patch+json",
      body: { metadata: { labels: { a: "b" } } },
    });
    expect(labelled).toMatchObject({ code: 200, body: { spec } });
  });

  it("passes on what admission refuses, with its code and message, also in a dry run", async () => {
    const message =
      'admission webhook "l2advertisementvalidationwebhook.metallb.io" denied the request: duplicate pool';
    verdict = { code: 403, reason: "Forbidden", message };
    for (const query of ["", "?dryRun=All"])
      expect(
        await call("POST", `${metallb}/l2advertisements${query}`, { body: advertisement("a") }),
      ).toMatchObject({
        code: 403,
        body: { kind: "Status", status: "Failure", reason: "Forbidden", message, code: 403 },
      });
  });

  it("writes nothing in a dry run", async () => {
    const { resourceVersion } = store.list("nodes");
    const path = `${metallb}/l2advertisements`;
    const example = `${path}/example?dryRun=All`;
    expect((await call("POST", `${path}?dryRun=All`, { body: advertisement("dry") })).code).toBe(201);
    const type = "application/merge-patch+json";
    expect(
      (await call("PATCH", example, { body: { spec: { interfaces: ["x"] } }, type })).body,
    ).toMatchObject({
      spec: { interfaces: ["x"] },
    });
    expect((await call("DELETE", example)).code).toBe(200);
    expect((await call("DELETE", `${path}/example`, { body: { dryRun: ["All"] } })).code).toBe(200);
    expect((await call("DELETE", `${path}/example?dryRun=Some`)).code).toBe(422);
    expect(store.list("nodes").resourceVersion).toBe(resourceVersion);
  });

  it("deletes under preconditions", async () => {
    const path = `${metallb}/l2advertisements/example`;
    const { uid, resourceVersion } =
      store.get("l2advertisements", "metallb-system", "example")?.metadata ?? {};
    const remove = async (body: object) => (await call("DELETE", path, { body })).body;
    expect(await remove({ preconditions: { uid: "other" } })).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect(await remove({ preconditions: { uid, resourceVersion: "1" } })).toMatchObject({ code: 409 });
    expect(await remove({ propagationPolicy: "Sideways" })).toMatchObject({ code: 422 });
    expect(
      await remove({ preconditions: { uid, resourceVersion }, propagationPolicy: "Foreground" }),
    ).toMatchObject({
      status: "Success",
      details: { name: "example", group: "metallb.io", kind: "l2advertisements", uid },
    });
    expect(await remove({})).toMatchObject({ code: 404 });
  });

  it("deletes a collection by selector", async () => {
    done(store.create("services", { metadata: { name: "kept", namespace: "apps" } }));
    expect((await call("DELETE", "/api/v1/namespaces/apps/services?labelSelector=app")).code).toBe(200);
    expect(store.list("services").items.map(({ metadata }) => metadata.name)).toEqual(["kept"]);
    expect((await call("DELETE", "/api/v1/services")).code).toBe(405);
  });
});

describe("watches", () => {
  const path = "/api/v1/services?watch=true";
  const label = (labels: object) =>
    done(store.mergePatch("services", "apps", "httpbin", { metadata: { labels } }));

  it("starts from the present, or from a version", async () => {
    const { resourceVersion } = store.list("services");
    label({ a: "1" });
    const fresh = await watching(path, 1);
    expect(fresh.first.map(brief)).toEqual(["ADDED httpbin"]);
    const resumed = await watching(`${path}&resourceVersion=${resourceVersion}`, 1);
    expect(resumed.first.map(brief)).toEqual(["MODIFIED httpbin"]);
    done(store.create("nodes", { metadata: { name: "noise" } }));
    done(store.remove("services", "apps", "httpbin"));
    for (const watch of [fresh, resumed]) {
      expect(brief(await watch.next())).toBe("DELETED httpbin");
      watch.close();
    }
  });

  it("tells a selective watcher what enters and leaves its sight", async () => {
    const watch = await watching(`${path}&labelSelector=app%3Dhttpbin`, 1);
    label({ app: "other" });
    label({ app: "another" });
    label({ app: "httpbin" });
    label({ more: "x" });
    const seen = [await watch.next(), await watch.next(), await watch.next()].map(brief);
    expect(seen).toEqual(["DELETED httpbin", "ADDED httpbin", "MODIFIED httpbin"]);
    watch.close();
  });

  it("says inside the stream that a version is gone, and ends", async () => {
    store.compact();
    for (const version of ["1", "999"]) {
      const watch = await watching(`${path}&resourceVersion=${version}`, 1);
      expect(watch.status).toBe(200);
      expect(watch.first[0]).toMatchObject({
        type: "ERROR",
        object: { kind: "Status", code: 410, reason: "Expired" },
      });
      expect(await watch.next()).toBeUndefined();
    }
  });

  it("keeps the line alive with bookmarks, only where they are wanted, and ends in time", async () => {
    const watch = await watching(`${path}&resourceVersion=5&allowWatchBookmarks=true`, 1);
    expect(watch.first[0]).toMatchObject({
      type: "BOOKMARK",
      object: { kind: "Service", metadata: { resourceVersion: "5" } },
    });
    watch.close();
    const short = await watching(`${path}&resourceVersion=5&timeoutSeconds=1`, 1);
    expect(short.first).toEqual([undefined]);
  });

  it("streams tables to kubectl get --watch", async () => {
    const response = await fetch(`${api.url}${path}`, {
      dispatcher: agent,
      headers: { authorization: "Bearer admin", accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    const { value } = await (response.body as ReadableStream<Uint8Array>).getReader().read();
    expect(JSON.parse(Buffer.from(value ?? []).toString())).toMatchObject({
      type: "ADDED",
      object: { kind: "Table", rows: [{ object: { metadata: { name: "httpbin" } } }] },
    });
  });
});

describe("the official JavaScript client", () => {
  let folder: string;
  let config: KubeConfig;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "kubernetes-client-"));
    const file = join(folder, "config");
    await writeKubeconfig({ ...api, token: "admin", cluster: "lab", file });
    config = new KubeConfig();
    config.loadFromFile(file);
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  const where = {
    group: "metallb.io",
    version: "v1beta1",
    namespace: "metallb-system",
    plural: "l2advertisements",
  };

  it("creates, patches, conflicts and deletes custom objects", async () => {
    const client = config.makeApiClient(CustomObjectsApi);
    const body = {
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata: { name: "js" },
      spec: {},
    };
    await client.createNamespacedCustomObject({ ...where, body, dryRun: "All" });
    await client.createNamespacedCustomObject({ ...where, body });
    await expect(client.createNamespacedCustomObject({ ...where, body })).rejects.toMatchObject({
      code: 409,
    });
    const patch = [{ op: "add", path: "/spec/interfaces", value: ["eth0"] }];
    expect(await client.patchNamespacedCustomObject({ ...where, name: "js", body: patch })).toMatchObject({
      spec: { interfaces: ["eth0"] },
    });
    await expect(
      client.deleteNamespacedCustomObject({
        ...where,
        name: "js",
        body: { preconditions: { uid: "other" } },
      }),
    ).rejects.toMatchObject({ code: 409 });
    await client.deleteNamespacedCustomObject({ ...where, name: "js" });
    expect(store.get("l2advertisements", "metallb-system", "js")).toBeUndefined();
  });

  it("watches and informs", async () => {
    const client = config.makeApiClient(CustomObjectsApi);
    const path = `${metallb}/l2advertisements`;
    const seen: string[] = [];
    const waiting = new Map<string, () => void>();
    const until = (sign: string) => new Promise<void>((resolve) => waiting.set(sign, resolve));
    const note = (sign: string) => {
      seen.push(sign);
      waiting.get(sign)?.();
    };
    const informer = makeInformer(config, path, () => client.listNamespacedCustomObject(where));
    for (const sign of ["add", "update", "delete"] as const)
      informer.on(sign, (object) => note(`${sign} ${object.metadata?.name}`));
    const added = until("add example");
    await informer.start();
    await added;
    const updated = until("update example");
    done(store.mergePatch("l2advertisements", "metallb-system", "example", { spec: { interfaces: [] } }));
    await updated;
    const removed = until("delete example");
    done(store.remove("l2advertisements", "metallb-system", "example"));
    await removed;
    await informer.stop();
    expect(seen).toEqual(["add example", "update example", "delete example"]);

    store.compact();
    const gone = await new Promise<unknown>((resolve) => {
      void new Watch(config).watch(
        path,
        { resourceVersion: "1" },
        (type, object: unknown) => resolve({ type, object }),
        () => undefined,
      );
    });
    expect(gone).toMatchObject({ type: "ERROR", object: { code: 410 } });
  });
});

describe("faults on purpose", () => {
  it("answers, hangs up or keeps silent as told, for the request it is told", async () => {
    await agent.destroy();
    await api.close();
    await start({
      faults: {
        delayMs: () => 1,
        respond: ({ path, identity }) =>
          path === "/api/v1/nodes"
            ? { status: 503, message: `not now, ${identity.user}`, reason: "ServiceUnavailable" }
            : path === "/api/v1/pods"
              ? "reset"
              : undefined,
      },
    });
    expect((await call("GET", "/api/v1/nodes")).body).toMatchObject({
      code: 503,
      reason: "ServiceUnavailable",
      message: "not now, admin",
    });
    await expect(call("GET", "/api/v1/pods")).rejects.toThrow("fetch failed");
    expect((await call("GET", "/api/v1/services")).code).toBe(200);
  });
});
