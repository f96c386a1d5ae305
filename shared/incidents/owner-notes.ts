import type { Reply } from "../reply.ts";
import { elapsed, utcTime } from "../runs/utc-time.ts";
import { code, person, strong, text } from "../text.ts";
import type { IncidentReplyOptions } from "./incident-reply.ts";
import { currentIncidentStep, type IncidentState, type StepProgress } from "./incident-state.ts";

/**
 * When the thread should be asked whether anybody is at the step, milliseconds since the epoch: after its time-out, and
 * again after twice as long each time. Undefined when nobody set a time-out, or it is nobody's turn.
 */
export function nudgeDue(state: IncidentState): Readonly<{ step: string; at: number }> | undefined {
  if (state.closed !== undefined || state.diagnosing !== undefined) return undefined;
  const step = currentIncidentStep(state);
  if (step?.kind !== "manual" || step.timeoutSeconds === undefined || step.since === undefined)
    return undefined;
  const { nudged } = step;
  const wait = step.timeoutSeconds * 1_000 * 2 ** (nudged?.times ?? 0);
  return { step: step.id, at: (nudged?.at ?? step.since) + wait };
}

/** Mentions the one who has it from now on. */
export const handoverNote = (
  state: IncidentState,
  owner: NonNullable<IncidentState["owner"]>,
  { ref }: IncidentReplyOptions,
): Reply => ({
  verdict: {
    word: "HANDOVER",
    outcome: "info",
    text: text`${person(ref(owner.name))} has ${state.id} since ${utcTime(owner.at)}, from ${person(ref(owner.from ?? ""))}`,
  },
  cluster: state.cluster,
  findings: [],
  blocks: [],
  actions: [],
});

/** Asks; it halts nothing. */
export function nudgeNote(state: IncidentState, step: StepProgress, { ref }: IncidentReplyOptions): Reply {
  const number = state.steps.findIndex(({ id }) => id === step.id) + 1;
  const { owner } = state;
  const at = step.nudged?.at ?? state.updatedAt;
  return {
    verdict: {
      word: "ASKING",
      outcome: "info",
      text: text`is anybody at step ${number} of ${state.id}, ${step.title}? It waits since ${utcTime(step.since ?? at)} (${elapsed(at - (step.since ?? at))})`,
    },
    cluster: state.cluster,
    why:
      owner === undefined
        ? text`${strong("Nobody has it.")} To take it: ${code(`/runbook take ${state.id}`)}`
        : text`${person(ref(owner.name))} has it since ${utcTime(owner.at)}.`,
    findings: [],
    blocks: step.kind === "manual" ? [{ kind: "prose", text: step.instruction }] : [],
    next: [
      text`When it is done: ${code(`/runbook next ${state.id}`)}`,
      text`To leave it out: ${code(`/runbook skip ${step.id} --reason TEXT --incident ${state.id}`)}`,
    ],
    actions: [],
  };
}
