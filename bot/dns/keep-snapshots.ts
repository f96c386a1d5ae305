import type { SnapshotStore } from "#shared/dns/snapshot.ts";
import { lookAtCluster } from "#shared/drift/look.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { utcTime } from "#shared/runs/utc-time.ts";
import { text } from "#shared/text.ts";
import type { ClusterPorts, Deps } from "../commands/command.ts";

/** Less than half of the ten minutes that a plan and a scan take a snapshot for fresh. */
export const snapshotEveryMs = 240_000;
/** How often the ledger hears of a snapshot that is as the last one was. */
const beatEveryMs = 3_600_000;

export const snapshotHeartbeat = (cluster: string): string => `heartbeat/snapshot-${cluster}`;

type Kept = { at: number | undefined; failing: Readonly<{ since: number; why: string }> | undefined };

export type SnapshotKeeper = Readonly<{
  /** One snapshot of every cluster that has zones. Never rejects. */
  once: (signal?: AbortSignal) => Promise<void>;
  /** What people have to know of it: what could not be read or left, since when. */
  warnings: () => readonly Finding[];
}>;

type Log = (entry: Readonly<Record<string, unknown>>) => void;

const words = (error: unknown): string =>
  error instanceof FaultError ? `${error.fault.what}: ${error.fault.detail}` : String(error);

/** That it lives, in the ledger: once an hour, and whenever it begins or stops to fail. */
async function beat(
  ledger: Ledger,
  cluster: string,
  data: Readonly<{ at: number; hash: string | null; why: string | null }>,
) {
  const stream = snapshotHeartbeat(cluster);
  const version = (await ledger.read(stream)).at(-1)?.version ?? 0;
  await ledger.append(stream, version, { type: data.why === null ? "kept" : "failed", data });
}

/**
 * Leaves what every cluster wants where scans and the writer find it. A snapshot of which a source could not be read is
 * left too: it says so itself, and nothing is deleted by it.
 */
export function createSnapshotKeeper(
  deps: Pick<Deps, "clusters" | "clock" | "ledger">,
  store: SnapshotStore,
  log: Log,
): SnapshotKeeper {
  const kept = new Map<string, Kept>();
  const beaten = new Map<string, Readonly<{ at: number; why: string | null }>>();
  const watched = [...deps.clusters.values()].filter(({ config }) => config.dns !== undefined);

  const tell = async (cluster: string, hash: string | null, why: string | null): Promise<void> => {
    const at = deps.clock.now();
    const last = beaten.get(cluster);
    if (deps.ledger === undefined) return;
    if (last !== undefined && (last.why === null) === (why === null) && at - last.at < beatEveryMs) return;
    beaten.set(cluster, { at, why });
    try {
      await beat(deps.ledger, cluster, { at, hash, why });
    } catch (error) {
      log({ level: "error", msg: "heartbeat of snapshots was not written", cluster, error: words(error) });
    }
  };

  const keep = async ({ config, read }: ClusterPorts, signal?: AbortSignal): Promise<void> => {
    const state = kept.get(config.name) ?? { at: undefined, failing: undefined };
    kept.set(config.name, state);
    try {
      const { snapshot } = await lookAtCluster({ read, clock: deps.clock }, config.name, signal);
      await store.put(snapshot);
      state.at = snapshot.takenAt;
      const [fault] = snapshot.faults;
      state.failing =
        fault === undefined
          ? undefined
          : {
              since: state.failing?.since ?? snapshot.takenAt,
              why: `${fault.source} could not be read: ${fault.detail}`,
            };
      await tell(config.name, snapshot.hash, state.failing?.why ?? null);
    } catch (error) {
      if (signal?.aborted) return;
      state.failing = { since: state.failing?.since ?? deps.clock.now(), why: words(error) };
      log({ level: "error", msg: "snapshot was not kept", cluster: config.name, error: words(error) });
      await tell(config.name, null, state.failing.why);
    }
  };

  return {
    once: async (signal) => {
      for (const cluster of watched) await keep(cluster, signal);
    },
    warnings: () =>
      [...kept].flatMap(([cluster, { at, failing }]): readonly Finding[] =>
        failing === undefined
          ? []
          : [
              {
                code: "dns-snapshot-failing",
                severity: "warning",
                subject: { kind: "cluster", name: cluster },
                facts: { since: failing.since, last: at ?? null },
                text: text`what ${cluster} wants in its zones is not kept whole since ${utcTime(failing.since)}, so nobody will delete or apply by it: ${failing.why}`,
              },
            ],
      ),
  };
}
