import type { Text } from "../text.ts";
import type { Alert } from "./alert.ts";
import type { AlertEvent, Opening } from "./alert-events.ts";

/** An alert as it stands now; the newest of its fingerprint. */
export type KnownAlert = Readonly<{
  alert: Alert;
  groupKey: string;
  firing: boolean;
  /** How often it was told, over all its firings. */
  times: number;
  firstAt: number;
  /** When it was last told, by our clock. */
  lastAt: number;
}>;

/** One thing that alerts are about. */
export type AlertCase = Readonly<
  Omit<Opening, "why" | "storm"> & {
    why?: Text;
    openedAt: number;
    /** By fingerprint, in the order of their first telling. */
    alerts: ReadonlyMap<string, KnownAlert>;
    /** The storm whose message lists it; undefined once it was given a message of its own. */
    storm?: string;
    incident?: string;
    truncated: number;
    /** When the last of its alerts was resolved. */
    quietSince?: number;
    closed?: Readonly<{ at: number; why: "resolved" | "person" }>;
  }
>;

export type Storm = Readonly<{
  id: string;
  since: number;
  /** Everything that it ever listed, also what was given a message of its own afterwards. */
  cases: readonly string[];
  /** When the last one was added. */
  lastAt: number;
  calmedAt?: number;
}>;

/**
 * What the streams `alert/DAY` come to. It is changed in place: thousands of alerts a minute are folded into one state
 * that belongs to whoever reads the streams.
 */
export type AlertsState = {
  readonly cases: Map<string, AlertCase>;
  /** Open cases by key. */
  readonly open: Map<string, string>;
  /** The case to which the newest of a fingerprint belongs. */
  readonly byFingerprint: Map<string, string>;
  readonly storms: Map<string, Storm>;
  /** The storm that has not calmed. */
  storm: string | undefined;
  /** When cases were opened that are no line of a storm, newest last. */
  openings: number[];
  /** The stream to which the next event goes, and its version. */
  stream: string | undefined;
  version: number;
  /** Where it goes on when that one is sealed. */
  next: string | undefined;
};

export const noAlerts = (): AlertsState => ({
  cases: new Map(),
  open: new Map(),
  byFingerprint: new Map(),
  storms: new Map(),
  storm: undefined,
  openings: [],
  stream: undefined,
  version: 0,
  next: undefined,
});

const rememberedOpenings = 1_000;
/** What ended is remembered so long, for alerts that are told late or once more. */
const rememberedMs = 2 * 86_400_000;

const without = <T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> => {
  const { [key]: _, ...rest } = value;
  return rest;
};

/** Quiet since the last of them was resolved; not while one fires. */
function settled(one: AlertCase, at: number): AlertCase {
  const fires = [...one.alerts.values()].some(({ firing }) => firing);
  if (fires) return without(one, "quietSince") as AlertCase;
  return one.quietSince === undefined ? { ...one, quietSince: at } : one;
}

function change(state: AlertsState, id: string, next: (one: AlertCase) => AlertCase): void {
  const one = state.cases.get(id);
  if (one !== undefined) state.cases.set(id, next(one));
}

function open(state: AlertsState, { why, storm, ...opening }: Opening, at: number): void {
  state.cases.set(opening.id, {
    ...opening,
    ...(why !== undefined && { why }),
    ...(storm !== undefined && { storm }),
    openedAt: at,
    alerts: new Map(),
    truncated: 0,
  });
  state.open.set(opening.key, opening.id);
  if (storm === undefined) state.openings = [...state.openings, at].slice(-rememberedOpenings);
  else {
    const known = state.storms.get(storm) ?? { id: storm, since: at, cases: [], lastAt: at };
    // Pushed and not copied: a storm has thousands.
    (known.cases as string[]).push(opening.id);
    state.storms.set(storm, { ...known, lastAt: at });
    if (known.calmedAt === undefined) state.storm = storm;
  }
}

function hear(state: AlertsState, id: string, alert: Alert, groupKey: string, at: number): void {
  const one = state.cases.get(id);
  if (one === undefined) return;
  const before = one.alerts.get(alert.fingerprint);
  (one.alerts as Map<string, KnownAlert>).set(alert.fingerprint, {
    alert,
    groupKey,
    firing: alert.status === "firing",
    // The end of something is no further telling that it fires.
    times: (before?.times ?? 0) + (alert.status === "firing" ? 1 : 0),
    firstAt: before?.firstAt ?? at,
    lastAt: at,
  });
  state.byFingerprint.set(alert.fingerprint, id);
}

function again(state: AlertsState, fingerprint: string, at: number): void {
  const one = state.cases.get(state.byFingerprint.get(fingerprint) ?? "");
  const known = one?.alerts.get(fingerprint);
  if (one === undefined || known === undefined) return;
  (one.alerts as Map<string, KnownAlert>).set(fingerprint, { ...known, times: known.times + 1, lastAt: at });
}

function close(state: AlertsState, id: string, why: "resolved" | "person", at: number): void {
  change(state, id, (one) => ({ ...one, closed: { at, why } }));
  const key = state.cases.get(id)?.key;
  if (key !== undefined && state.open.get(key) === id) state.open.delete(key);
}

/** Forgets what ended long ago, so that a bot that runs for a year does not grow. */
function forget(state: AlertsState, now: number): void {
  for (const [id, one] of state.cases) {
    if (one.closed === undefined || now - one.closed.at < rememberedMs) continue;
    state.cases.delete(id);
    for (const fingerprint of one.alerts.keys())
      if (state.byFingerprint.get(fingerprint) === id) state.byFingerprint.delete(fingerprint);
  }
  for (const [id, storm] of state.storms)
    if (storm.calmedAt !== undefined && !storm.cases.some((one) => state.cases.has(one)))
      state.storms.delete(id);
}

/** One more event of the streams, in their order; one that cannot be read changes nothing. */
export function applyAlertEvent(state: AlertsState, event: AlertEvent | undefined, at: number): void {
  switch (event?.type) {
    case "received": {
      for (const each of event.opened) open(state, each, at);
      const touched = new Set<string>();
      for (const { alert, groupKey, case: id } of event.alerts) {
        if (id === null) continue;
        hear(state, id, alert, groupKey, at);
        touched.add(id);
      }
      for (const fingerprint of event.again) again(state, fingerprint, at);
      for (const { case: id, count } of event.truncated)
        change(state, id, (one) => ({ ...one, truncated: Math.max(one.truncated, count) }));
      for (const id of touched) change(state, id, (one) => settled(one, at));
      return;
    }
    case "bound":
      change(state, event.case, (one) => ({ ...one, incident: event.incident }));
      return;
    case "closed":
      close(state, event.case, event.why, at);
      return;
    case "calmed": {
      const storm = state.storms.get(event.storm);
      if (storm !== undefined) state.storms.set(event.storm, { ...storm, calmedAt: at });
      if (state.storm === event.storm) state.storm = undefined;
      for (const id of event.released) change(state, id, (one) => without(one, "storm") as AlertCase);
      return;
    }
    case "sealed":
      state.next = event.next;
      forget(state, at);
      return;
    case undefined:
      return;
  }
}

export const firingOf = ({ alerts }: Pick<AlertCase, "alerts">): readonly KnownAlert[] =>
  [...alerts.values()].filter(({ firing }) => firing);

/** Cases that are not closed, oldest first. */
export const openCases = (state: AlertsState): readonly AlertCase[] =>
  [...state.cases.values()].filter(({ closed }) => closed === undefined);
