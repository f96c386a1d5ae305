import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type ApprovalRules, judgeApproval } from "../policy/approval.ts";
import { code, type PersonRef, person, type Text, text } from "../text.ts";
import { currentStep, nextMove } from "./next-move.ts";
import type { RunEvent } from "./run-events.ts";
import { appendTo, readRun } from "./run-log.ts";
import type { RunState, StepRun } from "./run-state.ts";
import { doubtfulDeeds, pendingCleanUp, standingActs } from "./standing.ts";
import { utcTime } from "./utc-time.ts";

/** What came of what a person asked of a run: written down, or refused with a sentence and nothing changed. */
export type Asked =
  | Readonly<{ ok: true; state: RunState }>
  | Readonly<{ ok: false; state: RunState; because: Text; next?: Text }>;

type Refused = Readonly<{ because: Text; next?: Text }>;
type Ports = Readonly<{ ledger: Ledger; clock: Clock }>;

const by = (name: string): Text => [person({ name })];

/** Decides on the newest state, and again when somebody else wrote meanwhile. Throws FaultError. */
async function ask(
  { ledger, clock }: Ports,
  id: string,
  decide: (state: RunState, now: number) => RunEvent | Refused | undefined,
): Promise<Asked> {
  for (;;) {
    const state = await readRun(ledger, id);
    if (state === undefined)
      throw new FaultError({ kind: "unreadable", what: `run/${id}`, detail: "the ledger has no such run" });
    const decided = decide(state, clock.now());
    if (decided === undefined) return { ok: true, state };
    if (!("type" in decided)) return { ok: false, state, ...decided };
    const written = await appendTo(ledger, state, decided, clock.now());
    if (written !== undefined) return { ok: true, state: written };
  }
}

function hasEnded({ id, ended }: RunState): Refused | undefined {
  if (ended === undefined) return undefined;
  const how = ended.how === "finished" ? "ended" : ended.how === "aborted" ? "was aborted" : "was taken back";
  const who = ended.by === undefined ? [] : text` by ${by(ended.by)}`;
  return { because: text`${id} ${how}${who} at ${utcTime(ended.at)}; nothing more is done in it` };
}

const numberOf = (state: RunState, step: StepRun): number => state.steps.indexOf(step) + 1;

/** By id or by number, as people say it. */
export const stepNamed = (state: RunState, name: string): StepRun | undefined =>
  state.steps.find(({ id }, i) => id === name || String(i + 1) === name);

const noStep = (state: RunState, name: string): Refused => ({
  because: text`${state.id} has no step ${code(name)}`,
  next: text`Its steps: ${state.steps.map(({ id }, i) => `${i + 1} ${id}`).join(", ")}`,
});

/**
 * Lets a run go on that was halted or held, or whose request ran out; whoever asks is the requester from then on. A run
 * that waits for an approval, a person's work or time is left as it is.
 */
export const goOn = (ports: Ports, id: string, who: string): Promise<Asked> =>
  ask(ports, id, (state, now) => {
    const move = nextMove(state, now);
    const isStopped =
      state.halted !== undefined ||
      state.held !== undefined ||
      (move.do === "wait-for-person" && move.why === "lapsed");
    return hasEnded(state) ?? (isStopped ? { type: "resumed", by: who } : undefined);
  });

export type ApproveClick = Readonly<{ by: string; isApprover: boolean; digest: string }>;

