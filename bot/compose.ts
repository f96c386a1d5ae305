import { dirname, join } from "node:path";
import type { ClusterConnections } from "#shared/adapters/cluster-ports.ts";
import type { Board } from "#shared/board/board.ts";
import type { Clock } from "#shared/clock.ts";
import type { AskServer } from "#shared/dns/answer.ts";
import type { SnapshotStore } from "#shared/dns/snapshot.ts";
import type { ReadZones } from "#shared/dns/zones.ts";
import type { Finding } from "#shared/finding.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { InvokeFunction } from "#shared/invoke.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import version from "../package.json" with { type: "json" };
import type { Deps } from "./commands/command.ts";
import type { Config } from "./config.ts";
import { askOnce } from "./dns/ask-once.ts";

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

/** The functions, connected when somebody first asks for one. */
function lazyFunctions(region: string): InvokeFunction {
  let connected: Promise<InvokeFunction> | undefined;
  const connect = (): Promise<InvokeFunction> => {
    connected ??= import("#shared/adapters/lambda-invoke.ts").then(({ connectLambda }) =>
      connectLambda({ region }),
    );
    return connected;
  };
  return {
    ask: async (name, payload) => (await connect()).ask(name, payload),
    tell: async (name, payload) => (await connect()).tell(name, payload),
  };
}

/** In the configured bucket; without one beside the ledger's file; nowhere without either. */
function lazySnapshots({ aws, ledgerFile }: Config): SnapshotStore | undefined {
  const bucket = aws?.snapshots?.bucket;
  if (bucket === undefined && ledgerFile === undefined) return undefined;
  let opened: Promise<SnapshotStore> | undefined;
  const open = (): Promise<SnapshotStore> => {
    opened ??=
      aws !== undefined && bucket !== undefined
        ? import("#shared/adapters/snapshots-s3.ts").then(({ openSnapshotBucket }) =>
            openSnapshotBucket({ bucket, region: aws.region }),
          )
        : import("#shared/adapters/snapshots-directory.ts").then(({ openSnapshotDirectory }) =>
            openSnapshotDirectory({ directory: join(dirname(ledgerFile ?? "."), "snapshots") }),
          );
    return opened;
  };
  return {
    put: async (snapshot) => (await open()).put(snapshot),
    latest: async (cluster) => (await open()).latest(cluster),
    get: async (cluster, hash) => (await open()).get(cluster, hash),
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
    /** The machine's, unless a lab's time runs otherwise. */
    clock?: Clock;
    runTimes?: Deps["runTimes"];
    /** The site's own, beside ours. */
    siteRunbooks?: readonly IncidentRunbook[];
    /** In a shell, whoever asks sits at this machine and may run its programs. */
    mayRunPrograms?: boolean;
  }>,
): Promise<Composed> {
  const [{ systemClock }, { connectClusterPorts }] = await Promise.all([
    import("#shared/adapters/system-clock.ts"),
    import("#shared/adapters/cluster-ports.ts"),
  ]);
  const { config, clock = systemClock } = options;
  const clusters = (config?.clusters ?? []).map((cluster) => ({
    config: cluster,
    connections: options.connections?.get(cluster.name) ?? connectClusterPorts(cluster, clock),
  }));
  const files = async () => (await import("#shared/adapters/files.ts")).createFiles();
  const ask: AskServer = async (...question) =>
    (await import("#shared/adapters/dns-query.ts")).createDnsQuery({ timeoutMs: 2_000 })(...question);
  const region = config?.aws?.region;
  const zones = region === undefined ? undefined : lazyZones(region, clock);
  const snapshots = config && options.ledger && lazySnapshots(config);
  const { applyFunction, scanFunction } = config?.aws ?? {};
  const functions = region === undefined ? undefined : lazyFunctions(region);
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
    clock,
    newId: () => `q-${crypto.randomUUID().slice(0, 8)}`,
    ...(options.ledger ? { ledger: options.ledger } : {}),
    readFile: async (path) => (await files()).readFile(path),
    readDirectory: async (path) => (await files()).readDirectory(path),
    drawPng: async (svg) => (await import("#shared/adapters/render-png.ts")).renderPng(svg),
    about: {
      version: version.version,
      startedAt: clock.now(),
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
    ...(options.runTimes ? { runTimes: options.runTimes } : {}),
    ...(snapshots ? { snapshots } : {}),
    ...(functions === undefined || applyFunction === undefined
      ? {}
      : { applyPlan: askOnce((plan) => functions.ask(applyFunction, { plan })) }),
    ...(functions === undefined || scanFunction === undefined
      ? {}
      : { askForScan: () => functions.tell(scanFunction, { source: "arpeggio" }) }),
    ...(options.mayRunPrograms
      ? {
          runProgram: async (...asked) =>
            (await import("#shared/adapters/external-dns-program.ts")).runExternalDns({
              variables: { ...(region === undefined ? {} : { AWS_REGION: region }), ...process.env },
              clusterOf: (name) => {
                const cluster = config?.clusters.find((each) => each.name === name);
                if (cluster === undefined) throw new Error(`no cluster ${name} in the config`);
                return cluster;
              },
            })(...asked),
        }
      : {}),
    people: config?.people ?? [],
    migrations: async () => (await import("#shared/runbooks/all.ts")).migrations,
    incidentRunbooks: async () => [
      ...(await import("#shared/incidents/runbooks/all.ts")).incidentRunbooks,
      ...(options.siteRunbooks ?? []),
    ],
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
