import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import type { LedgerEvent } from "../ledger/ledger.ts";
import type { Deed } from "../steps/deed.ts";
import type { Text } from "../text.ts";
import { type DeedEvent, progressed } from "./deed-progress.ts";
import { type HaltCode, type KeptPlan, type Recorded, type RunEvent, readRunEvent } from "./run-events.ts";

/** `in-doubt`: written down as intended, and nobody has said what came of it. */
export type DeedProgress = Readonly<{
  status: "pending" | "in-doubt" | "done" | "refused";
  token?: string;
  facts?: Json;
  refusal?: Readonly<{
    because: Extract<RunEvent, { type: "deed-refused" }>["because"];
    message: string;
    /** What it is about has been changed by somebody else: whether it was done is not known. */
    moved?: true;
  }>;
}>;

export type Act = Readonly<{
  number: number;
  digest: string;
  plan: KeptPlan;
  begunAt: number;
  /** No deed of it is begun after this. */
  until: number;
  approvedBy?: string;
  deeds: Readonly<Record<string, DeedProgress>>;
  undo: Readonly<Record<string, DeedProgress>>;
  /** Given up half way; what is left is planned again. */
  closed: boolean;
}>;

export type StepRun = Readonly<{
  id: string;
  kind: "manual" | "check" | "act";
  title: string;
  reversibleWhile: Text;
  proof?: Text;
  /** It only takes back what an earlier step of this run did: nobody has to approve it. */
  cleanUp?: true;
  /** Done also when the run is held, aborted or stopped before it. */
  whenStopped?: true;
  status: "pending" | "running" | "done" | "skipped" | "unneeded";
  begunAt?: number;
  endedAt?: number;
  /** One sentence on how it ended. */
  note?: Text;
  /** When what the note says was seen. */
  seenAt?: number;
  planned?: Readonly<{
    digest: string;
    plan: KeptPlan;
    at: number;
    requester: string;
    replaces?: Readonly<{ digest: string; changed: readonly string[] }>;
  }>;
  asked?: Readonly<{ digest: string; requester: string; at: number; until: number; lapsed: boolean }>;
  approved?: Readonly<{
    by: string;
    digest: string;
    at: number;
    how: "other" | "self" | "break-glass";
    reason?: string;
  }>;
  acts: readonly Act[];
  observed?: Readonly<{ act: number; facts: Json; findings: readonly Finding[] }>;
  manual?: Readonly<{ by: string; said: string; at: number }>;
  waiting?: Readonly<{ until: number; text: Text; why: "verify" | "recheck" }>;
  /** Who has seen what skipping it would mean. */
  skipShownTo: readonly string[];
  /** Counts from 1 how often it was begun again after it had been taken back. */
  rounds: number;
  /** It was undone, and stands as before. */
  undoneAt?: number;
}>;

export type RunState = Readonly<{
  id: string;
  version: number;
  runbook: string;
  title: string;
  cluster: string;
  inputs: Readonly<Record<string, Json>>;
  by: string;
  /** Who asks for what comes next: the last person who let it go on. */
  operator: string;
  approvals: "others" | "self";
  startedAt: number;
  updatedAt: number;
  steps: readonly StepRun[];
  notes: Readonly<Record<string, Json>>;
  halted?: Readonly<{
    step: string;
    code: HaltCode;
    because: Text;
    next: Text;
    findings: readonly Finding[];
    at: number;
  }>;
  held?: Readonly<{ by: string; at: number }>;
  back?: Readonly<{ by: string; to: string | null; at: number }>;
  /** It ends when what must not stay is taken away. */
  aborting?: Readonly<{ by: string; at: number }>;
  ended?: Readonly<{ how: "finished" | "aborted" | "went-back"; by?: string; at: number }>;
}>;

const untouched = (deeds: readonly Deed[]): Readonly<Record<string, DeedProgress>> =>
  Object.fromEntries(deeds.map(({ id }): [string, DeedProgress] => [id, { status: "pending" }]));

