import type { Verified } from "../steps/step.ts";
import { type Halt, notProven, reverted, unproven } from "./halts.ts";
import type { RunEvent } from "./run-events.ts";
import { changesWorld, currentAct, type StepRun } from "./run-state.ts";

/** How long to wait where a step that waits does not say until when. */
const defaultWaitMs = 60_000;

/**
 * What a verification comes to: an event, or a halt. What nobody can see is let pass only for what a person did and
 * said, and is recorded as said. An act that passed is verified once more when the step asks for it.
 */
export function judgedVerified(step: StepRun, result: Verified, now: number): RunEvent | Halt {
  const act = currentAct(step);
  const hasActed = act !== undefined && changesWorld(act.plan);
  const isRecheck = step.waiting?.why === "recheck";
  const findings = [...result.findings];
  const { text, notes } = result;
  switch (result.outcome) {
    case "waiting":
      return { type: "waiting", step: step.id, until: result.until ?? now + defaultWaitMs, text };
    case "passed": {
      const again = hasActed && !isRecheck ? result.recheckAfterMs : undefined;
      return {
        type: "verified",
        step: step.id,
        outcome: "passed",
        text,
        findings,
        notes,
        ...(again !== undefined && { recheckAt: now + again }),
      };
    }
    case "unknown":
      return step.kind === "manual" && step.manual !== undefined
        ? { type: "verified", step: step.id, outcome: "said", text, findings, notes }
        : unproven(text, findings, hasActed);
    case "failed":
      return isRecheck ? reverted(text, findings) : notProven(text, findings, hasActed);
  }
}
