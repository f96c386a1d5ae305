import type { FaultError } from "../fault.ts";
import type { Deed, DeedState } from "../steps/deed.ts";
import type { Diff, Verified } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { couldNotLook, type Halt, notUndone } from "./halts.ts";
import type { RunEvent } from "./run-events.ts";
import type { StepRun } from "./run-state.ts";
import { standingActs } from "./standing.ts";
import { goesByCommit, undoDeed, undoneDiffs, worldUndo } from "./undo-deed.ts";

type Looked<T> = Readonly<{ value: T }> | Readonly<{ fault: FaultError }>;
type Sight = Readonly<{
  look: (deed: Deed) => Promise<Looked<DeedState>>;
  /** Objects that are not yet what they were, by their titles. */
  stillChanged: (diffs: readonly Diff[]) => Promise<Looked<readonly string[]>>;
}>;

/** What the step itself says of what others bring about because it was taken back. */
export const judgedByStep = (step: string, { outcome, text, findings, until }: Verified): RunEvent | Halt =>
  outcome === "waiting" && until !== undefined
    ? { type: "waiting", step, until, text }
    : outcome === "passed"
      ? { type: "step-undone", step, text }
      : notUndone(text, findings);

/** How often to look whether GitOps has brought a commit of the way back about. */
const syncPollMs = 30_000;

/**
 * Whether a step that was taken back is as before: each deed of its way back is looked at, and where anything of it went
 * by a commit the cluster is, which is waited for. A branch proves nothing of the cluster.
 */
export async function judgedUndone(sight: Sight, step: StepRun, now: number): Promise<RunEvent | Halt> {
  const acts = standingActs(step);
  // The first act's plan holds how it was before anything was done.
  const first = acts.findLast((act) => worldUndo(act).length > 0);
  if (first === undefined) {
    const why = step.cleanUp === true ? "it was a way back itself" : "this step has no way back";
    return { type: "step-undone", step: step.id, text: text`nothing to take back: ${why}` };
  }
  for (const deed of worldUndo(first)) {
    // What somebody else has changed meanwhile was left to them.
    if (first.undo[deed.id]?.refusal?.moved === true) continue;
    const there = await sight.look(undoDeed(first, deed));
    if ("fault" in there) return couldNotLook(there.fault.fault);
    if (there.value !== "done") return notUndone(text`${deed.title}: its effect is not there`, []);
  }
  const [commit] = acts.flatMap(goesByCommit);
  if (commit !== undefined) {
    const left = await sight.stillChanged(undoneDiffs(acts));
    if ("fault" in left) return couldNotLook(left.fault.fault);
    const { tree, branch } = commit;
    if (left.value.length > 0)
      return {
        type: "waiting",
        step: step.id,
        until: now + syncPollMs,
        text: text`Taken back in ${tree} ${code(branch)}, and not yet as before in the cluster: ${left.value.join(", ")}. Merge ${code(branch)} into what GitOps follows, unless it follows that branch.`,
      };
  }
  return { type: "step-undone", step: step.id, text: text`taken back, and seen to be as before` };
}
