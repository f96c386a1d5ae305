import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Clock } from "#shared/clock.ts";

const strideMs = 500;

/** A clock `factor` times as fast as the machine's that can also leap over a time in which nothing would happen. */
export function leapingClock(factor: number): Clock & Readonly<{ leap: (ms: number) => Promise<void> }> {
  const began = Date.now();
  let leapt = 0;
  const sleepers = new Set<() => void>();
  const now = (): number => began + (Date.now() - began) * factor + leapt;
  return {
    now,
    sleep: async (ms, signal) => {
      const until = now() + ms;
      while (now() < until && signal?.aborted !== true) {
        const woken = new AbortController();
        const wake = () => woken.abort();
        sleepers.add(wake);
        const either = signal === undefined ? woken.signal : AbortSignal.any([woken.signal, signal]);
        await systemClock.sleep(Math.max(1, (until - now()) / factor), either);
        sleepers.delete(wake);
      }
    },
    // In strides, so that what happens every second still does, one thing after the other.
    leap: async (ms) => {
      for (let left = ms; left > 0; left -= strideMs) {
        leapt += Math.min(left, strideMs);
        for (const wake of [...sleepers]) wake();
        await new Promise((done) => setImmediate(done));
        await new Promise((done) => setImmediate(done));
      }
    },
  };
}
