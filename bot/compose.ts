import type { ClusterConnections } from "#shared/adapters/cluster-ports.ts";
import type { Board } from "#shared/board/board.ts";
import type { Clock } from "#shared/clock.ts";
import type { AskServer } from "#shared/dns/answer.ts";
import type { ReadZones } from "#shared/dns/zones.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import version from "../package.json" with { type: "json" };
import type { Deps } from "./commands/command.ts";
import type { Config } from "./config.ts";

export type Composed = Readonly<{ deps: Deps; close: () => Promise<void> }>;

/** Calls a second that a scan may make: the account has five for all its callers. */
const scanCallsPerSecond = 2;

/** Route 53, connected when somebody first asks, so that help never loads the SDK. */
function lazyZones(region: string, clock: Clock): ReadZones {
  let connected: Promise<ReadZones> | undefined;
  const connect = (): Promise<ReadZones> => {
    connected ??= import("#shared/adapters/route53.ts").then(
      ({ connectRoute53 }) => connectRoute53({ region, clock, callsPerSecond: scanCallsPerSecond }).read,
    );
    return connected;
  };
  return {
    zones: async (name) => (await connect()).zones(name),
    zone: async (id) => (await connect()).zone(id),
    recordSets: async (id, signal) => (await connect()).recordSets(id, signal),
    lookUp: async (id, ids) => (await connect()).lookUp(id, ids),
    change: async (id) => (await connect()).change(id),
  };
}

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
  const ask: AskServer = async (...question) =>
    (await import("#shared/adapters/dns-query.ts")).createDnsQuery({ timeoutMs: 2_000 })(...question);
  const region = config?.aws?.region;
  const zones = region === undefined ? undefined : lazyZones(region, systemClock);
  const deps: Deps = {
    clusters: new Map(
      clusters.map(({ config, connections: { read, write, logs, shell, trees } }) => [
        config.name,
        {
          config,
          read,
          write,
          logs,
          shell,
          trees,
          ask,
          ...(zones !== undefined && config.dns !== undefined ? { zones } : {}),
        },
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
    migrations: async () => (await import("#shared/runbooks/all.ts")).migrations,
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
