import type { Clock } from "../clock.ts";

/** Resolves when the next call may go out; at once when the signal is aborted, which the call itself will then tell. */
export type CallPace = (signal?: AbortSignal) => Promise<void>;

/**
 * Calls start at least `1 / callsPerSecond` apart, in the order they were asked for; no burst after a pause, as the quota
 * belongs to everybody in the account. One pace for all that a process does with one account.
 */
export function createCallPace(clock: Clock, callsPerSecond: number): CallPace {
  const gapMs = 1_000 / callsPerSecond;
  let free = Number.NEGATIVE_INFINITY;
  let turn: Promise<void> = Promise.resolve();
  return (signal) => {
    const mine = turn.then(async () => {
      if (signal?.aborted) return;
      while (free > clock.now() && !signal?.aborted) await clock.sleep(free - clock.now(), signal);
      if (!signal?.aborted) free = clock.now() + gapMs;
    });
    turn = mine;
    return mine;
  };
}
