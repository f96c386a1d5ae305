import * as z from "zod";
import {
  canDiagnose,
  currentIncidentStep,
  type IncidentState,
  nextIncidentMove,
  type StepProgress,
} from "#shared/incidents/incident-state.ts";
import type { Reply } from "#shared/reply.ts";
import { utcTime } from "#shared/runs/utc-time.ts";
import { code, person, text } from "#shared/text.ts";
import { type Decided, ifClosed, withIncident } from "../incidents/desk.ts";
import { type Context, defineVerb } from "./command.ts";
import { incidentId, incidentOption, keeping, keepingDoors, words } from "./runbook-words.ts";

/** So soon after somebody else's step, "done" was meant for that one. */
const justNowMs = 10_000;

const numberOf = (state: IncidentState, step: StepProgress): number => state.steps.indexOf(step) + 1;

/** Two who say it at once mean the same step. */
function justDone(state: IncidentState, by: string, now: number): Decided {
  const last = state.steps
    .filter(({ ended }) => ended?.by !== undefined && ended.by !== by && now - ended.at < justNowMs)
    .at(-1);
  const step = currentIncidentStep(state);
  if (last?.ended === undefined || step === undefined) return undefined;
  return {
    because: text`step ${numberOf(state, last)}, ${last.title}, was ended just now by ${person({ name: last.ended.by ?? "" })}; the next is ${numberOf(state, step)}, ${step.title}`,
    next: text`If that one is done too, say so again: ${code(`/runbook next ${state.id}`)}`,
  };
}

function decideDone(state: IncidentState, by: string, said: string, now: number): Decided {
  const closed = ifClosed(state);
  if (closed !== undefined) return closed;
  const move = nextIncidentMove(state);
  if (move.do === "wait-for-person")
    return justDone(state, by, now) ?? { type: "step-done", step: move.step, by, said };
  if (move.do === "wait-for-end") {
    const again = canDiagnose(state)
      ? text`To look once more: ${code(`/runbook diagnose ${state.id}`)}; to`
      : ["To"];
    return {
      because: text`every step of ${state.id} is done or left out`,
      next: text`${again} end it: ${code(`/runbook close ${state.id}`)}`,
    };
  }
  return {
    because: text`${state.id} is at work itself: no step waits for a person`,
    next: text`Where it stands: ${code(`/runbook status ${state.id}`)}`,
  };
}

const endStep = (context: Context<unknown>, id: string | undefined, said: string): Promise<Reply> =>
  withIncident(context, id, (desk, { id: incident, ...before }) => {
    const meant = currentIncidentStep({ id: incident, ...before });
    return desk.ask(
      incident,
      (state) => decideDone(state, desk.by, said, context.deps.clock.now()),
      () => (meant === undefined ? undefined : text`${meant.title}: on record as done`),
    );
  });

/** `/runbook next [I-7]`: the step that waits is done; goes on with what follows. */
export const incidentNext = defineVerb({
  ...keeping,
  path: ["next"],
  usage: "[I-7]",
  summary: "The step that waits is done: go on with what follows.",
  examples: [""],
  positionals: ["incident"],
  options: [],
  input: z.object({ incident: incidentId.optional() }),
  slow: true,
  handle: (context) => endStep(context, context.input.incident, "done"),
});

/** `/runbook done [I-7] [--said TEXT]`: the same with what was done, for the record. */
export const incidentDone = defineVerb({
  ...keeping,
  path: ["done"],
  usage: "[I-7] [--said TEXT]",
  summary: "Say that you have done what the step asks, and what that was.",
  examples: ['--said "power cycled karstark"'],
  positionals: ["incident"],
  options: [{ name: "said", value: "TEXT", about: "what you did, for the record" }],
  input: z.object({ incident: incidentId.optional(), said: words.default("done") }),
  slow: true,
  handle: (context) => endStep(context, context.input.incident, context.input.said),
});

/** `/runbook skip STEP --reason TEXT`: leaves a step out. */
export const incidentSkip = defineVerb({
  ...keeping,
  path: ["skip"],
  usage: "STEP --reason TEXT [--incident I-7]",
  summary:
    "Leave a step out, with a reason. Nothing of an incident changes a cluster, so nothing is lost by it.",
  examples: ['power-cycle --reason "it answers again"'],
  positionals: ["step"],
  options: [{ name: "reason", value: "TEXT", about: "why, for the record" }, incidentOption],
  input: z.object({ step: z.string(), reason: words, incident: incidentId.optional() }),
  slow: true,
  handle: (context) =>
    withIncident(context, context.input.incident, (desk, { id }) =>
      desk.ask(
        id,
        (state): Decided => {
          const closed = ifClosed(state);
          if (closed !== undefined) return closed;
          const { step: named, reason } = context.input;
          const step = state.steps.find((each, i) => each.id === named || String(i + 1) === named);
          const all = state.steps.map((each, i) => `${i + 1} ${each.id}`).join(", ");
          if (step === undefined)
            return { because: text`${state.id} has no step ${code(named)}`, next: text`Its steps: ${all}` };
          if (step.status === "done" || step.status === "skipped")
            return {
              because: text`step ${numberOf(state, step)}, ${step.title}, ${step.status === "done" ? "is done" : "is left out"} since ${utcTime(step.ended?.at ?? state.updatedAt)}`,
            };
          return { type: "step-skipped", step: step.id, by: desk.by, reason };
        },
        () => text`left out, on record: ${context.input.reason}`,
      ),
    ),
});

/** `/runbook diagnose [I-7]`: looks again; everybody who may look may ask for it. */
export const incidentDiagnose = defineVerb({
  path: ["diagnose"],
  usage: "[I-7]",
  summary: "Diagnose again: the message shows what is true now, the thread keeps what was.",
  examples: [""],
  positionals: ["incident"],
  options: [],
  input: z.object({ incident: incidentId.optional() }),
  role: "viewer",
  effect: "probe",
  slow: true,
  cluster: "one",
  doors: keepingDoors,
  handle: (context) =>
    withIncident(context, context.input.incident, (desk, { id }) =>
      desk.ask(
        id,
        (state): Decided => {
          const closed = ifClosed(state);
          if (closed !== undefined) return closed;
          if (!canDiagnose(state))
            return {
              because: text`${state.id} has no diagnosis: ${code(state.runbook)} is for people to look at`,
              next: text`To look with a runbook: ${code("/runbook run NAME")}; names: ${code("/runbook list")}`,
            };
          // Who asks while it is being looked at gets that look.
          if (state.asked !== undefined || state.diagnosing !== undefined) return undefined;
          return { type: "diagnosis-asked", by: desk.by };
        },
        (state, written) =>
          written ? text`look ${state.looks + 1} is in its thread` : text`it was being looked at already`,
      ),
    ),
});
