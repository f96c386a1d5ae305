import { fqdn } from "#shared/dns/fqdn.ts";
import type { Snapshot, SnapshotStore } from "#shared/dns/snapshot.ts";
import { makePlan } from "#shared/drift/change-plan.ts";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import { lookAtCluster } from "#shared/drift/look.ts";
import { announcementKinds, predictedAddresses } from "#shared/drift/predicted-addresses.ts";
import { scanZones, type ZoneScan } from "#shared/drift/scan.ts";
import { type Heartbeat, lastHeartbeat } from "#shared/drift/scan-memory.ts";
import { reportButtons, tellDigest, tellReport } from "#shared/drift/tell-report.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { utcDateTime } from "#shared/runs/utc-time.ts";
import { text } from "#shared/text.ts";
import type { ClusterPorts, Deps } from "../commands/command.ts";
import { boardMessages } from "./board-messages.ts";

export const scanEveryMs = 900_000;
/** The hour of the day's digest, UTC. */
const digestHour = 7;

type Log = (entry: Readonly<Record<string, unknown>>) => void;

const words = (error: unknown): string =>
  error instanceof FaultError ? `${error.fault.what}: ${error.fault.detail}` : String(error);

const failing = (cluster: string, code: string, why: string, facts: Finding["facts"]): Finding => ({
  code,
  severity: "warning",
  subject: { kind: "cluster", name: cluster },
  facts,
  text: [why],
});

export type ZoneWatch = Readonly<{
  /** One round. Never rejects. */
  once: (signal?: AbortSignal) => Promise<void>;
  warnings: () => readonly Finding[];
}>;

/** What the report offers. */
function offered({ input, report }: ZoneScan) {
  if (!report.drifts.some(({ repair, offer }) => repair === "we" && offer !== undefined)) return undefined;
  return makePlan({ input, report, limits: defaultDeleteLimits, at: report.at });
}

/** What the cluster wants now, left for everybody else too; that it could not be left is told by whoever keeps them. */
async function freshSnapshot(
  deps: Pick<Deps, "clock">,
  { config, read }: ClusterPorts,
  snapshots: SnapshotStore,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const { snapshot } = await lookAtCluster({ read, clock: deps.clock }, config.name, signal);
  try {
    await snapshots.put(snapshot);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  return snapshot;
}

/** Scans a cluster's zones in this very process and tells what changed on the board, where no function does it. */
export function createZoneScanner(deps: Deps, snapshots: SnapshotStore, log: Log): ZoneWatch {
  const broken = new Map<string, Readonly<{ since: number; why: string }>>();

  const scan = async (cluster: ClusterPorts, signal?: AbortSignal): Promise<void> => {
    const { ledger, board, clock } = deps;
    const { config, read, zones } = cluster;
    const { name, dns } = config;
    if (dns === undefined || zones === undefined || ledger === undefined) return;
    const lists = await read([...announcementKinds], signal);
    const result = await scanZones(
      {
        zones,
        snapshots: { latest: () => freshSnapshot(deps, cluster, snapshots, signal) },
        ledger,
        clock,
      },
      {
        cluster: name,
        zones: dns.zones.map((zone) => ({ id: zone.id, name: fqdn(zone.name) })),
        oldDomains: dns.move === undefined ? [] : [fqdn(dns.move.from)],
        predictions: predictedAddresses(lists),
      },
    );
    if (board === undefined) return;
    const tell = { ledger, clock, messages: boardMessages(board), holder: deps.newId() };
    for (const each of result.zones) {
      const { report } = each;
      const plan = offered(each);
      const told = await tellReport(tell, {
        report,
        plan,
        buttons: reportButtons(report, plan),
      });
      if (told.state === "not-told") throw new FaultError(told.fault);
    }
    await tellDigest(tell, {
      cluster: name,
      reports: result.zones.map(({ report }) => report),
      hour: digestHour,
    });
  };

  return {
    once: async (signal) => {
      for (const cluster of deps.clusters.values()) {
        const { name } = cluster.config;
        try {
          await scan(cluster, signal);
          broken.delete(name);
        } catch (error) {
          if (signal?.aborted) return;
          broken.set(name, { since: broken.get(name)?.since ?? deps.clock.now(), why: words(error) });
          log({ level: "error", msg: "zones could not be scanned", cluster: name, error: words(error) });
        }
      }
    },
    warnings: () =>
      [...broken].map(([cluster, { since, why }]) =>
        failing(
          cluster,
          "dns-scan-failing",
          `the zones of ${cluster} are not scanned since ${utcDateTime(since)}, so nobody will tell new drift: ${why}`,
          { since },
        ),
      ),
  };
}

/**
 * Watches for the heartbeat of the function that scans: two of its intervals without one are told. What a scan saw by a
 * snapshot older than the zone's listing is looked at again, once, by a newer one (`again`).
 */
export function createHeartbeatWatch(
  deps: Pick<Deps, "ledger" | "clock">,
  functionName: string,
  again?: (signal?: AbortSignal) => Promise<void>,
): ZoneWatch {
  const everyMs = scanEveryMs;
  const began = deps.clock.now();
  let beat: Heartbeat | undefined;
  let asked = 0;
  let last: number | undefined;
  let fault: string | undefined;
  return {
    once: async (signal) => {
      if (deps.ledger === undefined) return;
      try {
        beat = (await lastHeartbeat(deps.ledger)) ?? beat;
        last = beat?.at ?? last;
        fault = undefined;
      } catch (error) {
        fault = words(error);
        return;
      }
      if (beat === undefined || beat.at <= asked || beat.at < began) return;
      if (!beat.zones.some(({ awaiting }) => awaiting > 0)) return;
      asked = deps.clock.now();
      try {
        await again?.(signal);
      } catch (error) {
        // The next scan comes by its schedule.
        if (!(error instanceof FaultError)) throw error;
      }
    },
    warnings: () => {
      const quietMs = deps.clock.now() - Math.max(last ?? 0, last === undefined ? began : 0);
      if (fault === undefined && quietMs <= 2 * everyMs) return [];
      const since = last === undefined ? "since this bot started" : `since ${utcDateTime(last)}`;
      const why =
        fault === undefined
          ? text`${functionName} has ended no scan ${since}, so nobody will tell new drift: its schedule, its log and its dead letters say why`
          : text`whether ${functionName} still scans is not known: ${fault}`;
      return [
        {
          code: fault === undefined ? "dns-scan-silent" : "dns-scan-unknown",
          severity: fault === undefined ? "warning" : "unknown",
          subject: { kind: "config", name: "aws.scanFunction" },
          facts: { last: last ?? null },
          text: why,
        },
      ];
    },
  };
}

/** Rounds until the signal aborts, the first at once. Never rejects. */
export async function everyRound(
  clock: Deps["clock"],
  everyMs: number,
  once: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await once(signal);
    if (!signal.aborted) await clock.sleep(everyMs, signal);
  }
}
