import type { Clock } from "../clock.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import type { Snapshot, SnapshotStore } from "../dns/snapshot.ts";
import type { ReadZones } from "../dns/zones.ts";
import { type Fault, FaultError, isFault } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import { type Accepted, acceptSnapshot, lastAccepted } from "./accepted.ts";
import { type DriftReport, isReadWhole, toldDrifts } from "./drift-report.ts";
import { fingerprint } from "./fingerprint.ts";
import { defaultDeleteLimits } from "./guards.ts";
import type { DeleteLimits, DriftInput } from "./input.ts";
import { lookAtZone, wantedCount } from "./look-at-zone.ts";
import { beat, keepReport, keepSightings, lastReport, lastSightings } from "./scan-memory.ts";
import { isShrunken } from "./sources.ts";

export type ScanPorts = Readonly<{
  zones: ReadZones;
  snapshots: Pick<SnapshotStore, "latest">;
  ledger: Ledger;
  clock: Clock;
}>;

export type ScanSettings = Readonly<{
  cluster: string;
  zones: readonly Readonly<{ id: string; name: Fqdn }>[];
  oldDomains: readonly Fqdn[];
  /** Of the plans that are offered. */
  limits?: DeleteLimits;
  /** Of MetalLB, where whoever scans can see the cluster. */
  predictions?: readonly AddressPrediction[] | Fault;
}>;

export type ZoneScan = Readonly<{
  /** What the report was made from: a plan is made of both. */
  input: DriftInput;
  report: DriftReport;
  fingerprint: string;
  /** It says something else than the last one, and was kept. */
  changed: boolean;
}>;

export type ScanResult = Readonly<{ at: number; complete: boolean; zones: readonly ZoneScan[] }>;

async function orFault<T>(look: () => Promise<T>): Promise<T | Fault> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
}

async function readSnapshot(ports: ScanPorts, cluster: string): Promise<Snapshot | Fault> {
  const found = await orFault(() => ports.snapshots.latest(cluster));
  return (
    found ?? {
      kind: "not-configured",
      what: `snapshot of what ${cluster} wants`,
      detail: "there is none: the bot of that cluster has not left one yet",
    }
  );
}

async function acceptUnlessInDoubt(
  ledger: Ledger,
  cluster: string,
  snapshot: Snapshot | Fault,
  before: Accepted | undefined,
): Promise<void> {
  if (isFault(snapshot) || snapshot.faults.length > 0 || before?.hash === snapshot.hash) return;
  const endpoints = wantedCount(snapshot);
  if (endpoints === 0 || isShrunken(endpoints, before?.endpoints)) return;
  await acceptSnapshot(ledger, cluster, { hash: snapshot.hash, takenAt: snapshot.takenAt, endpoints });
}

/**
 * Looks at every zone once and compares it with the latest snapshot of what the cluster wants. A zone or a snapshot that
 * could not be read is in the report as not known; throws FaultError only where the ledger cannot be read or written.
 * Two scans at once do no harm: each report is kept once.
 */
export async function scanZones(ports: ScanPorts, settings: ScanSettings): Promise<ScanResult> {
  const { ledger, clock, zones: read } = ports;
  const { cluster } = settings;
  const accepted = await lastAccepted(ledger, cluster);
  const all = await orFault(() => read.zones());
  const listed = [];
  for (const zone of settings.zones) {
    const recordSets = await orFault(() => read.recordSets(zone.id));
    listed.push({ zone, recordSets, at: clock.now() });
  }
  // After the zones: the newer the snapshot, the less has changed between the two.
  const snapshot = await readSnapshot(ports, cluster);
  const scans: ZoneScan[] = [];
  for (const { zone, recordSets, at } of listed) {
    const kept = await lastReport(ledger, zone.id);
    const seen = await lastSightings(ledger, zone.id);
    const { input, report } = lookAtZone({
      cluster,
      at,
      zone,
      all,
      recordSets,
      snapshot,
      accepted,
      ...(settings.predictions !== undefined && { predictions: settings.predictions }),
      oldDomains: settings.oldDomains,
      previous: seen.sightings,
      limits: settings.limits ?? defaultDeleteLimits,
    });
    const print = fingerprint(report);
    await keepSightings(ledger, zone.id, seen, report.sightings, at);
    const changed = await keepReport(ledger, kept, report, print);
    scans.push({ input, report, fingerprint: print, changed });
  }
  await acceptUnlessInDoubt(ledger, cluster, snapshot, accepted);
  const at = clock.now();
  const complete = scans.every(({ report }) => isReadWhole(report));
  await beat(ledger, {
    at,
    complete,
    zones: scans.map(({ report, fingerprint: print }) => ({
      id: report.zone.id,
      complete: isReadWhole(report),
      fingerprint: print,
      differences: toldDrifts(report).length,
      awaiting: report.awaiting.length,
    })),
  });
  return { at, complete, zones: scans };
}