/** Handing people a file changes nothing in the world. */
export const changesWorld = (plan: KeptPlan): boolean => plan.deeds.some(({ kind }) => kind !== "document");

/** The act of a step that is being done or was done last; undefined before the first and after one that was given up. */
export const currentAct = (step: StepRun): Act | undefined => step.acts.findLast((act) => !act.closed);

const without = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
};

/** Back to before the plan: what was planned and asked is void. */
const replanned = (step: StepRun): StepRun =>
  without(step, "planned", "asked", "approved", "waiting", "manual", "observed") as StepRun;

/**
 * Deeds that were refused or never begun are planned again, and so is what was done and then put back by somebody
 * (`reverted`); what is done otherwise, by us or by a person, is only verified again.
 */
function resumedStep(step: StepRun, reverted: boolean): StepRun {
  if (step.status !== "running") return step;
  const act = currentAct(step);
  if (act === undefined) return step.manual === undefined ? replanned(step) : step;
  const all = Object.values(act.deeds);
  if (all.some(({ status }) => status === "in-doubt")) return step;
  if (all.every(({ status }) => status === "done") && !reverted) return step;
  return {
    ...replanned(step),
    acts: step.acts.map((other) => (other === act ? { ...act, closed: true } : other)),
  };
}

const retriedUndo = (step: StepRun): StepRun => ({
  ...step,
  acts: step.acts.map((act) => ({
    ...act,
    undo: Object.fromEntries(
      Object.entries(act.undo).map(([id, deed]) => [
        id,
        deed.status === "refused" ? ({ status: "pending" } as const) : deed,
      ]),
    ),
  })),
});

const fresh = (step: StepRun): StepRun => ({
  id: step.id,
  kind: step.kind,
  title: step.title,
  reversibleWhile: step.reversibleWhile,
  ...(step.proof !== undefined && { proof: step.proof }),
  ...(step.cleanUp !== undefined && { cleanUp: step.cleanUp }),
  ...(step.whenStopped !== undefined && { whenStopped: step.whenStopped }),
  status: "pending",
  acts: [],
  skipShownTo: [],
  rounds: step.undoneAt === undefined ? step.rounds : step.rounds + 1,
  ...(step.undoneAt !== undefined && { undoneAt: step.undoneAt }),
});

const onStep = (state: RunState, id: string, change: (step: StepRun) => StepRun): RunState => ({
  ...state,
  steps: state.steps.map((step) => (step.id === id ? change(step) : step)),
});

const onDeed = (step: StepRun, event: DeedEvent): StepRun => ({
  ...step,
  acts: step.acts.map((act) => {
    if (act.number !== event.act) return act;
    const list = event.way === "forward" ? act.deeds : act.undo;
    const before = list[event.deed];
    if (before === undefined) return act;
    const after = { ...list, [event.deed]: progressed(before, event) };
    return event.way === "forward" ? { ...act, deeds: after } : { ...act, undo: after };
  }),
});

/** Whether this is an approval of what is asked, by somebody who could give it. */
function isGood(state: RunState, step: StepRun, event: Extract<RunEvent, { type: "approved" }>): boolean {
  if (step.planned?.digest !== event.digest || step.approved !== undefined) return false;
  if (event.how === "break-glass") return step.planned.plan.undo.length > 0;
  if (step.asked?.digest !== event.digest || step.asked.lapsed) return false;
  return event.by !== step.asked.requester || (event.how === "self" && state.approvals === "self");
}

const mayBegin = (step: StepRun, event: Extract<RunEvent, { type: "act-begun" }>): boolean =>
  step.status === "running" &&
  currentAct(step) === undefined &&
  event.act === step.acts.length + 1 &&
  step.planned?.digest === event.digest &&
  (!changesWorld(event.plan) || step.cleanUp === true || step.approved?.digest === event.digest);

