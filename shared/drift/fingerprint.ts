import { canonicalDigest } from "./canonical-digest.ts";
import type { Drift } from "./drift.ts";
import { type DriftReport, driftKey, toldDrifts } from "./drift-report.ts";

/**
 * What people are told, as one value: the same differences and the same faults of reading give the same fingerprint,
 * whatever their order, time or wording. Of findings counts too that say how much is in doubt: a source that shrinks
 * further, or another flag that is not modelled, is news, also where less was snoozed.
 */
export const fingerprint = (report: DriftReport): string =>
  canonicalDigest({
    zone: report.zone.id,
    drifts: toldDrifts(report).map(driftKey).toSorted(),
    findings: report.findings
      .map(
        ({ code, severity, facts }) => `${code} ${severity} ${String(facts.what ?? facts.endpoints ?? "")}`,
      )
      .toSorted(),
  });

const placeOf = ({ kind, name, type, setIdentifier }: Drift): string =>
  JSON.stringify([kind, name, type, setIdentifier ?? ""]);

/**
 * What was told before and is gone. A record that differs by now in another way, or that somebody else will repair, is
 * not resolved, and nothing is as long as a scan could not read everything.
 */
export function resolvedOf(told: readonly Drift[], now: DriftReport): readonly Drift[] {
  if (!now.complete) return [];
  const standing = new Set(now.drifts.map(placeOf));
  return told.filter((drift) => {
    const place = placeOf(drift);
    return !standing.has(place) && standing.add(place);
  });
}

/** What stood in the report before and does not now. */
export const resolvedSince = (before: DriftReport, now: DriftReport): readonly Drift[] =>
  resolvedOf(toldDrifts(before), now);
