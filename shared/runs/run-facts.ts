import type { Diff, RunFacts } from "../steps/step.ts";
import type { Act, RunState } from "./run-state.ts";
import { standingActs } from "./standing.ts";
import { objectOf, undoneDiffs } from "./undo-deed.ts";

/** What of a diff's object was done: by a deed about it, or by a commit, which names no object. */
const wasDone = ({ plan, deeds }: Act, { object }: Diff): boolean =>
  plan.deeds.some(
    (deed) =>
      deeds[deed.id]?.status === "done" &&
      (deed.kind === "git" || (deed.kind === "kube" && objectOf(deed.write) === object)),
  );

/** What a run made of objects and was not taken back, by step id; of what was done in part, that part. */
const standingDiffs = (state: RunState): Readonly<Record<string, readonly Diff[]>> =>
  Object.fromEntries(
    state.steps.flatMap((step): [string, readonly Diff[]][] => {
      const acts = standingActs(step).map((act) => ({
        ...act,
        plan: { ...act.plan, diffs: act.plan.diffs.filter((diff) => wasDone(act, diff)) },
      }));
      const diffs = undoneDiffs(acts);
      return diffs.length === 0 ? [] : [[step.id, diffs]];
    }),
  );

/** What a step is told of its run. */
export const runFacts = (state: RunState): RunFacts => {
  const { id, runbook, cluster, inputs, notes } = state;
  return { id, runbook, cluster, inputs, notes, standing: standingDiffs(state) };
};
