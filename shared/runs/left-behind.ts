import { stepNumber } from "./run-notes.ts";
import { changesWorld, type RunState, type StepRun } from "./run-state.ts";
import { worldUndo } from "./undo-deed.ts";

/** `steps 5, 8 and 9`. */
export const numbers = (state: RunState, steps: readonly StepRun[]): string => {
  const all = steps.map(({ id }) => String(stepNumber(state, id)));
  const last = all.at(-1) ?? "";
  return all.length > 1 ? `steps ${all.slice(0, -1).join(", ")} and ${last}` : `step ${last}`;
};

/**
 * Steps whose deeds have no way back, so that going back left them as they were. What only takes away what the run itself
 * had brought about needs none.
 */
export function noWayBack(state: RunState): readonly string[] {
  const brought = new Set(
    state.steps.flatMap(({ acts }) =>
      acts.flatMap(({ plan }) =>
        plan.diffs.flatMap(({ object, before }) => (before === null ? [object] : [])),
      ),
    ),
  );
  const steps = state.steps.filter(
    ({ acts, cleanUp }) =>
      cleanUp !== true &&
      acts.some((act) => Object.values(act.deeds).some(({ status }) => status === "done")) &&
      acts.some((act) => changesWorld(act.plan)) &&
      acts.every((act) => worldUndo(act).length === 0) &&
      acts.some(
        ({ plan }) => plan.diffs.length === 0 || plan.diffs.some(({ object }) => !brought.has(object)),
      ),
  );
  return steps.length === 0 ? [] : [`What ${numbers(state, steps)} changed has no way back and stays.`];
}

/** What people were handed a file for, and may have applied: no run takes that back. */
export function handedOver(state: RunState): readonly string[] {
  const steps = state.steps.filter(
    ({ kind, status, acts }) =>
      status === "done" &&
      acts.some(
        ({ plan }) =>
          !changesWorld(plan) && plan.deeds.length > 0 && (kind === "manual" || plan.diffs.length > 0),
      ),
  );
  return steps.length === 0
    ? []
    : [
        `What people applied of the files of ${numbers(state, steps)} stays until they put it back as it was before.`,
      ];
}
