import type { AlertLog } from "#shared/alerts/alert-log.ts";
import { firingOf, openCases } from "#shared/alerts/alert-state.ts";
import type { Clock } from "#shared/clock.ts";
import { lastHeartbeat } from "#shared/drift/scan-memory.ts";
import type { Severity } from "#shared/finding.ts";
import { openIncidents } from "#shared/incidents/incident-log.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { openRun } from "#shared/runs/run-log.ts";
import type { Deps } from "../../commands/command.ts";
import type { Sample } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

/** Whoever scrapes every second asks the ledger no more often than this. */
const rememberedMs = 10_000;
/** A snapshot is read whole to learn its time. */
const snapshotsMs = 60_000;
const lookMs = 3_000;

type Around = Readonly<{
  deps: Deps;
  ledger: Ledger;
  alerts: AlertLog | undefined;
  readiness: () => Promise<Readiness>;
  /** Messages to Slack that wait. */
  waiting: () => number | undefined;
  watchdogAt: () => number | undefined;
}>;

/** Undefined when it failed or took too long: one part that hangs must not take the others' numbers away. */
async function soon<T>(clock: Clock, work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work.catch(() => undefined),
      clock.sleep(lookMs, over.signal).then(() => undefined),
    ]);
  } finally {
    over.abort();
  }
}

const known = <T>(entries: readonly (readonly [string, T | undefined])[]): ReadonlyMap<string, T> =>
  new Map(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));

/** What `/metrics` looks up, remembered for a few seconds. Never rejects. */
export function createSample(around: Around): () => Promise<Sample> {
  const { deps, ledger, alerts } = around;
  const { clock } = deps;
  const clusters = [...deps.clusters.keys()];
  let last: Readonly<{ at: number; sample: Promise<Sample> }> | undefined;
  let snapshots: Readonly<{ at: number; taken: Promise<ReadonlyMap<string, number>> }> | undefined;

  const perCluster = async <T>(look: (cluster: string) => Promise<T>) =>
    known(await Promise.all(clusters.map(async (name) => [name, await soon(clock, look(name))] as const)));

  const snapshotTimes = (): Promise<ReadonlyMap<string, number>> => {
    const { snapshots: store } = deps;
    if (store === undefined) return Promise.resolve(new Map());
    if (snapshots === undefined || clock.now() - snapshots.at >= snapshotsMs)
      snapshots = {
        at: clock.now(),
        taken: perCluster(async (name) => (await store.latest(name))?.takenAt).then((taken) =>
          known([...taken].map(([name, at]) => [name, at] as const)),
        ),
      };
    return snapshots.taken;
  };

  const look = async (): Promise<Sample> => {
    const [state, incidentsOpen, runsOpen, scan, snapshotAt, ready] = await Promise.all([
      alerts === undefined ? undefined : soon(clock, alerts.read()),
      perCluster(async (name) => (await openIncidents(ledger, name)).length),
      perCluster(async (name) => ((await openRun(ledger, name)) === undefined ? 0 : 1)),
      soon(clock, lastHeartbeat(ledger)),
      snapshotTimes(),
      around.readiness(),
    ]);
    const open = state && openCases(state);
    const warnings = new Map<Severity, number>([
      ["unknown", 0],
      ["warning", 0],
      ["error", 0],
      ["critical", 0],
    ]);
    for (const { severity } of deps.about.warnings())
      warnings.set(severity, (warnings.get(severity) ?? 0) + 1);
    return {
      incidentsOpen,
      runsOpen,
      alertsFiring: open?.reduce((sum, one) => sum + firingOf(one).length, 0),
      casesWaiting: open?.filter((one) => one.incident === undefined && one.storm === undefined).length,
      outboxWaiting: around.waiting(),
      driftScanAt: scan?.at,
      snapshotAt,
      watchdogAt: around.watchdogAt(),
      ready: new Map(ready.parts.map(({ what, ok }) => [what, ok])),
      warnings,
    };
  };

  return () => {
    if (last === undefined || clock.now() - last.at >= rememberedMs)
      last = { at: clock.now(), sample: look() };
    return last.sample;
  };
}
