import type { Clock } from "#shared/clock.ts";

export type Pace = Readonly<{
  /** An answer known within this many milliseconds goes into the acknowledgement. Slack waits 3,000. */
  answerWithinMs: number;
  /** How long a message in the channel waits for an answer that may turn out to be for the asker alone. */
  privateWithinMs: number;
  /** Least time between two edits of one message. */
  messageMs: number;
  /** Edits a minute over all messages; Slack allows `chat.update` 50 and more. */
  editsPerMinute: number;
  /** Messages a channel takes at once before it takes one a second. */
  channelBurst: number;
  /** A second press of the same button by the same person within this time is the same press. */
  doubleClickMs: number;
  /** What running work gets to tell its end when the process stops. */
  farewellMs: number;
  /** How long one process keeps a standing message to itself for one sending, longer than a call may take. */
  leaseMs: number;
  /** The same for looking back through a channel and for uploads. */
  longLeaseMs: number;
}>;

export const usualPace: Pace = {
  answerWithinMs: 2_000,
  privateWithinMs: 700,
  messageMs: 2_000,
  editsPerMinute: 40,
  channelBurst: 3,
  doubleClickMs: 3_000,
  farewellMs: 5_000,
  leaseMs: 15_000,
  longLeaseMs: 120_000,
};

/** Final states may use what Slack allows `chat.update` beyond our own count for progress. */
const finalsMore = 10;

/** When a call may be made. Waiting ends early when the signal aborts; the caller then looks again at what to send. */
export type Pacer = Readonly<{
  /** Final states count, and have some room of their own, so that they do not queue behind progress. */
  edit: (what: "progress" | "final", signal: AbortSignal) => Promise<void>;
  post: (channel: string, signal: AbortSignal) => Promise<void>;
  /** Slack said 429 for this kind of call. */
  pause: (kind: "edit" | "post", ms: number) => void;
}>;

export function createPacer(clock: Clock, pace: Pace): Pacer {
  let edits: number[] = [];
  const channels = new Map<string, number>();
  const pausedUntil = { edit: 0, post: 0 };

  const unpaused = async (kind: "edit" | "post", signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && pausedUntil[kind] > clock.now())
      await clock.sleep(pausedUntil[kind] - clock.now(), signal);
  };

  return {
    edit: async (what, signal) => {
      await unpaused("edit", signal);
      const most = pace.editsPerMinute + (what === "final" ? finalsMore : 0);
      while (!signal.aborted) {
        const now = clock.now();
        edits = edits.filter((at) => at > now - 60_000);
        const oldest = edits.at(-most);
        if (oldest === undefined) break;
        await clock.sleep(oldest + 60_000 - now, signal);
      }
      if (!signal.aborted) edits.push(clock.now());
    },
    post: async (channel, signal) => {
      await unpaused("post", signal);
      // The time at which the channel's bucket would be full again; a full one takes `channelBurst` at once.
      const full = Math.max(channels.get(channel) ?? 0, clock.now()) + 1_000;
      channels.set(channel, full);
      const wait = full - pace.channelBurst * 1_000 - clock.now();
      if (wait > 0) await clock.sleep(wait, signal);
      // Whoever stops waiting gives the place in the queue back.
      if (signal.aborted) channels.set(channel, (channels.get(channel) ?? full) - 1_000);
    },
    pause: (kind, ms) => {
      pausedUntil[kind] = Math.max(pausedUntil[kind], clock.now() + ms);
    },
  };
}
