import type { Attachment } from "../board/board.ts";
import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";
import type { Lease, Ledger } from "../ledger/ledger.ts";
import type { Picture } from "../pictures/picture.ts";
import type { Reply } from "../reply.ts";
import type { Deed, Look, Perform } from "../steps/deed.ts";
import type { DeedOrigin } from "../steps/origin.ts";
import type { Migration } from "../steps/runbook.ts";
import type { StepPorts } from "../steps/step.ts";
import type { Text } from "../text.ts";
import type { RunState } from "./run-state.ts";

/** How a run is told: its message, and its thread. What these promise is the board's. */
export type Tell = Readonly<{
  /** After each transition; `doing` is a line of progress of the step at work. Latest wins. */
  state: (state: RunState, doing?: Text) => Promise<void>;
  /** Once for each id, however often it is asked for. */
  note: (
    state: RunState,
    id: string,
    reply: Reply,
    files?: readonly Attachment[],
    pictures?: readonly Picture[],
  ) => Promise<void>;
}>;

/** Milliseconds. */
export type RunTimes = Readonly<{
  /** A deed that has not answered by then is of unknown outcome. A shell deed brings its own. */
  kubeMs: number;
  gitMs: number;
  /** How much longer than a deed the lease of the cluster holds. */
  marginMs: number;
  /** How long a request for approval stays open, and how long after its begin an act may begin deeds. */
  approvalMs: number;
}>;

export const defaultTimes: Omit<RunTimes, "approvalMs"> = { kubeMs: 15_000, gitMs: 60_000, marginMs: 15_000 };

/** Everything a run is driven with. One a cluster. */
export type Runner = Readonly<{
  ledger: Ledger;
  clock: Clock;
  /** Unique over all processes and all time. */
  newToken: () => string;
  migrations: readonly Migration[];
  ports: StepPorts;
  /** How the deeds of a step are done and looked at. */
  deeds: (origin: DeedOrigin) => Readonly<{ perform: Perform; look: Look }>;
  tell: Tell;
  times: RunTimes;
}>;

export type Stopped =
  /** A person has to do something. */
  | "person"
  /** Nothing before `state`'s waiting time is over. */
  | "time"
  | "ended"
  /** Somebody else is at work on the cluster: `held`, or `driving` in this process. */
  | "busy"
  /** Somebody else moved the run on while we were at it. */
  | "overtaken"
  | "cancelled";

export type Advanced = Readonly<{ state: RunState; stopped: Stopped; held?: Lease }>;

/** How long a deed may take before its outcome counts as unknown. */
export const deedMs = (deed: Deed, times: RunTimes): number =>
  deed.kind === "shell" ? deed.timeoutMs : deed.kind === "git" ? times.gitMs : times.kubeMs;

/**
 * The work with a signal that aborts after `ms`. What has not ended a little later is given up as timed out: it may
 * still be done, so its effect has to be looked at. Throws FaultError.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const over = new AbortController();
  const timedOut = (async (): Promise<never> => {
    await clock.sleep(ms, over.signal);
    limit.abort();
    // A port that heeds the signal answers by itself.
    await clock.sleep(Math.min(ms, 1_000), over.signal);
    throw new FaultError({ kind: "timed-out", what, detail: `no answer in ${Math.ceil(ms / 1_000)} s` });
  })();
  timedOut.catch(() => {});
  try {
    return await Promise.race([work(limit.signal), timedOut]);
  } finally {
    over.abort();
  }
}
