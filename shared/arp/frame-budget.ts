import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";

/** Requests a vantage may put on the segment in any one second, over all commands together. */
export const framesPerSecond = 10;

/** How long a frame counts against its second. */
const secondMs = 1_000;

export type FrameBudget = Readonly<{
  /**
   * Runs something that sends `rate` frames a second from a vantage, as soon as the vantage has that much left. First
   * come, first served, so that a watch cannot starve and is not starved. `onWait` is called once when it has to wait.
   * Throws FaultError `cancelled` when the signal aborts first.
   */
  run: <T>(
    vantage: string,
    rate: number,
    send: () => Promise<T>,
    options?: Readonly<{ signal?: AbortSignal | undefined; onWait?: (() => void) | undefined }>,
  ) => Promise<T>;
}>;

type Waiting = Readonly<{ rate: number; start: () => void }>;
type Bucket = { free: number; queue: Waiting[] };

/**
 * A token bucket for steady senders. A sender at `rate` holds that many of the ten tokens while it runs and one second
 * longer, because its last frames still count in the second that follows; so no window of one second holds more than
 * ten frames.
 */
export function createFrameBudget(clock: Clock): FrameBudget {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (vantage: string): Bucket => {
    const known = buckets.get(vantage);
    if (known) return known;
    const fresh: Bucket = { free: framesPerSecond, queue: [] };
    buckets.set(vantage, fresh);
    return fresh;
  };
  const startNext = (bucket: Bucket): void => {
    for (let next = bucket.queue[0]; next !== undefined && next.rate <= bucket.free; next = bucket.queue[0]) {
      bucket.queue.shift();
      bucket.free -= next.rate;
      next.start();
    }
  };
  const giveBack = (bucket: Bucket, rate: number): void => {
    bucket.free += rate;
    startNext(bucket);
  };

  return {
    run: async (vantage, rate, send, { signal, onWait } = {}) => {
      if (!(rate > 0 && rate <= framesPerSecond))
        throw new RangeError(`${rate} frames a second: more than 0, at most ${framesPerSecond}`);
      const bucket = bucketOf(vantage);
      const cancelled = () =>
        new FaultError({
          kind: "cancelled",
          what: `probe from ${vantage}`,
          detail: "cancelled before its turn to send",
        });
      if (signal?.aborted) throw cancelled();
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          bucket.queue.splice(bucket.queue.indexOf(waiting), 1);
          startNext(bucket);
          reject(cancelled());
        };
        const waiting: Waiting = {
          rate,
          start: () => {
            signal?.removeEventListener("abort", leave);
            resolve();
          },
        };
        bucket.queue.push(waiting);
        signal?.addEventListener("abort", leave, { once: true });
        startNext(bucket);
        if (bucket.queue.includes(waiting)) onWait?.();
      });
      try {
        return await send();
      } finally {
        void clock.sleep(secondMs).then(() => giveBack(bucket, rate));
      }
    },
  };
}

const budgets = new WeakMap<Clock, FrameBudget>();

/** The one budget of a process: whoever works on the same clock shares it, whatever command they came through. */
export function sharedFrameBudget(clock: Clock): FrameBudget {
  const known = budgets.get(clock);
  if (known) return known;
  const fresh = createFrameBudget(clock);
  budgets.set(clock, fresh);
  return fresh;
}
