import type { LedgerEvent } from "../ledger/ledger.ts";
import type { Text } from "../text.ts";
import type { Diagnosis } from "./diagnosis.ts";
import {
  type AlertEvent,
  type CheckedOnce,
  type IncidentEvent,
  type Opened,
  type RecordedIncidentEvent,
  readIncidentEvent,
  type StoredStep,
} from "./incident-events.ts";

type At = Readonly<{ at: number }>;

export type StepProgress = StoredStep &
  Readonly<{
    /** `running`: begun, and nobody has said yet what came of it. */
    status: "pending" | "running" | "done" | "skipped";
    /** When it became the one to do, or was begun. */
    since?: number;
    token?: string;
    ended?: Readonly<{ at: number; by?: string; said?: string }>;
    /** How often the thread was asked whether anybody is at it, and when last. */
    nudged?: Readonly<{ at: number; version: number; times: number }>;
    checked?: Readonly<{
      results: readonly CheckedOnce[];
      passed: number;
      fault?: Readonly<{ what: string; detail: string }>;
    }>;
  }>;

export type AlertOfIncident = Readonly<
  Omit<AlertEvent, "type" | "endsAt"> & {
    firing: boolean;
    /** By Alertmanager's clock, of the one that resolved. */
    endsAt?: number;
    /** When it was last reported, by ours. */
    heardAt: number;
  }
>;

/** What the newest look came to. */
export type Looked = Readonly<{ at: number; step: string; by: string | null; number: number }> &
  (
    | Readonly<{ diagnosis: Diagnosis; cut?: string }>
    | Readonly<{
        fault: Readonly<{ kind: string; what: string; detail: string }>;
        /** The word names nothing here; what was near. */
        noSuch?: readonly Text[];
      }>
  );

export type IncidentState = Readonly<{
  id: string;
  version: number;
  cluster: string;
  runbook: string;
  subject: string | null;
  title: string;
  openedBy: Opened["by"];
  key?: string;
  channel?: string;
  openedAt: number;
  updatedAt: number;
  steps: readonly StepProgress[];
  alerts: readonly AlertOfIncident[];
  /** A diagnosis that is under way, or was when a process ended. */
  diagnosing?: Readonly<{ step: string; token: string; by: string | null; at: number }>;
  /** Somebody wants another one. */
  asked?: Readonly<{ by: string; at: number }>;
  /** How many looks have come to an end. */
  looks: number;
  looked?: Looked;
  /** The newest that came to a conclusion; older than `looked` when that could not. */
  diagnosed?: Extract<Looked, { diagnosis: Diagnosis }>;
  /** Who has it. */
  owner?: Readonly<{
    name: string;
    at: number;
    from?: string;
    /** Version of the event by which it was handed to them; undefined for who took or opened it. */
    handed?: number;
  }>;
  notes: readonly (Readonly<Omit<Extract<IncidentEvent, { type: "noted" }>, "type">> & At)[];
  runs: readonly Readonly<{ run: string; by: string; at: number }>[];
  closed?: Readonly<{ at: number; by?: string; reason: string }>;
  /** When it was last opened again, and by whom. */
  reopened?: Readonly<{ at: number; by?: string }>;
  /** Versions of events that another release wrote. */
  unread: readonly number[];
}>;

const isFirstToDo = (steps: readonly StepProgress[]): number =>
  steps.findIndex(({ status }) => status === "pending" || status === "running");

/** Since when the step that is to be done next is the one: time-outs count from there. */
function withSince(steps: readonly StepProgress[], at: number): readonly StepProgress[] {
  const first = isFirstToDo(steps);
  return steps.map((step, i) =>
    i === first && step.status === "pending" && step.since === undefined ? { ...step, since: at } : step,
  );
}

const without = <T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> => {
  const { [key]: _, ...rest } = value;
  return rest;
};