/** Approves the plan of a digest. Every refusal has its own sentence and changes nothing. */
export const approve = (
  ports: Ports,
  id: string,
  click: ApproveClick,
  rules: ApprovalRules,
  whoCould: readonly PersonRef[],
): Promise<Asked> =>
  ask(ports, id, (state, now) => {
    const meant =
      state.steps.find(
        ({ asked, approved }) => asked?.digest === click.digest && approved?.digest === click.digest,
      ) ?? currentStep(state);
    const isOver = hasEnded(state);
    if (isOver !== undefined) return isOver;
    const request =
      meant?.asked === undefined
        ? undefined
        : {
            subject: `step ${numberOf(state, meant)} of ${state.id}`,
            digest: meant.asked.digest,
            requester: meant.asked.requester,
            askedAt: meant.asked.at,
            until: meant.asked.lapsed ? Math.min(meant.asked.until, now - 1) : meant.asked.until,
          };
    const judged = judgeApproval(request, meant?.approved, { ...click, at: now }, rules, whoCould);
    const status = text`What waits, and for whom: ${code("/migrate status")}`;
    if (!judged.ok) return { because: judged.text, next: status };
    if (state.held !== undefined)
      return {
        because: text`${by(state.held.by)} holds ${state.id} since ${utcTime(state.held.at)}; nothing is approved while it is held`,
        next: text`To let it go on: ${code("/migrate next")}`,
      };
    const move = nextMove(state, now);
    if (meant === undefined || move.do !== "wait-for-person" || move.why !== "approval")
      return { because: text`nothing of ${state.id} waits for an approval now`, next: status };
    const how = click.by === request?.requester ? "self" : "other";
    return { type: "approved", step: meant.id, digest: click.digest, by: click.by, how };
  });

/** One operator's own decision to do what waits for approval, where there is a way back. */
export const breakGlass = (ports: Ports, id: string, who: string, reason: string): Promise<Asked> =>
  ask(ports, id, (state, now) => {
    const isOver = hasEnded(state);
    if (isOver !== undefined) return isOver;
    const move = nextMove(state, now);
    const step = currentStep(state);
    const { planned } = step ?? {};
    if (
      step === undefined ||
      planned === undefined ||
      move.do !== "wait-for-person" ||
      move.why !== "approval"
    )
      return {
        because: text`nothing of ${state.id} waits for an approval, so there is no glass to break`,
        next: text`What waits: ${code("/migrate status")}`,
      };
    if (planned.plan.undo.length === 0)
      return {
        because: text`step ${numberOf(state, step)} has no way back, and what cannot be taken back needs a second person`,
        next: text`It waits for an approver until ${utcTime(step.asked?.until ?? now)}.`,
      };
    return { type: "approved", step: step.id, digest: planned.digest, by: who, how: "break-glass", reason };
  });

/** Nothing is begun and nothing can be approved until somebody lets it go on. */
export const hold = (ports: Ports, id: string, who: string): Promise<Asked> =>
  ask(
    ports,
    id,
    (state) => hasEnded(state) ?? (state.held === undefined ? { type: "held", by: who } : undefined),
  );

/**
 * Ends the run where it stands; what was done stays done, but for what must not stay: that is taken away first, by
 * whoever drives the run, and only then it ends. Asked once more when that has stopped, it ends as it is.
 */
export const abort = (ports: Ports, id: string, who: string): Promise<Asked> =>
  ask(ports, id, (state) => {
    const isOver = hasEnded(state);
    if (isOver !== undefined) return isOver;
    if (state.aborting === undefined && pendingCleanUp(state) !== undefined)
      return { type: "abort-asked", by: who };
    return state.aborting !== undefined && state.halted === undefined
      ? undefined
      : { type: "aborted", by: who };
  });

/** A person says that they have done what the step asks of them. */
export const done = (ports: Ports, id: string, who: string, said: string): Promise<Asked> =>
  ask(ports, id, (state, now) => {
    const move = nextMove(state, now);
    return (
      hasEnded(state) ??
      (move.do === "wait-for-person" && move.why === "manual"
        ? { type: "manual-done", step: move.step, by: who, said }
        : {
            because: text`no step of ${state.id} waits for a person's work now`,
            next: text`What waits: ${code("/migrate status")}`,
          })
    );
  });

