import type { Clock } from "#shared/clock.ts";
import { FaultError, isFault } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { KubeObject, ReadCluster } from "#shared/kubernetes/read.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { RoleRule } from "#shared/policy/identity.ts";
import { heldRoles } from "#shared/policy/roles.ts";
import type { Shell, Target } from "#shared/probes/shell.ts";
import type { SshAccess } from "#shared/site/site.ts";
import version from "../package.json" with { type: "json" };
import type { ClusterPorts, Deps } from "./commands/command.ts";
import type { Config } from "./config.ts";

type ClusterConfig = Config["clusters"][number];

const internalIp = (node: KubeObject): string | undefined => {
  const status = node.status as { addresses?: readonly { type?: string; address?: string }[] } | undefined;
  return status?.addresses?.find((address) => address.type === "InternalIP")?.address;
};

/** Connects one cluster. Nothing is imported or dialled before the first use, so that `--help` stays fast. */
function connect(config: ClusterConfig, clock: Clock, closers: (() => Promise<void> | void)[]): ClusterPorts {
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

  let reader: Promise<ReadCluster> | undefined;
  const read: ReadCluster = async (kinds, signal) => {
    reader ??= import("#shared/adapters/kubernetes.ts").then(({ connectCluster }) => {
      const connection = connectCluster({
        ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
        ...(config.context === undefined ? {} : { context: config.context }),
        requestTimeoutMs: 10_000,
      });
      closers.push(connection.close);
      return connection.read;
    });
    const listed = await (await reader)(kinds, signal);
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
      local ??= import("#shared/adapters/local-shell.ts").then(({ createLocalShell }) =>
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
    remote ??= import("#shared/adapters/ssh.ts").then(({ createSshShell }) => {
      const ssh = createSshShell({
        access: accessOf,
        jump,
        connectTimeoutMs: 5_000,
        idleMs: 5 * 60_000,
        maxConcurrent: 50,
        clock,
      });
      closers.push(() => ssh.close());
      return ssh.shell;
    });
    return (await remote)(target, command, options);
  };
  return { config, read, shell };
}

export type Composed = Readonly<{ deps: Deps; close: () => Promise<void> }>;

/** The one place that joins config and adapters. Doors and the lab's start differ only in what they hand in. */
export async function compose(
  options: Readonly<{
    config: Config | undefined;
    configPath?: string;
    ledger?: Ledger;
    warnings: () => readonly Finding[];
    /** The rules that hold now. */
    roles?: () => readonly RoleRule[];
  }>,
): Promise<Composed> {
  const closers: (() => Promise<void> | void)[] = [];
  const { systemClock } = await import("#shared/adapters/system-clock.ts");
  const { config } = options;
  const files = async () => (await import("#shared/adapters/files.ts")).createFiles();
  const deps: Deps = {
    clusters: new Map(
      (config?.clusters ?? []).map((cluster) => [cluster.name, connect(cluster, systemClock, closers)]),
    ),
    clock: systemClock,
    newId: () => `q-${crypto.randomUUID().slice(0, 8)}`,
    ...(options.ledger ? { ledger: options.ledger } : {}),
    readFile: async (path) => (await files()).readFile(path),
    readDirectory: async (path) => (await files()).readDirectory(path),
    about: {
      version: version.version,
      startedAt: Date.now(),
      ...(options.configPath === undefined ? {} : { config: options.configPath }),
      warnings: options.warnings,
    },
    rolesOn: (caller, cluster) =>
      heldRoles({
        person: caller.person,
        groups: caller.groups,
        rules: options.roles?.() ?? config?.roles ?? [],
        cluster,
        channel: caller.channel,
        door: caller.door,
      }),
  };
  return {
    deps,
    close: async () => {
      for (const closer of closers) await closer();
      await options.ledger?.close();
    },
  };
}
