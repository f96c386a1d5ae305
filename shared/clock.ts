/** Time is a parameter: production passes the machine's clock, tests and the twin a virtual one. */
export type Clock = Readonly<{
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Resolves after `ms`; resolves early (never rejects) when the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}>;
