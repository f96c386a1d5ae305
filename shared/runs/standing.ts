import type { Deed } from "../steps/deed.ts";
import type { RunEvent } from "./run-events.ts";
import { type Act, changesWorld, type RunState, type StepRun } from "./run-state.ts";

/** Deeds of the step that were begun and of which nobody knows whether they were done, in the order of doing. */
export const doubtfulDeeds = (step: StepRun): readonly Deed[] =>
  step.acts.flatMap((act) => [
    ...act.plan.deeds.filter(
      ({ id }) => act.deeds[id]?.status === "in-doubt" || act.deeds[id]?.refusal?.moved === true,
    ),
    ...act.plan.undo.filter(({ id }) => act.undo[id]?.status === "in-doubt"),
  ]);

/** Whether what the step takes away may be there: something of a step before it was done, or may have been. */
const mayBeThere = (state: RunState, step: StepRun): boolean =>
  state.steps
    .slice(0, state.steps.indexOf(step))
    .some((before) => standingActs(before).length > 0 || doubtfulDeeds(before).length > 0);

/** The step that has to be done before the run may rest: it takes away what must not stay. */
export const pendingCleanUp = (state: RunState): StepRun | undefined =>
  state.steps.find(
    (step) =>
      step.whenStopped === true &&
      (step.status === "pending" || step.status === "running") &&
      mayBeThere(state, step),
  );

/** Whether a later step of the run has taken away what this one did. */
const isCleanedUp = (state: RunState, step: StepRun): boolean =>
  state.steps
    .slice(state.steps.indexOf(step) + 1)
    .some((after) => after.whenStopped === true && (after.status === "done" || after.status === "unneeded"));

/** Steps of which something is in the world that this run put there. */
export const standingSteps = (state: RunState): readonly StepRun[] =>
  state.steps.filter(
    (step) => step.whenStopped !== true && standingActs(step).length > 0 && !isCleanedUp(state, step),
  );

/** Acts that left something in the world which was not taken back, last first. */
export const standingActs = (step: StepRun): readonly Act[] =>
  step.undoneAt !== undefined
    ? []
    : step.acts
        .filter(
          (act) =>
            changesWorld(act.plan) &&
            act.plan.deeds.some(
              ({ id, kind }) =>
                kind !== "document" && act.deeds[id] !== undefined && act.deeds[id].status === "done",
            ),
        )
        .toReversed();

/** Whether it is still unknown what came of the deed that was intended under this token. */
export function isOpen(state: RunState, event: Extract<RunEvent, { token: string }>): boolean {
  const act = state.steps
    .find(({ id }) => id === event.step)
    ?.acts.find(({ number }) => number === event.act);
  const deed = (event.way === "forward" ? act?.deeds : act?.undo)?.[event.deed];
  return deed?.status === "in-doubt" && deed.token === event.token;
}
