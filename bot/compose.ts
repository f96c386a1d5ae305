import type { ClusterConnections } from "#shared/adapters/cluster-ports.ts";
import type { Board } from "#shared/board/board.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import version from "../package.json" with { type: "json" };
import type { Deps } from "./commands/command.ts";
import type { Config } from "./config.ts";

export type Composed = Readonly<{ deps: Deps; close: () => Promise<void> }>;

/** The one place that joins config and adapters. Doors and the lab's start differ only in what they hand in. */
export async function compose(
  options: Readonly<{
    config: Config | undefined;
    configPath?: string;
    ledger?: Ledger;
    /** How the config's clusters are reached; left out, from this thread. Closed with the rest. */
    connections?: ReadonlyMap<string, ClusterConnections>;
    warnings: () => readonly Finding[];
    /** The rules that hold now. */
    roles?: () => readonly RoleRule[];
    board?: Board;
  }>,
): Promise<Composed> {
  const [{ systemClock }, { connectClusterPorts }] = await Promise.all([
    import("#shared/adapters/system-clock.ts"),
    import("#shared/adapters/cluster-ports.ts"),
  ]);
  const { config } = options;
  const clusters = (config?.clusters ?? []).map((cluster) => ({
    config: cluster,
    connections: options.connections?.get(cluster.name) ?? connectClusterPorts(cluster, systemClock),
  }));
  const files = async () => (await import("#shared/adapters/files.ts")).createFiles();
  const deps: Deps = {
    clusters: new Map(
      clusters.map(({ config, connections: { read, write, logs, shell, trees } }) => [
        config.name,
        { config, read, write, logs, shell, trees },
      ]),
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
    ...(options.board ? { board: options.board } : {}),
    people: config?.people ?? [],
    holders: (role, cluster) =>
      holders(
        { rules: options.roles?.() ?? config?.roles ?? [], cluster, people: config?.people ?? [] },
        role,
      ),
  };
  return {
    deps,
    close: async () => {
      for (const { connections } of clusters) await connections.close();
      await options.ledger?.close();
    },
  };
}
