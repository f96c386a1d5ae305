import type { Clock } from "../../clock.ts";
import { FaultError } from "../../fault.ts";
import type { Answer } from "../../probes/answer.ts";
import type { Shell } from "../../probes/shell.ts";

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/**
 * Work that must be done by a moment: what is not back by then is a time-out of ours, and its signal aborts. Faults are
 * values here; other errors are bugs and go on.
 */
export async function within<T>(
  clock: Clock,
  options: Readonly<{ until: number; what: string; signal?: AbortSignal | undefined }>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const { until, what } = options;
  const late = new AbortController();
  const over = new AbortController();
  const ms = Math.max(0, until - clock.now());
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([late.signal, options.signal]);
  const timedOut = clock
    .sleep(ms, AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]))
    .then(
      (): Answer<T> => ({
        ok: false,
        fault: options.signal?.aborted
          ? { kind: "cancelled", what, detail: "the diagnosis was stopped" }
          : { kind: "timed-out", what, detail: `not back after ${seconds(ms)}` },
      }),
    );
  const done = work(signal).then(
    (evidence): Answer<T> => ({ ok: true, evidence }),
    (error: unknown): Answer<T> => {
      if (error instanceof FaultError) return { ok: false, fault: error.fault };
      throw error;
    },
  );
  try {
    return await Promise.race([done, timedOut]);
  } finally {
    over.abort();
    late.abort();
  }
}

/** The same shell, with less patience than the probes have by themselves. */
export const impatient =
  (shell: Shell, mostMs: number): Shell =>
  (target, command, options) =>
    shell(target, { ...command, timeoutMs: Math.min(command.timeoutMs, mostMs) }, options);
