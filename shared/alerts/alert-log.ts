import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { utcDay } from "../ledger/stream.ts";
import type { Alert, Delivery } from "./alert.ts";
import { type AlertEvent, readAlertEvent, writtenAlertEvent } from "./alert-events.ts";
import { type AlertsState, applyAlertEvent, noAlerts } from "./alert-state.ts";
import { type Counts, decideReceived, type StormLimits } from "./decide-received.ts";
import type { Routed } from "./routes.ts";

/**
 * Alerts in the ledger: one stream a day, `alert/2026-11-23`. Every event is decided on everything before it and is
 * refused by the ledger when another process wrote meanwhile; so an alert is taken once, and two processes agree on what
 * it belongs to.
 */
export type AlertLog = Readonly<{
  /** Resolves when the delivery is in the ledger. Rejects with FaultError when it may not be: it may be given again. */
  take: (delivery: Delivery) => Promise<Counts>;
  /** Appends what is decided on the newest state; false when it decides on nothing. Throws FaultError. */
  change: (decide: (state: AlertsState) => AlertEvent | undefined) => Promise<boolean>;
  /** The newest state, which only this log changes. Throws FaultError. */
  read: () => Promise<AlertsState>;
}>;

const attempts = 100;
/** Days of streams that are read at the start: longer than Alertmanager itself remembers (120 h unless told otherwise). */
const days = 8;
/** Characters of deliveries in one event: a store may take no more than 400 kB. */
const eventChars = 150_000;

const streamOf = (day: string): string => `alert/${day}`;
const dayOf = (stream: string): string => stream.slice("alert/".length);

const noCounts: Counts = { firing: 0, resolved: 0, again: 0, malformed: 0, folded: 0, opened: 0 };

const plus = (a: Counts, b: Counts): Counts => ({
  firing: a.firing + b.firing,
  resolved: a.resolved + b.resolved,
  again: a.again + b.again,
  malformed: a.malformed + b.malformed,
  folded: a.folded + b.folded,
  opened: a.opened + b.opened,
});

const sizeOf = (alert: Alert): number => JSON.stringify(alert).length + 200;

/** Deliveries no larger than an event holds; all of one keep its group. What was left out is told with the last. */
export function inParts(delivery: Delivery, mostChars: number = eventChars): readonly Delivery[] {
  const parts: Alert[][] = [[]];
  let size = 0;
  for (const alert of delivery.alerts) {
    const more = sizeOf(alert) + delivery.groupKey.length;
    if (size + more > mostChars && size > 0) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(alert);
    size += more;
  }
  return parts.map((alerts, i) => ({
    ...delivery,
    alerts,
    truncated: i === parts.length - 1 ? delivery.truncated : 0,
  }));
}

type Waiting = Readonly<{
  delivery: Delivery;
  size: number;
  done: (counts: Counts) => void;
  failed: (error: unknown) => void;
}>;

export function createAlertLog(
  options: Readonly<{
    ledger: Ledger;
    clock: Clock;
    route: (alert: Alert) => Routed;
    limits: StormLimits;
  }>,
): AlertLog {
  const { ledger, clock, route, limits } = options;
  const state = noAlerts();
  let isBegun = false;
  /** One thing at a time touches the state. */
  let last: Promise<unknown> = Promise.resolve();
  const waiting: Waiting[] = [];

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };

  const readOn = async (): Promise<void> => {
    if (!isBegun) {
      const streams = (await ledger.list("alert")).toSorted().slice(-days);
      for (const stream of streams) {
        // Kept in the state at once: a failure in the middle goes on from here.
        if (state.stream !== undefined && stream < state.stream) continue;
        await readStream(stream);
      }
      isBegun = true;
    }
    for (;;) {
      const { stream, next } = state;
      if (stream !== undefined && next === undefined) await readStream(stream);
      if (state.next === undefined) break;
      await readStream(streamOf(state.next));
    }
    // Another process may have begun the first stream of all.
    if (state.stream === undefined) {
      const [first] = await ledger.list("alert");
      if (first !== undefined) await readStream(first);
    }
  };

  const readStream = async (stream: string): Promise<void> => {
    if (state.stream !== stream) {
      const more = await ledger.read(stream);
      state.stream = stream;
      state.version = 0;
      state.next = undefined;
      apply(more);
    } else apply(await ledger.read(stream, state.version));
  };

  const apply = (more: Awaited<ReturnType<Ledger["read"]>>): void => {
    for (const event of more) {
      applyAlertEvent(state, readAlertEvent(event), event.at);
      state.version = event.version;
    }
  };

  /** Appends and applies; false when somebody else wrote first. */
  const append = async (event: AlertEvent): Promise<boolean> => {
    const stream = state.stream ?? streamOf(utcDay(clock.now()));
    const appended = await ledger.append(
      stream,
      state.stream === undefined ? 0 : state.version,
      writtenAlertEvent(event),
    );
    if (!appended.ok) return false;
    // Read back: the ledger's time and form count, for everybody alike.
    state.stream = stream;
    await readStream(stream);
    return true;
  };

  /** A day's stream ends before the next one begins, so that both are read in the order in which they were written. */
  const turnDay = async (): Promise<void> => {
    const today = utcDay(clock.now());
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (state.stream === undefined || dayOf(state.stream) >= today) return;
      await append({ type: "sealed", next: today });
      await readOn();
    }
  };

  const decided = async <T>(
    decide: () => Readonly<{ event: AlertEvent | undefined; value: T }>,
  ): Promise<T> => {
    await readOn();
    for (let attempt = 0; attempt < attempts; attempt++) {
      await turnDay();
      const { event, value } = decide();
      if (event === undefined || (await append(event))) return value;
      await readOn();
    }
    throw new FaultError({
      kind: "timed-out",
      what: state.stream ?? "alert",
      detail: `others kept writing through ${attempts} tries`,
    });
  };

  const idPrefix = (): string => {
    const day = state.stream === undefined ? utcDay(clock.now()) : dayOf(state.stream);
    return `${day.replaceAll("-", "")}-${state.version + 1}`;
  };

  /** Whatever waits by now goes into the same event, so far as it holds it: a storm waits for few syncs of the disk. */
  const write = async (): Promise<void> => {
    const batch: Waiting[] = [];
    let size = 0;
    while (waiting[0] !== undefined && (batch.length === 0 || size + waiting[0].size <= eventChars)) {
      const next = waiting.shift() as Waiting;
      batch.push(next);
      size += next.size;
    }
    if (batch.length === 0) return;
    try {
      const each = await decided(() => {
        const all = decideReceived(
          state,
          batch.map(({ delivery }) => delivery),
          { route, limits, now: clock.now(), idPrefix: idPrefix() },
        );
        return { event: all.isNews ? all.event : undefined, value: all.counts };
      });
      // Counted once for the whole batch; whoever came first answers for it.
      batch.forEach(({ done }, i) => {
        done(i === 0 ? each : noCounts);
      });
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  };

  return {
    take: async (delivery) => {
      const taken = inParts(delivery).map(
        (part) =>
          new Promise<Counts>((done, failed) => {
            const size = part.alerts.reduce((sum, alert) => sum + sizeOf(alert) + part.groupKey.length, 0);
            waiting.push({ delivery: part, size, done, failed });
            void inTurn(write);
          }),
      );
      return (await Promise.all(taken)).reduce(plus, noCounts);
    },
    change: (decide) =>
      inTurn(() =>
        decided(() => {
          const event = decide(state);
          return { event, value: event !== undefined };
        }),
      ),
    read: () =>
      inTurn(async () => {
        await readOn();
        return state;
      }),
  };
}
