import type { Fqdn } from "../dns/fqdn.ts";
import type { Finding } from "../finding.ts";
import type { Drift } from "./drift.ts";
import type { Sighting } from "./input.ts";

/** What one scan of one zone came to. Stored as it is (`stored.ts`). */
export type DriftReport = Readonly<{
  format: 1;
  cluster?: string;
  /** Milliseconds since the epoch. */
  at: number;
  zone: Readonly<{ id: string; name: Fqdn }>;
  snapshot: Readonly<{ hash: string; takenAt: number }>;
  controllers: readonly Readonly<{
    name: string;
    owner: string;
    release: string;
    policy: string;
    intervalSeconds: number;
  }>[];
  /** `undefined` where the zone could not be listed. */
  recordSets: number | undefined;
  /** Records and ownership TXTs with an owner id of ours: what limits on deletes are counted over. */
  owned: Readonly<{ records: number; txts: number }>;
  /** Both sides were read whole and everything is modelled. Otherwise nothing here says "absent" or "not wanted". */
  complete: boolean;
  /** What is wrong with the reading itself, and ExternalDNS that does not reconcile. */
  findings: readonly Finding[];
  drifts: readonly Drift[];
  /** Why no plan from this report may delete anything; empty when it may. */
  deletesBlocked: readonly string[];
  /** Carried to the next scan. */
  sightings: readonly Sighting[];
  /** Keys of drifts that ExternalDNS should have repaired long ago. */
  notReconciling: readonly string[];
  /** Keys of drifts that no snapshot has confirmed which was taken after they were first seen in the zone. */
  awaiting: readonly string[];
}>;

/** One difference, whatever its words: the same thing seen by two scans has the same key. */
export const driftKey = ({
  kind,
  zoneId,
  name,
  type,
  setIdentifier,
  want,
  have,
  ownership,
  repair,
}: Drift): string =>
  JSON.stringify([
    kind,
    zoneId,
    name,
    type,
    setIdentifier ?? "",
    ownership,
    repair,
    [...want].sort(),
    [...have].sort(),
  ]);

/**
 * What people are told unasked: everything but what ExternalDNS repairs by itself, unless it has not done so over three
 * of its intervals, and but what may only differ because the snapshot is older than the zone's listing.
 */
export function toldDrifts(report: DriftReport): readonly Drift[] {
  const overdue = new Set(report.notReconciling);
  const awaiting = new Set(report.awaiting);
  return report.drifts.filter((drift) =>
    drift.repair === "external-dns" ? overdue.has(driftKey(drift)) : !awaiting.has(driftKey(drift)),
  );
}

/** The cluster has ExternalDNS, and none looks at this zone. */
export const isUnwatchedZone = ({ findings }: Pick<DriftReport, "findings">): boolean =>
  findings.some(({ code }) => code === "dns-zone-unwatched");

/** Everything that had to be read was: of a zone that no ExternalDNS looks at nothing more is wanted. */
export const isReadWhole = (report: DriftReport): boolean => report.complete || isUnwatchedZone(report);
