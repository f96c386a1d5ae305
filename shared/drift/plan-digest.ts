import { canonicalDigest } from "./canonical-digest.ts";
import type { PlannedChange } from "./drift.ts";
import type { Plan, PlannedBatch } from "./plan-value.ts";

const inverse = ({ action, before, set }: PlannedChange): PlannedChange =>
  action === "CREATE"
    ? { action: "DELETE", before: set, set }
    : action === "DELETE"
      ? { action: "CREATE", set: before ?? set }
      : { action: "UPSERT", before: set, set: before ?? set };

/** DELETE before CREATE, as batches are judged in their order. */
const inOrder = (changes: readonly PlannedChange[]): readonly PlannedChange[] => [
  ...changes.filter(({ action }) => action === "UPSERT"),
  ...changes.filter(({ action }) => action === "DELETE"),
  ...changes.filter(({ action }) => action === "CREATE"),
];

/** The exact way back of batches that were applied. */
export const undoOf = (batches: readonly PlannedBatch[]): readonly PlannedBatch[] =>
  batches.toReversed().map(({ changes, given }) => ({ changes: inOrder(changes.map(inverse)), given }));

/**
 * Zone, what is wanted, every change with what stands before and after it, and the way back. When it was looked at is
 * left out: the same plan made twice is one plan, asked for once.
 */
export const planDigest = ({
  zone,
  snapshot,
  batches,
  undo,
  twoPeople,
  again,
}: Omit<Plan, "digest">): string =>
  canonicalDigest({ zone, wanted: snapshot.hash, batches, undo, twoPeople, again });

/** Exactly the same as a plan of its own: what came of the one before is told apart from what comes of it. */
export function planAgain(plan: Plan): Plan {
  const next = { ...plan, again: (plan.again ?? 0) + 1 };
  return { ...next, digest: planDigest(next) };
}