function onEvent(state: RunState, { event, at }: Recorded): RunState {
  switch (event.type) {
    case "started":
      return state;
    case "step-begun":
      return onStep(state, event.step, (step) =>
        step.status === "pending"
          ? { ...(without(step, "undoneAt") as StepRun), status: "running", begunAt: at }
          : step,
      );
    case "step-unneeded":
      return onStep(state, event.step, (step) =>
        step.status === "running" && currentAct(step) === undefined
          ? { ...step, status: "unneeded", endedAt: at, note: event.because }
          : step,
      );
    case "step-planned":
      return onStep(state, event.step, (step) =>
        step.status !== "running" || currentAct(step) !== undefined
          ? step
          : {
              ...replanned(step),
              planned: {
                digest: event.digest,
                plan: event.plan,
                at,
                requester: event.requester,
                ...(event.replaces !== undefined && { replaces: event.replaces }),
              },
            },
      );
    case "approval-asked":
      return onStep(state, event.step, (step) =>
        step.planned?.digest !== event.digest
          ? step
          : {
              ...step,
              asked: {
                digest: event.digest,
                requester: event.requester,
                at,
                until: event.until,
                lapsed: false,
              },
            },
      );
    case "approved":
      return onStep(state, event.step, (step) =>
        isGood(state, step, event)
          ? {
              ...step,
              approved: {
                by: event.by,
                digest: event.digest,
                at,
                how: event.how,
                ...(event.reason !== undefined && { reason: event.reason }),
              },
            }
          : step,
      );
    case "approval-lapsed":
      return onStep(state, event.step, (step) =>
        step.asked?.digest === event.digest
          ? { ...(without(step, "approved") as StepRun), asked: { ...step.asked, lapsed: true } }
          : step,
      );
    case "act-begun":
      return onStep(state, event.step, (step) =>
        !mayBegin(step, event)
          ? step
          : {
              ...step,
              acts: [
                ...step.acts,
                {
                  number: event.act,
                  digest: event.digest,
                  plan: event.plan,
                  begunAt: at,
                  until: event.until,
                  ...(step.approved !== undefined && { approvedBy: step.approved.by }),
                  deeds: untouched(event.plan.deeds),
                  undo: untouched(event.plan.undo),
                  closed: false,
                },
              ],
            },
      );
    case "deed-intended":
    case "deed-done":
    case "deed-refused":
    case "deed-not-done":
      return onStep(state, event.step, (step) => onDeed(step, event));
    case "observed":
      return onStep(state, event.step, (step) => ({
        ...step,
        observed: { act: event.act, facts: event.facts, findings: event.findings },
      }));
    case "manual-done":
      return onStep(state, event.step, (step) => ({
        ...step,
        manual: { by: event.by, said: event.said, at },
      }));
    case "waiting":
      return onStep(state, event.step, (step) => ({
        ...step,
        waiting: { until: event.until, text: event.text, why: step.waiting?.why ?? "verify" },
      }));
    case "verified":
      return {
        ...onStep(state, event.step, (step) =>
          step.status !== "running"
            ? step
            : event.recheckAt !== undefined
              ? {
                  ...step,
                  note: event.text,
                  seenAt: at,
                  waiting: { until: event.recheckAt, text: event.text, why: "recheck" },
                }
              : {
                  ...(without(step, "waiting") as StepRun),
                  status: "done",
                  endedAt: at,
                  note: event.text,
                  seenAt: at,
                },
        ),
        notes: { ...state.notes, [event.step]: event.notes },
      };
    case "halted":
      return {
        ...state,
        halted: {
          step: event.step,
          code: event.code,
          because: event.because,
          next: event.next,
          findings: event.findings,
          at,
        },
      };
    case "resumed": {
      const { halted, held: _, ...rest } = state;
      const steps = rest.steps.map((step) =>
        retriedUndo(resumedStep(step, halted?.code === "reverted" && halted.step === step.id)),
      );
      return { ...rest, operator: event.by, steps };
    }
    case "held":
      return { ...state, held: { by: event.by, at } };
    case "skip-shown":
      return onStep(state, event.step, (step) => ({
        ...step,
        skipShownTo: [...step.skipShownTo, event.by],
      }));
    case "skipped": {
      const { halted, ...rest } = state;
      const isHere = halted === undefined || halted.step === event.step;
      return {
        ...onStep(isHere ? rest : state, event.step, (step) => ({
          ...(without(replanned(step), "seenAt") as StepRun),
          acts: step.acts.map((act) => ({ ...act, closed: true })),
          status: "skipped",
          endedAt: at,
          note: [`skipped by `, { person: { name: event.by } }, `: ${event.reason}`],
        })),
        operator: event.by,
      };
    }
    case "back-asked": {
      const { halted: _, held: __, ...rest } = state;
      return {
        ...rest,
        back: { by: event.by, to: event.to, at },
        operator: event.by,
        // What it waited for on the way forward is over.
        steps: rest.steps.map((step) => retriedUndo(without(step, "waiting") as StepRun)),
      };
    }
    case "step-undone":
      return onStep(state, event.step, (step) => ({
        ...(without(step, "waiting") as StepRun),
        undoneAt: at,
        note: event.text,
      }));
    case "went-back": {
      const { back, ...rest } = state;
      if (back === undefined) return state;
      if (event.to === null) return { ...rest, ended: { how: "went-back", by: back.by, at } };
      const from = rest.steps.findIndex(({ id }) => id === event.to);
      const kept = new Set(rest.steps.slice(0, Math.max(from, 0)).map(({ id }) => id));
      return {
        ...rest,
        // What steps that are done again wrote down was of the time before they were taken back.
        notes: Object.fromEntries(Object.entries(rest.notes).filter(([id]) => from < 0 || kept.has(id))),
        held: { by: back.by, at },
        steps: rest.steps.map((step, i) => (i >= from && from >= 0 ? fresh(step) : step)),
      };
    }
    case "abort-asked": {
      const { halted: _, held: __, back: ___, ...rest } = state;
      return {
        ...rest,
        aborting: { by: event.by, at },
        operator: event.by,
        steps: rest.steps.map((step) => retriedUndo(resumedStep(step, false))),
      };
    }
    case "aborted":
      return { ...state, ended: { how: "aborted", by: event.by, at } };
    case "finished":
      return { ...state, ended: { how: "finished", at } };
  }
}

