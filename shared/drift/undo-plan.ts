import { reversibleWhile } from "./change-plan.ts";
import type { PlannedChange } from "./drift.ts";
import { planDigest, undoOf } from "./plan-digest.ts";
import { landedBatches } from "./plan-reply.ts";
import type { PlanState } from "./plan-stream.ts";
import type { Plan, PlanItem } from "./plan-value.ts";

const back = ({ action }: PlannedChange): string =>
  action === "CREATE"
    ? "we will put back what the plan deleted"
    : action === "DELETE"
      ? "we will delete what the plan created"
      : "we will put back what stood there before";

/**
 * The way back of what a plan brought into its zone, as a plan of its own: approved and judged like any other. Undefined
 * where nothing of it is in the zone. It rests on the snapshot of now, as the writer takes no other.
 */
export function undoPlan(state: PlanState, snapshot: Plan["snapshot"], at: number): Plan | undefined {
  const batches = undoOf(landedBatches(state));
  if (batches.length === 0) return undefined;
  const { plan, id } = state;
  const undo = undoOf(batches);
  const items = batches.flatMap(({ changes }) =>
    changes.map((change): PlanItem => {
      const { name, type, setIdentifier } = change.set;
      const from = plan.items.find((each) => each.name === name) ?? plan.items[0];
      return {
        kind: from?.kind ?? "undo",
        offer: from?.offer ?? "restore",
        name,
        type,
        ...(setIdentifier !== undefined && { setIdentifier }),
        ownership: from?.ownership ?? "ours",
        what: back(change),
        because: `the way back of ${id}; the difference it repaired comes back with it`,
      };
    }),
  );
  const made = {
    format: 1 as const,
    ...(plan.cluster !== undefined && { cluster: plan.cluster }),
    zone: plan.zone,
    madeAt: at,
    snapshot,
    twoPeople: plan.twoPeople,
    items,
    batches,
    withheld: [],
    undo,
    reversibleWhile,
  };
  return { ...made, digest: planDigest(made) };
}
