import { type Fault, FaultError } from "../fault.ts";

/** What one look gave: evidence, or why we could not look. */
export type Answer<E> = Readonly<{ ok: true; evidence: E }> | Readonly<{ ok: false; fault: Fault }>;

/** Evidence of a reader that throws FaultError where there is none. Other errors are bugs and go on. */
export function answerOf<E>(read: () => E): Answer<E> {
  try {
    return { ok: true, evidence: read() };
  } catch (error) {
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}
