/** Hands out at most `slots` places at a time, in the order they were asked for. */
export type Limit = Readonly<{
  /** Resolves with the way to give the place back, or with `undefined` when the signal aborted while waiting. */
  take: (signal?: AbortSignal) => Promise<(() => void) | undefined>;
}>;

export function createLimit(slots: number): Limit {
  let free = slots;
  const waiting: (() => void)[] = [];
  const place = () => {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    };
  };
  return {
    take: (signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve(undefined);
          return;
        }
        if (free > 0) {
          free -= 1;
          resolve(place());
          return;
        }
        const enter = () => {
          signal?.removeEventListener("abort", leave);
          resolve(place());
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(enter), 1);
          resolve(undefined);
        };
        waiting.push(enter);
        signal?.addEventListener("abort", leave, { once: true });
      }),
  };
}
