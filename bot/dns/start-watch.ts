import type { Finding } from "#shared/finding.ts";
import { text } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";
import { createSnapshotKeeper, snapshotEveryMs } from "./keep-snapshots.ts";
import { createPlanTender, tendPlansEveryMs } from "./tend-plans.ts";
import {
  createHeartbeatWatch,
  createZoneScanner,
  everyRound,
  scanEveryMs,
  type ZoneWatch,
} from "./watch-zones.ts";

export type DnsWatch = Readonly<{
  warnings: () => readonly Finding[];
  /** Settles when every round has ended after the signal. Never rejects. */
  ended: Promise<void>;
}>;

/** Whoever asks something right after the start goes first. */
const settleMs = 5_000;
/** How often the heartbeat of a function is looked for. */
const heartbeatLookMs = 60_000;

const nowhere: Finding = {
  code: "dns-snapshots-nowhere",
  severity: "warning",
  subject: { kind: "config", name: "aws.snapshots" },
  facts: {},
  text: text`what clusters want in their zones is kept nowhere, so nobody scans: configure aws.snapshots or a ledger file`,
};

/**
 * What a bot does for zones unasked, until the signal: leaves snapshots, and scans by itself or watches over the
 * function that scans. Nothing happens where no cluster has zones.
 */
export function startDnsWatch(
  deps: Deps,
  options: Readonly<{
    signal: AbortSignal;
    log: (entry: Readonly<Record<string, unknown>>) => void;
    scanFunction?: string;
  }>,
): DnsWatch {
  const { signal, log, scanFunction } = options;
  const { snapshots, clock } = deps;
  const hasZones = [...deps.clusters.values()].some(
    ({ config, zones }) => config.dns !== undefined && zones !== undefined,
  );
  if (!hasZones) return { warnings: () => [], ended: Promise.resolve() };
  if (snapshots === undefined) return { warnings: () => [nowhere], ended: Promise.resolve() };
  const keeper = createSnapshotKeeper(deps, snapshots, log);
  // A function compares with the last snapshot: it gets one of now.
  const askForScan = async (): Promise<void> => {
    await keeper.once(signal);
    await deps.askForScan?.();
  };
  const watch: ZoneWatch =
    scanFunction === undefined
      ? createZoneScanner(deps, snapshots, log)
      : createHeartbeatWatch(deps, scanFunction, askForScan);
  const plans = createPlanTender(
    deps,
    log,
    deps.askForScan === undefined ? () => watch.once(signal) : askForScan,
  );
  // The first scan finds the first snapshot; after that each keeps its own time.
  const ended = clock.sleep(settleMs, signal).then(async () => {
    if (signal.aborted) return;
    await keeper.once(signal);
    await Promise.all([
      everyRound(clock, tendPlansEveryMs, plans.once, signal),
      clock
        .sleep(snapshotEveryMs, signal)
        .then(() => everyRound(clock, snapshotEveryMs, keeper.once, signal)),
      everyRound(clock, scanFunction === undefined ? scanEveryMs : heartbeatLookMs, watch.once, signal),
    ]);
  });
  return { warnings: () => [...keeper.warnings(), ...watch.warnings()], ended };
}
