import type { Clock } from "../clock.ts";
import { FaultError, isFault } from "../fault.ts";
import type { WorkingTree } from "../git/working-tree.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import type { KubeObject, ReadCluster } from "../kubernetes/read.ts";
import type { WriteCluster } from "../kubernetes/write.ts";
import type { Shell, Target } from "../probes/shell.ts";
import type { ClusterConfig, SshAccess } from "../site/site.ts";
import { configuredTrees } from "./configured-trees.ts";
import type { ClusterConnection } from "./kubernetes.ts";

/** What a cluster is looked at and changed through. */
export type ClusterConnections = Readonly<{
  read: ReadCluster;
  write: WriteCluster;
  logs: ReadLogs;
  shell: Shell;
  /** The configured clones, by name. */
  trees: ReadonlyMap<string, WorkingTree>;
  close: () => Promise<void>;
}>;

export type ClusterAccess = ClusterConfig &
  Readonly<{
    /** For nodes that are not listed; without a host, the node's InternalIP is used. */
    nodeDefaults?: Omit<SshAccess, "host"> & Readonly<{ host?: string }>;
  }>;

const internalIp = (node: KubeObject): string | undefined => {
  const status = node.status as { addresses?: readonly { type?: string; address?: string }[] } | undefined;
  return status?.addresses?.find((address) => address.type === "InternalIP")?.address;
};

/** Connects one cluster. Nothing is imported or dialled before the first use, so that `--help` stays fast. */
export function connectClusterPorts(config: ClusterAccess, clock: Clock): ClusterConnections {
  const closers: (() => void)[] = [];
  /** Where nodes answer SSH when the config does not list them: the InternalIP the API told last. */
  const addresses = new Map<string, string>();
  const accessOf = ({ kind, name }: Target): SshAccess | undefined => {
    if (kind === "vantage") {
      const access = config.vantages.find((vantage) => vantage.name === name)?.access;
      return access === "local" ? undefined : access;
    }
    const listed = config.nodes.find((node) => node.name === name)?.access;
    if (listed) return listed;
    const host = config.nodeDefaults?.host ?? addresses.get(name);
    return config.nodeDefaults && host !== undefined ? { ...config.nodeDefaults, host } : undefined;
  };
  const isLocal = ({ kind, name }: Target): boolean =>
    kind === "vantage" && config.vantages.find((vantage) => vantage.name === name)?.access === "local";
  const localSudo = config.vantages.some((vantage) => vantage.access === "local" && vantage.sudo === true);
  const jump = (name: string): SshAccess | undefined =>
    accessOf({ kind: "vantage", name }) ?? accessOf({ kind: "node", name });

  let connection: Promise<ClusterConnection> | undefined;
  const api = (): Promise<ClusterConnection> => {
    connection ??= import("./kubernetes.ts").then(({ connectCluster }) => {
      const opened = connectCluster({
        ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
        ...(config.context === undefined ? {} : { context: config.context }),
        requestTimeoutMs: 10_000,
      });
      closers.push(opened.close);
      return opened;
    });
    return connection;
  };
  const read: ReadCluster = async (kinds, signal) => {
    const listed = await (await api()).read(kinds, signal);
    const nodes = (listed as Partial<Record<"nodes", readonly KubeObject[]>>).nodes;
    if (nodes !== undefined && !isFault(nodes)) {
      for (const node of nodes) {
        const address = internalIp(node);
        if (address !== undefined) addresses.set(node.metadata.name, address);
      }
    }
    return listed;
  };

  let remote: Promise<Shell> | undefined;
  let local: Promise<Shell> | undefined;
  const shell: Shell = async (target, command, options) => {
    if (isLocal(target)) {
      local ??= import("./local-shell.ts").then(({ createLocalShell }) =>
        createLocalShell({ clock, sudo: localSudo }),
      );
      return (await local)(target, command, options);
    }
    if (target.kind === "node" && accessOf(target) === undefined && config.nodeDefaults)
      await read(["nodes"]);
    if (accessOf(target) === undefined) {
      throw new FaultError({
        kind: "not-configured",
        what: `ssh to ${target.name}`,
        detail: `the config says no way to reach ${target.kind} ${target.name}`,
      });
    }
    remote ??= import("./ssh.ts").then(({ createSshShell }) => {
      const ssh = createSshShell({
        access: accessOf,
        jump,
        connectTimeoutMs: 5_000,
        idleMs: 5 * 60_000,
        maxConcurrent: 50,
        clock,
      });
      closers.push(ssh.close);
      return ssh.shell;
    });
    return (await remote)(target, command, options);
  };
  return {
    read,
    write: async (write, options) => (await api()).write(write, options),
    logs: async (request, signal) => (await api()).logs(request, signal),
    shell,
    trees: configuredTrees(config.migration?.repositories ?? []),
    close: async () => {
      for (const close of closers) close();
    },
  };
}
