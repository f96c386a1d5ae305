type Reading<T> = { readonly result: Promise<T>; readonly abort: AbortController; waiting: number };

export type SharedReads<T> = Readonly<{
  /** Joins a read of the same key that is under way. Rejects when `signal` aborts; the last to leave ends the read. */
  read: (key: string, signal?: AbortSignal) => Promise<T>;
  /** Who asks from now on starts a new read. */
  forget: (key: string) => void;
}>;

export function createSharedReads<T>(
  start: (key: string, signal: AbortSignal) => Promise<T>,
  cancelled: (key: string) => Error,
): SharedReads<T> {
  const underWay = new Map<string, Reading<T>>();

  const begin = (key: string): Reading<T> => {
    const abort = new AbortController();
    const result = start(key, abort.signal);
    const reading: Reading<T> = { result, abort, waiting: 0 };
    underWay.set(key, reading);
    const over = () => {
      if (underWay.get(key) === reading) underWay.delete(key);
    };
    result.then(over, over);
    return reading;
  };

  return {
    read: (key, signal) => {
      if (signal?.aborted) return Promise.reject(cancelled(key));
      const reading = underWay.get(key) ?? begin(key);
      reading.waiting += 1;
      return new Promise<T>((resolve, reject) => {
        const leave = () => {
          reading.waiting -= 1;
          if (reading.waiting === 0) {
            if (underWay.get(key) === reading) underWay.delete(key);
            reading.abort.abort();
          }
          reject(cancelled(key));
        };
        signal?.addEventListener("abort", leave, { once: true });
        const stay = () => signal?.removeEventListener("abort", leave);
        reading.result.then(
          (value) => {
            stay();
            resolve(value);
          },
          (error: unknown) => {
            stay();
            reject(error);
          },
        );
      });
    },
    forget: (key) => void underWay.delete(key),
  };
}