/** Whether the run did anything from this step on (from the start for null) that could be taken back. */
export const canGoBack = (state: RunState, to: string | null): boolean => {
  const from = to === null ? 0 : state.steps.findIndex(({ id }) => id === to);
  return state.steps
    .slice(Math.max(0, from))
    .some((step) => standingActs(step).length > 0 || doubtfulDeeds(step).length > 0);
};

/** Takes back what was done, last first, down to and including a step; from the start it ends the run. */
export const comeBack = (ports: Ports, id: string, who: string, name: string | undefined): Promise<Asked> =>
  ask(ports, id, (state) => {
    const isOver = hasEnded(state);
    if (isOver !== undefined) return isOver;
    const step = name === undefined ? undefined : stepNamed(state, name);
    if (name !== undefined && step === undefined) return noStep(state, name);
    const to = step?.id ?? null;
    if (state.aborting !== undefined)
      return {
        because: text`${state.id} is being ended, asked by ${by(state.aborting.by)}`,
        next: text`What is still done: ${code("/migrate status")}`,
      };
    if (state.back !== undefined && state.back.to === to && state.halted === undefined) return undefined;
    if (!canGoBack(state, to))
      return {
        because:
          step === undefined
            ? text`${state.id} has changed nothing yet, so there is nothing to take back`
            : text`from step ${numberOf(state, step)} on nothing was changed, so there is nothing to take back`,
        next: text`To end the run: ${code("/migrate abort")}`,
      };
    return { type: "back-asked", by: who, to };
  });

export type SkipAsked = Asked & Readonly<{ shown?: Text }>;

/**
 * Leaves a step out. What proves something, and what has changed something that is not proven to work, is left out only
 * by who has seen what that means and says so (`force`): the first time the answer is the consequence (`shown`), and
 * nothing is left out.
 */
export async function skip(
  ports: Ports,
  id: string,
  wish: Readonly<{ by: string; step: string; reason: string; force: boolean }>,
): Promise<SkipAsked> {
  let shown: Text | undefined;
  const asked = await ask(ports, id, (state, now) => {
    shown = undefined;
    const isOver = hasEnded(state);
    if (isOver !== undefined) return isOver;
    const step = stepNamed(state, wish.step);
    if (step === undefined) return noStep(state, wish.step);
    if (state.back !== undefined)
      return { because: text`${state.id} is going back; nothing is skipped on the way back` };
    if (step.status !== "pending" && step.status !== "running")
      return {
        because: text`step ${numberOf(state, step)} has ended (${step.status}), so there is nothing to skip`,
      };
    if (step.whenStopped === true)
      return {
        because: text`step ${numberOf(state, step)}, ${step.title}, takes away what must not stay, and is never left out`,
        next: text`To end the run, which does it first: ${code(`/migrate abort ${id}`)}`,
      };
    if (nextMove(state, now).do === "look" || doubtfulDeeds(step).length > 0)
      return {
        because: text`a part of step ${numberOf(state, step)} had started and it is not known whether it was done`,
        next: text`First look: ${code("/migrate retry")}`,
      };
    const unproven = unprovenWithout(state, step);
    if (unproven !== undefined && !(wish.force && step.skipShownTo.includes(wish.by))) {
      shown = unproven;
      return step.skipShownTo.includes(wish.by)
        ? undefined
        : { type: "skip-shown", step: step.id, by: wish.by };
    }
    return {
      type: "skipped",
      step: step.id,
      by: wish.by,
      reason: wish.reason,
      forced: unproven !== undefined,
    };
  });
  return shown === undefined ? asked : { ...asked, shown };
}

/** What would be unproven if the step were left out as it stands; undefined when nothing would. */
function unprovenWithout(state: RunState, step: StepRun): Text | undefined {
  if (standingActs(step).length === 0) return step.proof;
  const stays = text`what step ${numberOf(state, step)} changed stays as it is, and that it works is not proven`;
  return step.proof === undefined ? stays : text`${stays}; ${step.proof}`;
}
