import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import type { Faults, KubernetesApi, Trouble } from "#infra/lab/kubernetes/start.ts";
import { startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import { connectCluster } from "#shared/adapters/kubernetes.ts";
import { isFault } from "#shared/fault.ts";
import { readClusterContract, smallCluster } from "#test/contract/read-cluster.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubernetes-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

const reading = [{ verbs: ["list"], apiGroups: ["*"], resources: ["*"] }];
const withoutPods = [
  {
    verbs: ["list"],
    apiGroups: ["*"],
    resources: [
      "namespaces",
      "nodes",
      "services",
      "configmaps",
      "ipaddresspools",
      "l2advertisements",
      "bgppeers",
    ],
  },
];

readClusterContract("over the Kubernetes API", async (store) => {
  const own = await mkdtemp(join(tmpdir(), "kubernetes-contract-"));
  const api = await startKubernetesApi({
    store,
    tokens: { "token-of-reader": { user: "reader", groups: [], rules: withoutPods } },
  });
  const file = join(own, "config");
  await writeKubeconfig({ ...api, token: "token-of-reader", cluster: "lab", file });
  const { read } = connectCluster({ kubeconfig: file, requestTimeoutMs: 10_000 });
  return {
    read,
    close: async () => {
      await api.close();
      await rm(own, { recursive: true, force: true });
    },
  };
});

describe("connectCluster", () => {
  const store = smallCluster();
  let api: KubernetesApi;
  let trouble: Faults["respond"];
  let config: string;

  beforeAll(async () => {
    api = await startKubernetesApi({
      store,
      tokens: {
        "token-of-reader": { user: "reader", groups: [], rules: reading },
        "token-of-nobody": { user: "nobody", groups: [], rules: [] },
      },
      kinds: ["namespaces", "nodes", "services", "pods", "ipaddresspools"],
      faults: { respond: (request) => trouble?.(request) },
    });
    config = join(folder, "config");
    await writeKubeconfig({ ...api, token: "token-of-reader", cluster: "lab", file: config });
  });
  afterAll(async () => api.close());
  afterEach(() => {
    trouble = undefined;
    vi.unstubAllEnvs();
  });

  const connect = (options: Partial<Parameters<typeof connectCluster>[0]> = {}) =>
    connectCluster({ kubeconfig: config, requestTimeoutMs: 5_000, ...options });

  /** A kubeconfig like the good one, changed. */
  async function changed(name: string, change: (config: Record<string, never>) => void): Promise<string> {
    const read = parse(await readFile(config, "utf8")) as Record<string, never>;
    change(read);
    const file = join(folder, name);
    await writeFile(file, stringify(read));
    return file;
  }

  it("says where it goes and as whom, without the token", () => {
    const connection = connect().describeConnection();
    expect(connection).toEqual({ server: api.url, context: "lab", user: "lab", from: [config] });
    expect(JSON.stringify(connection)).not.toContain("token-of-reader");
  });

  it.each<[string, Trouble, object]>([
    [
      "a server error",
      { status: 500, message: "etcdserver: leader changed" },
      { kind: "refused", detail: "the server answered 500: etcdserver: leader changed" },
    ],
    [
      "too many requests",
      { status: 429, message: "slow down" },
      { kind: "refused", detail: "the server answered 429: slow down" },
    ],
    ["a page that is no JSON", { status: 200, text: "<html>login</html>" }, { kind: "unreadable" }],
    ["JSON that is no list", { status: 200, text: '{"items":[{}]}' }, { kind: "unreadable" }],
    [
      "a redirect",
      { status: 302, text: "", location: "/api/v1/nodes" },
      { kind: "unreadable", detail: "the server answered 302" },
    ],
    [
      "a cut connection",
      "reset",
      { kind: "unreachable", detail: expect.stringMatching(/it cut the connection$/) },
    ],
  ])("gives %s as that kind's fault only", async (_, answer, fault) => {
    trouble = ({ path }) => (path.endsWith("/services") ? answer : undefined);
    const { services, nodes } = await connect().read(["services", "nodes"]);
    expect(services).toMatchObject({ what: "list of services", ...fault });
    expect(isFault(nodes)).toBe(false);
  });

  it("gives up on a server that does not answer", async () => {
    trouble = ({ path }) => (path.endsWith("/services") ? "hang" : undefined);
    const { services, nodes } = await connect({ requestTimeoutMs: 300 }).read(["services", "nodes"]);
    expect(services).toMatchObject({ kind: "timed-out", detail: `no answer from ${api.url} in 0.3 s` });
    expect(isFault(nodes)).toBe(false);
  });

  it("stops when its caller does", async () => {
    trouble = () => "hang";
    const controller = new AbortController();
    const reading = connect().read(["services"], controller.signal);
    controller.abort();
    expect((await reading).services).toMatchObject({ kind: "cancelled" });
  });

  it("tells a kind the server does not know from one it denies, and from credentials it does not take", async () => {
    const { l2advertisements, servicel2statuses } = await connect().read([
      "l2advertisements",
      "servicel2statuses",
    ]);
    expect(l2advertisements).toEqual({
      kind: "not-configured",
      what: "list of l2advertisements",
      detail: "the server does not know l2advertisements in metallb.io/v1beta1 (404)",
    });
    expect(servicel2statuses).toMatchObject({ kind: "not-configured" });

    const nobody = join(folder, "nobody");
    await writeKubeconfig({ ...api, token: "token-of-nobody", cluster: "lab", file: nobody });
    expect((await connect({ kubeconfig: nobody }).read(["ipaddresspools"])).ipaddresspools).toEqual({
      kind: "denied",
      what: "list of ipaddresspools",
      detail:
        'ipaddresspools.metallb.io is forbidden: User "nobody" cannot list resource "ipaddresspools" in API group "metallb.io" at the cluster scope',
    });

    const stranger = join(folder, "stranger");
    await writeKubeconfig({ ...api, token: "token-of-stranger", cluster: "lab", file: stranger });
    expect((await connect({ kubeconfig: stranger }).read(["nodes"])).nodes).toEqual({
      kind: "denied",
      what: "list of nodes",
      detail: "the cluster does not accept the credentials of lab (401)",
    });
  });

  it("never repeats a credential that the server or a plugin says", async () => {
    trouble = () => ({ status: 500, message: "bad Bearer abc.def-123 and token-of-reader\nat x" });
    const { nodes } = await connect().read(["nodes"]);
    expect(nodes).toMatchObject({ detail: "the server answered 500: bad Bearer [secret] and [secret] at x" });
  });

  it("begins a list again that expired between two pages, and gives up after the third time", async () => {
    let expiries = 0;
    const expire = (times: number) => {
      expiries = 0;
      trouble = ({ query }) =>
        query.has("continue") && expiries++ < times
          ? { status: 410, message: "too old", reason: "Expired" }
          : undefined;
    };
    expire(2);
    const { services } = await connect().read(["services"]);
    expect(services).toHaveLength(1_203);
    expire(3);
    expect((await connect().read(["services"])).services).toMatchObject({
      kind: "unreadable",
      detail: "the server answered 410: too old",
    });
  });

  // Another test may take a port in the moment after it was closed here.
  it("tells a closed port, a name without address and a strange certificate apart", {
    retry: 3,
  }, async () => {
    const at = async (server: string) =>
      connect({
        kubeconfig: await changed("elsewhere", (read) => {
          (read as never as { clusters: [{ cluster: { server: string } }] }).clusters[0].cluster.server =
            server;
        }),
      });
    const other = await startKubernetesApi({ store, tokens: {} });
    expect((await (await at(other.url)).read(["nodes"])).nodes).toMatchObject({
      kind: "unreachable",
      detail: expect.stringMatching(/^the certificate of https:\S+ is not trusted \([A-Z_]+\)$/),
    });
    await other.close();
    expect((await (await at(other.url)).read(["nodes"])).nodes).toMatchObject({
      kind: "refused",
      detail: `${other.url} refuses connections`,
    });
    // A port that fetch refuses to use at all.
    expect((await (await at("https://127.0.0.1:1")).read(["nodes"])).nodes).toMatchObject({
      kind: "unreachable",
      detail: "https://127.0.0.1:1: bad port",
    });
    expect((await (await at("http://127.0.0.1:1")).read(["nodes"])).nodes).toMatchObject({
      kind: "not-configured",
      detail: expect.stringContaining("not an https:// address"),
    });
    expect((await (await at("https://")).read(["nodes"])).nodes).toMatchObject({ kind: "not-configured" });
  });

  describe("finds its configuration", () => {
    it("nowhere: a fault, never a default server", async () => {
      vi.stubEnv("KUBECONFIG", "");
      vi.stubEnv("HOME", join(folder, "empty-home"));
      const { describeConnection, read } = connectCluster({ requestTimeoutMs: 100 });
      expect(describeConnection()).toMatchObject({ kind: "not-configured" });
      expect(await read(["nodes", "pods"])).toMatchObject({
        nodes: {
          kind: "not-configured",
          what: "list of nodes",
          detail: expect.stringMatching(/no kubeconfig/),
        },
        pods: { kind: "not-configured", what: "list of pods" },
      });
    });

    it("in KUBECONFIG, where the first file to name something wins and missing files do not matter", async () => {
      const second = await changed("second", (read) => {
        const file = read as never as {
          clusters: { cluster: { server: string } }[];
          contexts: { name: string; context: object }[];
        };
        for (const { cluster } of file.clusters) cluster.server = "https://127.0.0.1:1";
        file.contexts.push({ name: "other", context: { cluster: "lab", user: "lab" } });
      });
      vi.stubEnv("KUBECONFIG", [join(folder, "missing"), config, second].join(delimiter));
      const { describeConnection, read } = connectCluster({ context: "other", requestTimeoutMs: 5_000 });
      expect(describeConnection()).toMatchObject({
        server: api.url,
        context: "other",
        from: [config, second],
      });
      expect((await read(["nodes"])).nodes).toHaveLength(2);
    });

    it("in ~/.kube/config", async () => {
      vi.stubEnv("KUBECONFIG", "");
      vi.stubEnv("HOME", join(folder, "home"));
      await mkdir(join(folder, "home", ".kube"), { recursive: true });
      await writeFile(join(folder, "home", ".kube", "config"), await readFile(config));
      const { read } = connectCluster({ requestTimeoutMs: 5_000 });
      expect((await read(["nodes"])).nodes).toHaveLength(2);
    });

    it.each([
      ["a file that is missing", undefined, /^there is no kubeconfig at /],
      ["a file that is no YAML", "users: [{token: hunter2hunter2", /is not a kubeconfig that can be read/],
      ["a file of something else", "hello", /is not a kubeconfig that can be read/],
      ["a file without contexts", "kind: Config", /has no current-context/],
    ])("not in %s", async (_, content, detail) => {
      const kubeconfig = join(folder, "broken");
      await rm(kubeconfig, { force: true });
      if (content !== undefined) await writeFile(kubeconfig, content);
      const { nodes } = await connect({ kubeconfig }).read(["nodes"]);
      expect(nodes).toMatchObject({ kind: "not-configured", detail: expect.stringMatching(detail) });
      expect(JSON.stringify(nodes)).not.toContain("hunter2");
    });

    it("not in a context that is not there, and names those that are", () => {
      expect(connect({ context: "prod" }).describeConnection()).toMatchObject({
        kind: "not-configured",
        detail: `${config} has no context "prod"; it has lab`,
      });
    });

    it("again at the next read, once it could not be read", async () => {
      const kubeconfig = join(folder, "late");
      const { read } = connect({ kubeconfig });
      expect((await read(["nodes"])).nodes).toMatchObject({ kind: "not-configured" });
      await writeFile(kubeconfig, await readFile(config));
      expect((await read(["nodes"])).nodes).toHaveLength(2);
    });
  });

  describe("takes paths in a kubeconfig from where it lies", () => {
    type User = {
      users: { user: Record<string, unknown> }[];
      clusters: { cluster: Record<string, unknown> }[];
    };

    it("of the certificate authority and of a token file", async () => {
      await writeFile(join(folder, "ca.crt"), api.caPem);
      await writeFile(join(folder, "token"), "token-of-reader\n");
      const kubeconfig = await changed("relative", (read) => {
        const { users, clusters } = read as never as User;
        for (const entry of clusters) entry.cluster = { server: api.url, "certificate-authority": "ca.crt" };
        for (const entry of users) entry.user = { tokenFile: "token" };
      });
      expect((await connect({ kubeconfig }).read(["nodes"])).nodes).toHaveLength(2);
    });

    it("and says which certificate is not there", async () => {
      const kubeconfig = await changed("no-ca", (read) => {
        for (const entry of (read as never as User).clusters)
          entry.cluster = { server: api.url, "certificate-authority": "missing.crt" };
      });
      expect((await connect({ kubeconfig }).read(["nodes"])).nodes).toMatchObject({
        kind: "not-configured",
        detail: expect.stringContaining(join(folder, "missing.crt")),
      });
    });

    it("of a credential plugin, which runs once a read", async () => {
      const runs = join(folder, "runs");
      await mkdir(join(folder, "bin"), { recursive: true });
      const plugin = join(folder, "bin", "login");
      const withPlugin = await changed("plugin", (read) => {
        for (const entry of (read as never as User).users)
          entry.user = {
            exec: { apiVersion: "client.authentication.k8s.io/v1", command: "./bin/login", args: [] },
          };
      });
      const credential = {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        status: { token: "token-of-reader", expirationTimestamp: "2020-01-01T00:00:00Z" },
      };
      await writeFile(plugin, `#!/bin/sh\necho run >> '${runs}'\necho '${JSON.stringify(credential)}'\n`);
      await chmod(plugin, 0o700);
      const { nodes, services } = await connect({ kubeconfig: withPlugin }).read(["nodes", "services"]);
      expect(nodes).toHaveLength(2);
      expect(services).toHaveLength(1_203);
      expect(await readFile(runs, "utf8")).toBe("run\n");

      await writeFile(plugin, "#!/bin/sh\necho 'no session for eyJhbGciOi.eyJzdWIi.c2ln' >&2\nexit 1\n");
      expect((await connect({ kubeconfig: withPlugin }).read(["nodes"])).nodes).toMatchObject({
        kind: "denied",
        what: "list of nodes",
        detail: `the credential plugin ${plugin} of lab failed: no session for [secret]`,
      });
    });
  });
});