/** The state after one more event. What comes after the end, but for the results of deeds, changes nothing. */
export function afterEvent(state: RunState, recorded: Recorded): RunState {
  const counted = { ...state, version: recorded.version, updatedAt: recorded.at };
  const isResult = "token" in recorded.event && recorded.event.type !== "deed-intended";
  return state.ended !== undefined && !isResult ? counted : onEvent(counted, recorded);
}

const begun = (id: string, first: Recorded): RunState => {
  const { event, at, version } = first;
  if (event.type !== "started")
    throw new FaultError({
      kind: "unreadable",
      what: `run/${id}`,
      detail: `it begins with ${event.type}, not with started`,
    });
  return {
    id,
    version,
    runbook: event.runbook,
    title: event.title,
    cluster: event.cluster,
    inputs: event.inputs,
    by: event.by,
    operator: event.by,
    approvals: event.approvals,
    startedAt: at,
    updatedAt: at,
    steps: event.steps.map(
      (step) => ({ ...step, status: "pending", acts: [], skipShownTo: [], rounds: 1 }) as StepRun,
    ),
    notes: {},
  };
};

/** The run from all events of its stream; undefined when there are none. Throws FaultError for events it does not know. */
export function foldRun(id: string, events: readonly LedgerEvent[]): RunState | undefined {
  const [first, ...rest] = events.map(readRunEvent);
  return first === undefined ? undefined : rest.reduce(afterEvent, begun(id, first));
}
