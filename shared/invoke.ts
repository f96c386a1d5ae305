import type { Json } from "./json.ts";

/**
 * Calling functions that run elsewhere, by name. Throws FaultError. After `timed-out` and `unreachable` the function may
 * have done its work, wholly or in part: look at what is true before calling again.
 */
export type InvokeFunction = Readonly<{
  /** Waits for the answer. */
  ask: (name: string, payload: Json) => Promise<Json>;
  /** Returns when the call is queued; it may then run more than once. */
  tell: (name: string, payload: Json) => Promise<void>;
}>;
