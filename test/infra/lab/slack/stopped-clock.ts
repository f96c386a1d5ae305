import type { Clock } from "#shared/clock.ts";

/** A clock that moves when it is told to; sleeping moves it. */
export function stoppedClock(start = 1_800_000_000_000): Clock & Readonly<{ pass: (ms: number) => void }> {
  let now = start;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    pass: (ms) => {
      now += ms;
    },
  };
}
