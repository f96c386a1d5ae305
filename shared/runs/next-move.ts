import type { Deed } from "../steps/deed.ts";
import type { HaltCode } from "./run-events.ts";
import {
  type Act,
  changesWorld,
  currentAct,
  type DeedProgress,
  type RunState,
  type StepRun,
} from "./run-state.ts";
import { pendingCleanUp, standingActs } from "./standing.ts";

type DeedMove = Readonly<{
  step: string;
  act: number;
  way: "forward" | "back";
  deed: Deed;
}>;

/** What there is to do now. Everything but `wait` and `nothing` is done without asking anybody. */
export type Move =
  | Readonly<{ do: "nothing" }>
  /** A person has to do something; the state says what stands in the way. */
  | Readonly<{
      do: "wait-for-person";
      why: "halted" | "held" | "approval" | "lapsed" | "manual";
      step: string;
    }>
  | Readonly<{ do: "wait-for-time"; step: string; until: number }>
  | Readonly<{ do: "begin-step"; step: string }>
  | Readonly<{ do: "plan"; step: string }>
  | Readonly<{ do: "ask"; step: string }>
  | Readonly<{ do: "lapse"; step: string }>
  /** Re-read, compare the digest with what was approved, and only then begin. */
  | Readonly<{ do: "begin-act"; step: string }>
  | (Readonly<{ do: "perform" }> & DeedMove)
  /** It was begun and nobody knows what came of it: the world is asked before anything else. */
  | (Readonly<{ do: "look"; token: string }> & DeedMove)
  | (Readonly<{ do: "tell-refused"; refusal: NonNullable<DeedProgress["refusal"]> }> & DeedMove)
  | Readonly<{ do: "tell-late"; step: string }>
  | Readonly<{ do: "verify"; step: string }>
  | Readonly<{ do: "verify-undone"; step: string }>
  | Readonly<{ do: "arrive" }>
  /** Nothing is left that must not stay: it ends, as somebody asked. */
  | Readonly<{ do: "end"; step: string }>
  | Readonly<{ do: "finish" }>;

/** Two moves are the same when they are about the same thing, whatever was written beside it. */
export const nameOfMove = (move: Move): string =>
  [
    move.do,
    "step" in move ? move.step : "",
    "act" in move ? move.act : "",
    "way" in move ? move.way : "",
    "deed" in move ? move.deed.id : "",
    "token" in move ? move.token : "",
  ].join("/");

/** Break-glass has no request whose time it could share. */
const breakGlassMs = 15 * 60_000;

const ways = ["forward", "back"] as const;

function inDoubt(state: RunState): Move | undefined {
  for (const step of state.steps)
    for (const act of step.acts)
      for (const way of ways) {
        const list = way === "forward" ? act.deeds : act.undo;
        const deeds = way === "forward" ? act.plan.deeds : act.plan.undo;
        for (const deed of deeds) {
          const progress = list[deed.id];
          if (progress?.status === "in-doubt" && progress.token !== undefined)
            return { do: "look", step: step.id, act: act.number, way, deed, token: progress.token };
        }
      }
  return undefined;
}

/** The first deed of a list that is not done, as what to do about it. */
function nextDeed(step: StepRun, act: Act, way: "forward" | "back"): Move | undefined {
  const list = way === "forward" ? act.deeds : act.undo;
  for (const deed of way === "forward" ? act.plan.deeds : act.plan.undo) {
    const progress = list[deed.id] ?? { status: "pending" as const };
    const at = { step: step.id, act: act.number, way, deed };
    // What somebody else has changed since is left to them.
    if (way === "back" && progress.refusal?.moved === true) continue;
    if (progress.status === "refused")
      return { do: "tell-refused", ...at, refusal: progress.refusal ?? { because: "failed", message: "" } };
    if (progress.status === "pending") return { do: "perform", ...at };
  }
  return undefined;
}

function wayBack(state: RunState, to: string | null, now: number): Move {
  const from = to === null ? 0 : state.steps.findIndex(({ id }) => id === to);
  for (const step of state.steps.slice(Math.max(from, 0)).toReversed()) {
    const acts = standingActs(step);
    for (const act of acts) {
      const move = nextDeed(step, act, "back");
      if (move !== undefined) return move;
    }
    if (acts.length > 0)
      return step.waiting !== undefined && now < step.waiting.until
        ? { do: "wait-for-time", step: step.id, until: step.waiting.until }
        : { do: "verify-undone", step: step.id };
  }
  return { do: "arrive" };
}

