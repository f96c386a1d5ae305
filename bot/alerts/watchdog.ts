import type { Alert, Delivery } from "#shared/alerts/alert.ts";
import { alertName } from "#shared/alerts/alert.ts";
import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { utcDateTime } from "#shared/runs/utc-time.ts";
import { code, text } from "#shared/text.ts";

/** Where it is written that the alert that always fires was told. */
const beatStream = "heartbeat/alertmanager";
const attempts = 20;

export type Watchdog = Readonly<{
  /** Takes the watchdog's own alerts out of a delivery; rejects with FaultError when that could not be written. */
  hear: (delivery: Delivery) => Promise<Delivery>;
  /** Looks when it was last told, to any process. Never rejects. */
  once: () => Promise<void>;
  warnings: () => readonly Finding[];
  /** Milliseconds since the epoch; undefined when nobody ever heard it. */
  lastAt: () => number | undefined;
}>;

/**
 * An alert that always fires proves that Prometheus, Alertmanager and the way here work: it is no incident when it comes,
 * and it is one when it does not.
 */
export function createWatchdog(
  options: Readonly<{
    ledger: Ledger;
    clock: Clock;
    watchdog: Readonly<{ alertname: string; withinSeconds: number }>;
  }>,
): Watchdog {
  const { ledger, clock, watchdog } = options;
  const withinMs = watchdog.withinSeconds * 1_000;
  const writeEveryMs = withinMs / 4;
  const began = clock.now();
  let last: number | undefined;
  let version = 0;
  let writtenAt = Number.NEGATIVE_INFINITY;

  const isIt = (alert: Alert): boolean => alertName(alert) === watchdog.alertname;

  const read = async (): Promise<void> => {
    for (const event of await ledger.read(beatStream, version)) {
      version = event.version;
      last = Math.max(last ?? 0, event.at);
    }
  };

  const beat = async (): Promise<void> => {
    const now = clock.now();
    if (now - writtenAt >= writeEveryMs) {
      for (let attempt = 0; ; attempt++) {
        const appended = await ledger.append(beatStream, version, { type: "beat", data: null });
        version = appended.version;
        if (appended.ok) break;
        if (attempt === attempts)
          throw new FaultError({ kind: "timed-out", what: beatStream, detail: "others kept writing" });
      }
      writtenAt = now;
    }
    last = now;
  };

  return {
    hear: async (delivery) => {
      const others = delivery.alerts.filter((alert) => !isIt(alert));
      if (delivery.alerts.some((alert) => isIt(alert) && alert.status === "firing")) await beat();
      return others.length === delivery.alerts.length ? delivery : { ...delivery, alerts: others };
    },
    once: async () => {
      // What cannot be read is told by whoever keeps alerts; the memory of this process still counts.
      await read().catch(() => {});
    },
    warnings: () => {
      const quietMs = clock.now() - Math.max(last ?? 0, began);
      if (quietMs <= withinMs) return [];
      return [
        {
          code: "alerts-watchdog-missing",
          severity: "error",
          subject: { kind: "config", name: "alerts.watchdog" },
          facts: { last: last ?? null, withinSeconds: watchdog.withinSeconds },
          text: text`${code(watchdog.alertname)} of Alertmanager was not told ${
            last === undefined ? "since this bot started" : `since ${utcDateTime(last)}`
          }, so other alerts may not arrive either`,
          remedy: text`look at Prometheus, Alertmanager and its route to the bot; ${code("alertmanager_notifications_failed_total")} counts what it could not send`,
        },
      ];
    },
    lastAt: () => last,
  };
}
