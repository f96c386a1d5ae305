import type { Clock } from "../clock.ts";

/** Runs one piece of work for everybody who asks for the same at the same time. */
export type SingleFlight = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Identical questions asked while one is being answered get that answer; nothing is kept after it. The work runs on
 * the first asker's terms, cancellation included.
 */
export function createSingleFlight(): SingleFlight {
  const flying = new Map<string, Promise<unknown>>();
  return <T>(key: string, work: () => Promise<T>) => {
    const known = flying.get(key);
    if (known) return known as Promise<T>;
    const started = work().finally(() => flying.delete(key));
    flying.set(key, started);
    return started;
  };
}

const flights = new WeakMap<Clock, SingleFlight>();

/** The one of a process: whoever works on the same clock shares it. */
export function sharedSingleFlight(clock: Clock): SingleFlight {
  const known = flights.get(clock);
  if (known) return known;
  const fresh = createSingleFlight();
  flights.set(clock, fresh);
  return fresh;
}
