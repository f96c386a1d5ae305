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

/** Zone, snapshot, every change with what stands before and after it, and the way back. */
export const planDigest = ({ zone, snapshot, batches, undo, twoPeople }: Omit<Plan, "digest">): string =>
  canonicalDigest({ zone, snapshot, batches, undo, twoPeople });