function begin(id: string, event: Opened, version: number, at: number): IncidentState {
  return {
    id,
    version,
    cluster: event.cluster,
    runbook: event.runbook,
    subject: event.subject,
    title: event.title,
    openedBy: event.by,
    ...(event.key !== undefined && { key: event.key }),
    ...(event.channel !== undefined && { channel: event.channel }),
    ...(event.key !== undefined && { key: event.key }),
    openedAt: at,
    updatedAt: at,
    steps: withSince(
      event.steps.map((step): StepProgress => ({ ...step, status: "pending" })),
      at,
    ),
    alerts: [],
    looks: 0,
    // Who opened it by hand is at it.
    ...("person" in event.by && { owner: { name: event.by.person, at } }),
    notes: [],
    runs: [],
    unread: [],
  };
}

function onStep(
  state: IncidentState,
  id: string,
  at: number,
  change: (step: StepProgress) => StepProgress,
): IncidentState {
  const steps = state.steps.map((step) => (step.id === id ? change(step) : step));
  return { ...state, steps: withSince(steps, at) };
}

/** A look that is the step's own ends it; one that was asked for later finds it ended. */
const ended = (step: StepProgress, at: number, by?: string | null): StepProgress =>
  step.status === "done" || step.status === "skipped"
    ? step
    : { ...step, status: "done", ended: { at, ...(by && { by }) } };

function withAlert(state: IncidentState, event: AlertEvent, at: number): IncidentState {
  const { type, ...said } = event;
  const alert: AlertOfIncident = { ...said, firing: type === "alert-firing", heardAt: at };
  const known = state.alerts.some(({ fingerprint }) => fingerprint === event.fingerprint);
  return {
    ...state,
    alerts: known
      ? state.alerts.map((one) => (one.fingerprint === event.fingerprint ? alert : one))
      : [...state.alerts, alert],
  };
}

function after(state: IncidentState, event: IncidentEvent, at: number): IncidentState {
  switch (event.type) {
    case "opened":
      return state;
    case "alert-firing":
    case "alert-resolved":
      return withAlert(state, event, at);
    case "diagnosis-asked":
      return { ...state, asked: { by: event.by, at } };
    case "diagnosing": {
      const { step, token, by } = event;
      const begun = onStep(state, step, at, (one) =>
        one.status === "pending" || one.status === "running"
          ? { ...one, status: "running", since: at, token }
          : one,
      );
      return { ...(without(begun, "asked") as IncidentState), diagnosing: { step, token, by, at } };
    }
    case "diagnosed":
    case "could-not-diagnose": {
      if (state.diagnosing?.token !== event.token) return state;
      const { by } = state.diagnosing;
      const number = state.looks + 1;
      const looked: Looked = {
        at,
        step: event.step,
        by,
        number,
        ...(event.type === "diagnosed"
          ? { diagnosis: event.diagnosis, ...(event.cut !== undefined && { cut: event.cut }) }
          : { fault: event.fault, ...(event.noSuch !== undefined && { noSuch: event.noSuch }) }),
      };
      const next = onStep(without(state, "diagnosing") as IncidentState, event.step, at, (step) =>
        ended(step, at, by),
      );
      return {
        ...next,
        looks: number,
        looked,
        ...("diagnosis" in looked && { diagnosed: looked }),
      };
    }
    case "checking":
      return onStep(state, event.step, at, (step) =>
        step.status === "pending" || step.status === "running"
          ? { ...step, status: "running", since: at, token: event.token }
          : step,
      );
    case "checks-run":
      return onStep(state, event.step, at, (step) =>
        step.token === event.token && step.status === "running"
          ? {
              ...ended(step, at),
              checked: {
                results: event.results,
                passed: event.passed,
                ...(event.fault !== undefined && { fault: event.fault }),
              },
            }
          : step,
      );
    case "step-done":
      return onStep(state, event.step, at, (step) => ({
        ...step,
        status: "done",
        ended: { at, by: event.by, said: event.said },
      }));
    case "step-skipped":
      return onStep(state, event.step, at, (step) => ({
        ...step,
        status: "skipped",
        ended: { at, by: event.by, said: event.reason },
      }));
    case "nudged":
      return onStep(state, event.step, at, (step) => ({
        ...step,
        nudged: { at, version: state.version + 1, times: (step.nudged?.times ?? 0) + 1 },
      }));
    case "noted": {
      const { type: _, ...note } = event;
      return { ...state, notes: [...state.notes, { ...note, at }] };
    }
    case "taken":
      return {
        ...state,
        owner: { name: event.by, at, ...(state.owner !== undefined && { from: state.owner.name }) },
      };
    case "handed-over":
      return { ...state, owner: { name: event.to, at, from: event.by, handed: state.version + 1 } };
    case "run-linked":
      return state.runs.some(({ run }) => run === event.run)
        ? state
        : { ...state, runs: [...state.runs, { run: event.run, by: event.by, at }] };
    case "closed":
      return {
        ...state,
        closed: { at, reason: event.reason, ...(event.by !== undefined && { by: event.by }) },
      };
    case "reopened":
      return {
        ...(without(state, "closed") as IncidentState),
        reopened: { at, ...(event.by !== undefined && { by: event.by }) },
      };
  }
}

