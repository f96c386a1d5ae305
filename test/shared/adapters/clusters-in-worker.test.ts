import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import type { ClusterAccess, ClusterConnections } from "#shared/adapters/cluster-ports.ts";
import { connectClustersInWorker } from "#shared/adapters/clusters-in-worker.ts";
import type { SshAccess } from "#shared/site/site.ts";
import { readClusterContract } from "#test/contract/read-cluster.ts";
import { shellContract } from "#test/contract/shell.ts";
import { startSshLab } from "./ssh-lab.ts";

const site = {
  lanPrefix: "10.4.0.0/20",
  staticRoutes: [],
  dhcpRanges: [],
  resolvers: [],
  lanNic: [],
} as const;

async function connect(config: Partial<ClusterAccess> = {}): Promise<ClusterConnections> {
  const cluster: ClusterAccess = { name: "lab", site, vantages: [], nodes: [], ...config };
  const connected = await connectClustersInWorker({ clusters: [cluster], log: () => {} });
  return connected.get("lab") as ClusterConnections;
}

/** Processes with exactly this command line. */
async function count(wanted: string): Promise<number> {
  const lines = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.replaceAll("\0", " ").trim() === wanted).length;
}

const stay = `sleep 9${process.pid}`;

shellContract("local processes, from a thread", async () => {
  const { shell, close } = await connect({
    vantages: [{ name: "here", place: "lan-wired", access: "local" }],
  });
  return {
    shell,
    target: { kind: "vantage", name: "here" },
    linger: ["sh", "-c", `echo first; exec ${stay}`],
    lingering: () => count(stay),
    close,
  };
});

shellContract("ssh to the lab's edge, from a thread", async () => {
  const lab = await startSshLab(["karstark"]);
  const { shell, close } = await connect({
    nodes: [{ name: "karstark", access: lab.access("karstark") as SshAccess }],
  });
  return {
    shell,
    target: { kind: "node", name: "karstark" },
    linger: ["linger"],
    lingering: async () => lab.programs.lingering(),
    close: async () => {
      await close();
      await lab.close();
    },
  };
});

readClusterContract("over the Kubernetes API, from a thread", async (store) => {
  const folder = await mkdtemp(join(tmpdir(), "clusters-in-worker-"));
  const rules = [
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
  const api = await startKubernetesApi({
    store,
    tokens: { "token-of-reader": { user: "reader", groups: [], rules } },
  });
  const kubeconfig = join(folder, "config");
  await writeKubeconfig({ ...api, token: "token-of-reader", cluster: "lab", file: kubeconfig });
  const { read, close } = await connect({ kubeconfig });
  return {
    read,
    close: async () => {
      await close();
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

describe("clusters in a thread", () => {
  it("says what the config does not say, as it does without a thread", async () => {
    const { shell, close } = await connect();
    await expect(
      shell({ kind: "node", name: "karstark" }, { argv: ["true"], privileged: false, timeoutMs: 1_000 }),
    ).rejects.toMatchObject({
      fault: {
        kind: "not-configured",
        what: "ssh to karstark",
        detail: "the config says no way to reach node karstark",
      },
    });
    await close();
  });

  it("cancels a read that is aborted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clusters-in-worker-"));
    const kubeconfig = join(folder, "config");
    // Takes the connection and never says a word.
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    await writeKubeconfig({
      url: `https://127.0.0.1:${port}`,
      caPem: "",
      token: "any",
      cluster: "lab",
      file: kubeconfig,
    });
    const { read, close } = await connect({ kubeconfig });
    const abort = new AbortController();
    mute.once("connection", () => abort.abort());
    expect(await read(["nodes"], abort.signal)).toMatchObject({ nodes: { kind: "cancelled" } });
    await close();
    for (const socket of sockets) socket.destroy();
    mute.close();
    await rm(folder, { recursive: true });
  });
});
