import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { utcDateTime } from "#shared/runs/utc-time.ts";
import { text } from "#shared/text.ts";

/** One failure may be the network's; so many in a row are told. */
const toldAfter = 3;

export type OutsideHeartbeat = Readonly<{
  /** Calls until the signal aborts. Never rejects. */
  run: (signal: AbortSignal) => Promise<void>;
  warnings: () => readonly Finding[];
}>;

export type HeartbeatResult = "sent" | "failed" | "withheld";

/**
 * Tells somebody outside that the bot works, so that they notice when it does not. It is withheld while the bot could
 * not tell an alert: a process that only lives is no comfort.
 */
export function createOutsideHeartbeat(
  options: Readonly<{
    clock: Clock;
    everySeconds: number;
    /** Throws FaultError, without the URL. */
    call: (signal: AbortSignal) => Promise<void>;
    /** Why nobody should believe that all is well; undefined when it is. */
    unfit: () => Promise<string | undefined>;
    counted?: (result: HeartbeatResult) => void;
    log: (entry: Readonly<Record<string, unknown>>) => void;
  }>,
): OutsideHeartbeat {
  const { clock, call, unfit, log, counted = () => {} } = options;
  let failures = 0;
  let since = 0;
  let why = "";

  const once = async (signal: AbortSignal): Promise<void> => {
    const wrong = await unfit();
    if (wrong !== undefined) {
      counted("withheld");
      log({ level: "warn", msg: "the heartbeat to outside is withheld", why: wrong });
      return;
    }
    try {
      await call(signal);
      failures = 0;
      counted("sent");
    } catch (error) {
      if (signal.aborted) return;
      if (failures === 0) since = clock.now();
      failures += 1;
      why = error instanceof FaultError ? error.fault.detail : "an error of ours";
      counted("failed");
      log({ level: "error", msg: "the dead man's switch could not be reached", why });
    }
  };

  return {
    run: async (signal) => {
      while (!signal.aborted) {
        await once(signal);
        await clock.sleep(options.everySeconds * 1_000, signal);
      }
    },
    warnings: () =>
      failures < toldAfter
        ? []
        : [
            {
              code: "heartbeat-outside-failing",
              severity: "warning",
              subject: { kind: "config", name: "heartbeat" },
              facts: { since, failures },
              text: text`the dead man's switch outside is not reached since ${utcDateTime(since)}, so it may raise an alarm: ${why}`,
            },
          ],
  };
}
