import { canonicalText, compareTargetLists, type Endpoint, resourceLabel } from "./endpoint.ts";

/**
 * Equal target lists leave the choice to the order of the sources, which upstream does not fix. The canonical text then
 * decides, so that a forecast is the same whatever the order of its input.
 */
function compareCandidates(a: Endpoint, b: Endpoint): number {
  const byTargets = compareTargetLists(a.targets, b.targets);
  if (byTargets !== 0) return byTargets;
  const one = canonicalText(a);
  const other = canonicalText(b);
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Two sources want one new name: the smallest target list gets it (plan/conflict.go ResolveCreate). */
export const chooseForCreate = (candidates: readonly Endpoint[]): Endpoint =>
  candidates.length === 1
    ? (candidates[0] as Endpoint)
    : candidates.reduce((best, each) => (compareCandidates(each, best) < 0 ? each : best));

/** The object that has the name keeps it; when it is gone, the smallest takes over (plan/conflict.go ResolveUpdate). */
export function chooseForUpdate(current: Endpoint, candidates: readonly Endpoint[]): Endpoint {
  if (candidates.length === 1) return candidates[0] as Endpoint;
  const resource = current.labels[resourceLabel] ?? "";
  const keepers = candidates.filter((each) => (each.labels[resourceLabel] ?? "") === resource);
  return chooseForCreate(keepers.length > 0 ? keepers : candidates);
}

/** CNAME beside anything else is no valid zone: the CNAME candidates lose (plan/conflict.go ResolveRecordTypes). */
export function withoutConflictingCnames(candidates: readonly Endpoint[]): readonly Endpoint[] {
  if (candidates.length < 2) return candidates;
  const others = candidates.filter(({ type }) => type !== "CNAME");
  return others.length === 0 || others.length === candidates.length ? candidates : others;
}