/** Until when the approval that a step has may be used. */
const approvalEnds = (step: StepRun): number =>
  step.asked !== undefined && step.approved?.how !== "break-glass"
    ? step.asked.until
    : (step.approved?.at ?? 0) + breakGlassMs;

function onStep(step: StepRun, now: number): Move {
  const { id } = step;
  if (step.status === "pending") return { do: "begin-step", step: id };
  const act = currentAct(step);
  const { planned } = step;
  if (act === undefined) {
    if (planned === undefined) return { do: "plan", step: id };
    if (changesWorld(planned.plan) && step.cleanUp !== true) {
      if (step.approved !== undefined)
        return now > approvalEnds(step) ? { do: "lapse", step: id } : { do: "begin-act", step: id };
      if (step.asked === undefined) return { do: "ask", step: id };
      if (step.asked.lapsed) return { do: "wait-for-person", why: "lapsed", step: id };
      return now > step.asked.until
        ? { do: "lapse", step: id }
        : { do: "wait-for-person", why: "approval", step: id };
    }
    if (planned.plan.deeds.length > 0) return { do: "begin-act", step: id };
  } else {
    const move = nextDeed(step, act, "forward");
    if (move !== undefined)
      return move.do === "perform" && now > act.until && step.cleanUp !== true
        ? { do: "tell-late", step: id }
        : move;
  }
  if (step.kind === "manual" && step.manual === undefined)
    return { do: "wait-for-person", why: "manual", step: id };
  if (step.waiting !== undefined && now < step.waiting.until)
    return { do: "wait-for-time", step: id, until: step.waiting.until };
  return { do: "verify", step: id };
}

/** The step the run stands at; undefined when all have ended. */
export const currentStep = (state: RunState): StepRun | undefined =>
  state.steps.find(({ status }) => status === "pending" || status === "running");

/** Stops that time may cure: it is looked at again without anybody who asks for it. */
const maybeCured: ReadonlySet<HaltCode> = new Set(["unseen", "could-not-look"]);
/** How long after such a stop. */
export const lookAgainMs = 30_000;

const cleanUpMove = (state: RunState, now: number): Move | undefined => {
  const step = pendingCleanUp(state);
  return step === undefined ? undefined : onStep(step, now);
};

/** What is done although the run has stopped: what must not stay is taken away, and what is not known is looked at. */
function whileHalted(
  state: RunState,
  halted: NonNullable<RunState["halted"]>,
  now: number,
): Move | undefined {
  const again = maybeCured.has(halted.code);
  if (again && now < halted.at + lookAgainMs) return undefined;
  if (again) {
    const doubtful = inDoubt(state);
    if (doubtful !== undefined) return doubtful;
  }
  const step = pendingCleanUp(state);
  return step === undefined || (step.id === halted.step && !again) ? undefined : onStep(step, now);
}

/**
 * What the runner does next; pure. Whatever the history is: a deed in doubt is looked at before it is done again, no
 * deed that changes the world is done without an approval of its digest, and nothing is done after the end.
 */
export function nextMove(state: RunState, now: number): Move {
  const { halted, ended } = state;
  if (halted !== undefined && ended === undefined)
    return whileHalted(state, halted, now) ?? { do: "wait-for-person", why: "halted", step: halted.step };
  // Also after the end: what was begun must be known.
  const doubtful = inDoubt(state);
  if (doubtful !== undefined) return doubtful;
  if (ended !== undefined) return { do: "nothing" };
  const step = currentStep(state);
  const here = step?.id ?? state.steps.at(-1)?.id ?? "";
  if (state.aborting !== undefined) return cleanUpMove(state, now) ?? { do: "end", step: here };
  if (state.held !== undefined)
    return cleanUpMove(state, now) ?? { do: "wait-for-person", why: "held", step: here };
  if (state.back !== undefined) return wayBack(state, state.back.to, now);
  return step === undefined ? { do: "finish" } : onStep(step, now);
}