/** The state after one more event of its stream; the same but for its version when the event cannot be read. */
export function afterIncidentEvent(
  state: IncidentState,
  { event, version, at }: RecordedIncidentEvent,
): IncidentState {
  if (event === undefined) return { ...state, version, unread: [...state.unread, version] };
  return { ...after(state, event, at), version, updatedAt: at };
}

/** An incident from its stream, or from more of it onto what was known; undefined when it does not begin with one. */
export function foldIncident(
  id: string,
  events: readonly LedgerEvent[],
  before?: IncidentState,
): IncidentState | undefined {
  let state = before;
  for (const each of events) {
    const recorded = readIncidentEvent(each);
    if (state !== undefined) state = afterIncidentEvent(state, recorded);
    else if (recorded.event?.type === "opened") state = begin(id, recorded.event, each.version, each.at);
    else return undefined;
  }
  return state;
}

/** What an incident does next without a person. */
export type IncidentMove =
  | Readonly<{ do: "diagnose"; step: string; by: string | null; again: boolean }>
  | Readonly<{ do: "check"; step: string; again: boolean }>
  | Readonly<{ do: "wait-for-person"; step: string }>
  /** All steps are done or left out; somebody closes it. */
  | Readonly<{ do: "wait-for-end" }>
  | Readonly<{ do: "nothing" }>;

/** The step that is to be done, or is being done. */
export const currentIncidentStep = (state: IncidentState): StepProgress | undefined =>
  state.steps[isFirstToDo(state.steps)];

/** The step under which a look that somebody asked for is written down. */
const diagnoseStep = (state: IncidentState): string | undefined =>
  (
    [currentIncidentStep(state), ...state.steps.toReversed()].find((step) => step?.kind === "diagnose") ??
    undefined
  )?.id;

/** Whether there is a step that looks, so that somebody can ask for another look. */
export const canDiagnose = (state: IncidentState): boolean => diagnoseStep(state) !== undefined;

export function nextIncidentMove(state: IncidentState): IncidentMove {
  if (state.closed !== undefined) return { do: "nothing" };
  const { diagnosing, asked } = state;
  if (diagnosing !== undefined)
    return { do: "diagnose", step: diagnosing.step, by: diagnosing.by, again: true };
  const wanted = asked === undefined ? undefined : diagnoseStep(state);
  if (asked !== undefined && wanted !== undefined)
    return { do: "diagnose", step: wanted, by: asked.by, again: false };
  const step = currentIncidentStep(state);
  if (step === undefined) return { do: "wait-for-end" };
  switch (step.kind) {
    case "diagnose":
      return { do: "diagnose", step: step.id, by: null, again: false };
    case "checks":
      return { do: "check", step: step.id, again: step.status === "running" };
    case "manual":
      return { do: "wait-for-person", step: step.id };
  }
}

/** Alerts that are firing now, newest first. */
export const firingAlerts = ({ alerts }: IncidentState): readonly AlertOfIncident[] =>
  alerts.filter(({ firing }) => firing).toSorted((a, b) => b.startsAt - a.startsAt);
