import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Clock } from "#shared/clock.ts";

/**
 * A clock that runs `factor` times as fast as the machine's, from `began` on (milliseconds since the epoch, machine's
 * time). Two processes with the same `began` and `factor` agree on the time.
 */
export function scaledClock(factor: number, began: number = Date.now()): Clock {
  return {
    now: () => began + (Date.now() - began) * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
