import { canonicalDigest } from "./canonical-digest.ts";
import { type DriftReport, driftKey, toldDrifts } from "./drift-report.ts";

/**
 * What people are told, as one value: the same differences and the same faults of reading give the same fingerprint,
 * whatever their order, time or wording. Counts in findings are left out, or every scan would be news.
 */
export const fingerprint = (report: DriftReport): string =>
  canonicalDigest({
    zone: report.zone.id,
    drifts: toldDrifts(report).map(driftKey).toSorted(),
    findings: report.findings.map(({ code, severity }) => `${code} ${severity}`).toSorted(),
  });

/** What stood in the report before and does not now. Nothing is resolved as long as a scan could not read everything. */
export function resolvedSince(before: DriftReport, now: DriftReport): DriftReport["drifts"] {
  if (!now.complete) return [];
  const standing = new Set(toldDrifts(now).map(driftKey));
  return toldDrifts(before).filter((drift) => !standing.has(driftKey(drift)));
}
