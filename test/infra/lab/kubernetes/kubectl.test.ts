import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { type KubernetesApi, startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { done } from "#test/contract/read-cluster.ts";

const found = spawnSync("kubectl", ["version", "--client"], { encoding: "utf8" }).status === 0;

describe.skipIf(!found)(`kubectl${found ? "" : " (skipped: no kubectl on PATH)"}`, () => {
  const denial =
    'admission webhook "l2advertisementvalidationwebhook.metallb.io" denied the request: duplicate pool';
  let folder: string;
  let store: ObjectStore;
  let api: KubernetesApi;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kubectl-"));
    let uid = 0;
    store = createObjectStore({
      now: () => Date.now() - 90_000,
      newUid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}`,
      admit: (_operation, _kind, object) =>
        object.metadata.name === "denied" ? { code: 403, reason: "Forbidden", message: denial } : undefined,
    });
    for (const name of ["apps", "metallb-system"]) done(store.create("namespaces", { metadata: { name } }));
    done(
      store.create("nodes", {
        metadata: { name: "bettley", labels: { "node-role.kubernetes.io/worker": "" } },
        spec: {},
        status: {
          conditions: [{ type: "Ready", status: "True" }],
          addresses: [{ type: "InternalIP", address: "10.4.0.11" }],
          nodeInfo: { kubeletVersion: "v1.32.4" },
        },
      }),
    );
    done(
      store.create("ipaddresspools", {
        metadata: { name: "first-pool", namespace: "metallb-system" },
        spec: { addresses: ["10.4.11.0/24"], autoAssign: true, avoidBuggyIPs: false },
      }),
    );
    const service = done(
      store.create("services", {
        metadata: { name: "httpbin", namespace: "apps" },
        spec: {
          type: "LoadBalancer",
          clusterIP: "10.43.1.1",
          clusterIPs: ["10.43.1.1"],
          selector: { app: "httpbin" },
          ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 80, nodePort: 30_080 }],
        },
        status: { loadBalancer: { ingress: [{ ip: "10.4.11.1" }] } },
      }),
    );
    done(
      store.create("endpointslices", {
        metadata: {
          name: "httpbin-abc",
          namespace: "apps",
          labels: { "kubernetes.io/service-name": "httpbin" },
        },
        addressType: "IPv4",
        ports: [{ name: "http", port: 80, protocol: "TCP" }],
        endpoints: [{ addresses: ["10.42.0.7"], conditions: { ready: true } }],
      }),
    );
    const seen = new Date().toISOString();
    done(
      store.create("events", {
        metadata: { name: "httpbin.1", namespace: "apps" },
        involvedObject: { kind: "Service", name: "httpbin", namespace: "apps", uid: service.metadata.uid },
        reason: "nodeAssigned",
        type: "Normal",
        message: 'announcing from node "bettley" with protocol "layer2"',
        source: { component: "metallb-speaker" },
        firstTimestamp: seen,
        lastTimestamp: seen,
        count: 1,
      }),
    );
    done(
      store.create("pods", {
        metadata: { name: "speaker-1", namespace: "metallb-system" },
        spec: { nodeName: "bettley", containers: [{ name: "speaker" }] },
      }),
    );
    api = await startKubernetesApi({
      store,
      podLog: ({ pod, container, tailLines, sinceSeconds }) => ({
        lines: [`${pod} ${container} ${tailLines} ${sinceSeconds}`],
      }),
      tokens: {
        admin: { user: "admin", groups: ["system:masters"] },
        reader: {
          user: "reader",
          groups: [],
          rules: [{ verbs: ["get", "list"], apiGroups: [""], resources: ["services"] }],
        },
      },
    });
    for (const token of ["admin", "reader"])
      await writeKubeconfig({ ...api, token, cluster: "lab", file: join(folder, token) });
  });
  afterAll(async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });

  const environment = (who = "admin") => ({
    PATH: process.env.PATH ?? "",
    // Its discovery cache lives under the home directory.
    HOME: folder,
    KUBECONFIG: join(folder, who),
  });

  const kubectl = (args: readonly string[], who?: string) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile("kubectl", args, { env: environment(who), timeout: 15_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
    });

  async function manifest(name: string, ...objects: readonly object[]): Promise<string> {
    const file = join(folder, `${name}.json`);
    await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    return file;
  }

  const advertisement = (name: string, spec: object) => ({
    apiVersion: "metallb.io/v1beta1",
    kind: "L2Advertisement",
    metadata: { name, namespace: "metallb-system" },
    spec,
  });
  const echo = (ports: readonly object[]) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "echo", namespace: "apps" },
    spec: { type: "LoadBalancer", selector: { app: "echo" }, ports },
  });

  /** Runs of blanks do not matter, columns do. */
  const lines = (out: string): string[] =>
    out
      .split("\n")
      .map((line) => line.trim().replace(/\s{2,}/g, " | "))
      .filter((line) => line !== "");

  it("gets, plain and wide", async () => {
    const [head, row] = lines((await kubectl(["get", "svc", "-n", "apps", "httpbin"])).out);
    expect(head).toBe("NAME | TYPE | CLUSTER-IP | EXTERNAL-IP | PORT(S) | AGE");
    expect(row).toMatch(/^httpbin \| LoadBalancer \| 10\.43\.1\.1 \| 10\.4\.11\.1 \| 80:30080\/TCP \| \d+s$/);
    expect(lines((await kubectl(["get", "ipaddresspools.metallb.io", "-A"])).out)).toEqual([
      "NAMESPACE | NAME | AUTO ASSIGN | AVOID BUGGY IPS | ADDRESSES",
      'metallb-system | first-pool | true | false | ["10.4.11.0/24"]',
    ]);
    expect(lines((await kubectl(["get", "nodes", "-o", "wide"])).out)[1]).toMatch(
      /^bettley \| Ready \| worker \| \d+s \| v1\.32\.4 \| 10\.4\.0\.11 \| <none>/,
    );
  });

  it("describes a Service with its endpoints and events", async () => {
    const { out } = await kubectl(["describe", "svc", "httpbin", "-n", "apps"]);
    expect(out).toMatch(/^LoadBalancer Ingress:\s+10\.4\.11\.1/m);
    expect(out).toMatch(/^Endpoints:\s+10\.42\.0\.7:80$/m);
    expect(out).toMatch(/nodeAssigned .* announcing from node "bettley" with protocol "layer2"$/m);
  });

  it("applies built-in and custom objects, unchanged and changed, and deletes them", async () => {
    const file = await manifest(
      "both",
      advertisement("applied", { ipAddressPools: ["first-pool"] }),
      echo([
        { name: "http", port: 80 },
        { name: "https", port: 443 },
      ]),
    );
    const dry = await kubectl(["apply", "--dry-run=server", "-f", file]);
    expect(lines(dry.out)).toEqual([
      "l2advertisement.metallb.io/applied created (server dry run)",
      "service/echo created (server dry run)",
    ]);
    expect(store.list("l2advertisements").items).toEqual([]);
    expect(lines((await kubectl(["apply", "-f", file])).out)).toEqual([
      "l2advertisement.metallb.io/applied created",
      "service/echo created",
    ]);
    expect(lines((await kubectl(["apply", "-f", file])).out)).toEqual([
      "l2advertisement.metallb.io/applied unchanged",
      "service/echo unchanged",
    ]);
    const next = await manifest(
      "next",
      advertisement("applied", { interfaces: ["eth0"] }),
      echo([
        { name: "alt", port: 8443 },
        { name: "http", port: 80 },
      ]),
    );
    expect((await kubectl(["apply", "-f", next])).code).toBe(0);
    expect(store.get("l2advertisements", "metallb-system", "applied")?.spec).toEqual({
      interfaces: ["eth0"],
    });
    expect(store.get("services", "apps", "echo")?.spec).toMatchObject({
      ports: [{ port: 8443 }, { port: 80, nodePort: 30_000 }],
    });
    expect((await kubectl(["delete", "-f", next])).out).toMatch(/"applied" deleted[\s\S]*"echo" deleted/);
    expect(store.get("services", "apps", "echo")).toBeUndefined();
  });

  it("applies on the server's side, with conflicts", async () => {
    const of = (pool: string) => manifest(pool, advertisement("shared", { ipAddressPools: [pool] }));
    const apply = async (file: string, ...more: string[]) =>
      kubectl(["apply", "--server-side", ...more, "-f", file]);
    expect((await apply(await of("a"))).code).toBe(0);
    const other = await apply(await of("b"), "--field-manager=other");
    expect(other.err).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl": .spec.ipAddressPools',
    );
    expect((await apply(await of("b"), "--field-manager=other", "--force-conflicts")).code).toBe(0);
    expect(store.get("l2advertisements", "metallb-system", "shared")?.spec).toEqual({
      ipAddressPools: ["b"],
    });
  });

  it("labels, and shows changes as they come", async () => {
    const watch = spawn("kubectl", ["get", "svc", "-n", "apps", "-L", "team", "--watch"], {
      env: environment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const rows: string[] = [];
      for await (const line of createInterface(watch.stdout)) {
        rows.push(
          line
            .trim()
            .split(/\s{2,}/)
            .at(-1) ?? "",
        );
        // The first row is there: the list is over, and what comes now comes from the watch.
        if (rows.length === 2)
          expect((await kubectl(["label", "svc", "httpbin", "-n", "apps", "team=edge"])).code).toBe(0);
        if (rows.length === 3) break;
      }
      expect([rows[0], rows[2]]).toEqual(["TEAM", "edge"]);
    } finally {
      watch.kill();
    }
  });

  it("repeats what the server refuses", async () => {
    const err = async (args: readonly string[], who?: string) => (await kubectl(args, who)).err.trim();
    expect(await err(["apply", "-f", await manifest("denied", advertisement("denied", {}))])).toContain(
      denial,
    );
    expect(
      await err(["apply", "-f", await manifest("typo", advertisement("typo", { ipAddressPolls: ["x"] }))]),
    ).toContain('strict decoding error: unknown field "spec.ipAddressPolls"');
    expect(await err(["get", "l2advertisement", "nope", "-n", "metallb-system"])).toBe(
      'Error from server (NotFound): l2advertisements.metallb.io "nope" not found',
    );
    expect(await err(["delete", "svc", "httpbin", "-n", "apps"], "reader")).toBe(
      'Error from server (Forbidden): services "httpbin" is forbidden: User "reader" cannot delete resource "services" in API group "" in the namespace "apps"',
    );
  });

  it("reads what a container wrote", async () => {
    const speaker = ["-n", "metallb-system", "logs", "speaker-1"];
    expect((await kubectl([...speaker, "-c", "speaker", "--tail", "20", "--since", "90s"])).out).toBe(
      "speaker-1 speaker 20 90\n",
    );
    expect((await kubectl(speaker, "reader")).err).toContain('pods "speaker-1" is forbidden');
  });

  it("acts as somebody else where it may", async () => {
    const denied = await kubectl(["get", "nodes", "--as", "nobody"]);
    expect(denied.err.trim()).toBe(
      'Error from server (Forbidden): nodes is forbidden: User "nobody" cannot list resource "nodes" in API group "" at the cluster scope',
    );
    expect((await kubectl(["get", "svc", "-n", "apps", "--as", "reader"])).code).toBe(0);
    expect((await kubectl(["get", "svc", "-n", "apps", "--as", "admin"], "reader")).err).toContain(
      'User "reader" cannot impersonate resource "users"',
    );
  });

  it("asks what it may do", async () => {
    const may = async (...args: string[]) => (await kubectl(["auth", "can-i", ...args], "reader")).out.trim();
    expect(await may("list", "services", "-n", "apps")).toBe("yes");
    expect(await may("delete", "services", "-n", "apps")).toBe("no");
    expect(await may("get", "/metrics")).toBe("no");
    expect(await may("--list", "-n", "apps")).toMatch(/^services\s+\[\]\s+\[\]\s+\[get list\]$/m);
    expect((await kubectl(["auth", "can-i", "delete", "l2advertisements.metallb.io"])).out.trim()).toBe(
      "yes",
    );
  });
});
