import type { Clock } from "../clock.ts";

export type VirtualClock = Clock &
  Readonly<{
    /** Moves time on and wakes every sleeper due until then, in order of time, letting each finish before the next. */
    advance: (ms: number) => Promise<void>;
    /** Advances from sleeper to sleeper until nobody sleeps or `limitMs` have passed. Returns the time passed. */
    runUntilIdle: (limitMs?: number) => Promise<number>;
    /** Advances until the promise settles, at most `limitMs`; then resolves or rejects as it did. */
    runUntil: <T>(promise: Promise<T>, limitMs?: number) => Promise<T>;
  }>;

type Sleeper = { at: number; order: number; wake: () => void };

/** Enough turns of the microtask queue for a chain of awaits to reach its next sleep. */
const settleMicrotasks = async (): Promise<void> => {
  for (let i = 0; i < 64; i++) await Promise.resolve();
};

/**
 * A clock on which a minute takes as long as what happens in it. `settle` lets woken code run to its next sleep;
 * pass one that also waits for I/O when the code under test does any, or that
 * drains the queue of microtasks where chains of awaits are long, as those of a script that runs many programs.
 */
export function createVirtualClock(
  start = Date.UTC(2026, 0, 1),
  settle: () => Promise<void> = settleMicrotasks,
): VirtualClock {
  let now = start;
  let order = 0;
  let sleepers: Sleeper[] = [];

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = { at: now + Math.max(0, ms), order: order++, wake: () => {} };
      const leave = () => {
        signal?.removeEventListener("abort", leave);
        sleepers = sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      sleeper.wake = leave;
      signal?.addEventListener("abort", leave);
      sleepers.push(sleeper);
    });
  };

  const next = (): Sleeper | undefined =>
    sleepers.reduce<Sleeper | undefined>(
      (best, sleeper) =>
        best === undefined || sleeper.at < best.at || (sleeper.at === best.at && sleeper.order < best.order)
          ? sleeper
          : best,
      undefined,
    );

  const wakeNext = async (until: number): Promise<boolean> => {
    const sleeper = next();
    if (sleeper === undefined || sleeper.at > until) return false;
    now = Math.max(now, sleeper.at);
    sleeper.wake();
    await settle();
    return true;
  };

  return {
    now: () => now,
    sleep,
    async advance(ms) {
      const until = now + ms;
      await settle();
      while (await wakeNext(until));
      now = until;
    },
    async runUntilIdle(limitMs = 3_600_000) {
      const from = now;
      await settle();
      while (await wakeNext(from + limitMs));
      return now - from;
    },
    async runUntil(promise, limitMs = 3_600_000) {
      let settled = false;
      const mark = () => {
        settled = true;
      };
      promise.then(mark, mark);
      const until = now + limitMs;
      await settle();
      while (!settled && (await wakeNext(until)));
      if (!settled) throw new Error(`still not settled after ${limitMs} ms of virtual time`);
      return promise;
    },
  };
}
