import type { HttpServer } from "#shared/adapters/http-server.ts";
import type { Delivery } from "#shared/alerts/alert.ts";
import { type AlertLog, createAlertLog } from "#shared/alerts/alert-log.ts";
import { readRoutes, routeAlert } from "#shared/alerts/routes.ts";
import type { Clock } from "#shared/clock.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createOutsideHeartbeat, type OutsideHeartbeat } from "./alerts/outside-heartbeat.ts";
import { createShout } from "./alerts/shout.ts";
import { createAlertTender, tendAlertsEveryMs } from "./alerts/tend-alerts.ts";
import { createWatchdog, type Watchdog } from "./alerts/watchdog.ts";
import type { App } from "./asking.ts";
import type { Command, Deps } from "./commands/command.ts";
import type { Config } from "./config.ts";
import type { Metrics, Sample } from "./doors/http/metrics.ts";
import { createReadiness } from "./doors/http/readiness.ts";
import { createSample } from "./doors/http/sample.ts";
import type { HttpDoor } from "./doors/http.ts";
import { httpHandler } from "./doors/http.ts";
import type { Secret } from "./environment.ts";

type Log = (entry: Readonly<Record<string, unknown>>) => void;

export type OnCallSecrets = Readonly<{ alertsToken?: Secret; heartbeatUrl?: Secret }>;

/** What surrounds the bot while it runs, for the parts that watch over it. */
export type OnCallAround = Readonly<{
  deps: Deps;
  ledger: Ledger;
  /** Why Slack is not there; undefined when it is, or where there is none. */
  slack: () => string | undefined;
  /** Standing messages that wait for Slack; undefined where nobody counts them. */
  waiting: () => number | undefined;
  brokenRules: () => readonly Finding[];
  signal: AbortSignal;
}>;

export type OnCall = Readonly<{
  /** Counts what goes through; made before anything uses it. */
  ledger: (ledger: Ledger) => Ledger;
  app: <T extends App>(app: T, commands: readonly Command[], actions: readonly string[]) => T;
  slackLimited: (call: string) => void;
  /** Opens the door and begins to watch. Rejects with Node's error when the address cannot be had. */
  start: (around: OnCallAround) => Promise<void>;
  warnings: () => readonly Finding[];
  /** Where the door is, once it is open. */
  url: () => string | undefined;
  /** Takes nothing more; what was taken is in the ledger. */
  stop: () => Promise<void>;
}>;

const shoutEveryMs = 30_000;
/** Two scans, and some. */
const sureAfterMs = 40 * 60_000;

const noSample: Sample = {
  incidentsOpen: new Map(),
  runsOpen: new Map(),
  alertsFiring: undefined,
  casesWaiting: undefined,
  outboxWaiting: undefined,
  driftScanAt: undefined,
  snapshotAt: new Map(),
  watchdogAt: undefined,
  ready: new Map(),
  warnings: new Map(),
};

/** The door for machines, alerts, heartbeats and metrics: everything that works without anybody asking. */
export async function prepareOnCall(
  options: Readonly<{
    config: Config;
    secrets: OnCallSecrets;
    clock: Clock;
    version: string;
    nodeVersion: string;
    log: Log;
  }>,
): Promise<OnCall> {
  const { config, secrets, clock, log } = options;
  const { http, alerts: alertsConfig, heartbeat } = config;
  let sample: () => Promise<Sample> = async () => noSample;
  let metrics: Metrics | undefined;
  if (http !== undefined) {
    const { createMetrics } = await import("./doors/http/metrics.ts");
    metrics = createMetrics({
      version: options.version,
      nodeVersion: options.nodeVersion,
      startedAt: clock.now(),
      now: clock.now,
      sample: () => sample(),
      ofProcess: true,
    });
  }
  const { measuredApp, measuredLedger } = await import("./doors/http/measured.ts");
  let server: HttpServer | undefined;
  let watchdog: Watchdog | undefined;
  let outside: OutsideHeartbeat | undefined;
  const work: Promise<unknown>[] = [];

  const every = async (ms: number, once: () => Promise<void>, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await once();
      await clock.sleep(ms, signal);
    }
  };

  const openAlerts = (around: OnCallAround): AlertLog | undefined => {
    if (alertsConfig === undefined) return undefined;
    const clusters = [...around.deps.clusters.keys()];
    const read = readRoutes(alertsConfig.routes, { clusters });
    const routes = read.ok ? read.routes : [];
    return createAlertLog({
      ledger: around.ledger,
      clock,
      route: (alert) => routeAlert(routes, clusters, alert),
      limits: alertsConfig.storm,
    });
  };

  const start = async (around: OnCallAround): Promise<void> => {
    const { deps, ledger, signal } = around;
    const readiness = createReadiness({
      clock,
      ledger,
      clusters: deps.clusters,
      slack: around.slack,
      brokenRules: around.brokenRules,
    });
    const alerts = openAlerts(around);
    watchdog =
      alertsConfig?.watchdog === undefined
        ? undefined
        : createWatchdog({ ledger, clock, watchdog: alertsConfig.watchdog });
    sample = createSample({
      deps,
      ledger,
      alerts,
      readiness,
      waiting: around.waiting,
      watchdogAt: () => watchdog?.lastAt(),
    });

    let wake = new AbortController();
    if (alerts !== undefined && alertsConfig !== undefined) {
      const tender = createAlertTender(deps, ledger, { alerts, config: alertsConfig, log });
      const tend = async (): Promise<void> => {
        while (!signal.aborted) {
          await tender.once(signal);
          await clock.sleep(tendAlertsEveryMs, AbortSignal.any([signal, wake.signal]));
          wake = new AbortController();
        }
        await tender.settled();
      };
      work.push(tend());
    }

    if (http !== undefined && metrics !== undefined) {
      const counting = metrics;
      const take = async (delivery: Delivery): Promise<void> => {
        const rest = (await watchdog?.hear(delivery)) ?? delivery;
        const counts = await alerts?.take(rest);
        if (counts !== undefined) counting.alerts(counts);
        wake.abort();
      };
      const door: HttpDoor = {
        version: options.version,
        readiness,
        metrics: counting.text,
        ...(alerts !== undefined && secrets.alertsToken !== undefined
          ? { alerts: { token: secrets.alertsToken, take, clock, counted: counting.delivery, log } }
          : {}),
      };
      const { serveHttp } = await import("#shared/adapters/http-server.ts");
      server = await serveHttp({ ...http, handle: httpHandler(door), log });
    }

    if (heartbeat !== undefined && secrets.heartbeatUrl !== undefined) {
      const url = secrets.heartbeatUrl;
      const { callUrl } = await import("#shared/adapters/call-url.ts");
      outside = createOutsideHeartbeat({
        clock,
        everySeconds: heartbeat.everySeconds,
        call: (ending) => callUrl(url.reveal(), heartbeat.method, ending),
        unfit: async () => {
          const { parts } = await readiness();
          // Whether clusters answer is what alerts are about; to tell them takes Slack and the ledger.
          const wrong = parts.filter(({ what, ok }) => !ok && (what === "slack" || what === "ledger"));
          return wrong.length === 0
            ? undefined
            : wrong.map(({ what, text }) => `${what}: ${text}`).join("; ");
        },
        ...(metrics === undefined ? {} : { counted: metrics.heartbeat }),
        log,
      });
      work.push(outside.run(signal));
    }

    if (deps.board !== undefined) {
      const shout = createShout({
        ledger,
        board: deps.board,
        clock,
        clusters: [...deps.clusters.keys()],
        findings: deps.about.warnings,
        sureAfterMs: Math.max(sureAfterMs, (alertsConfig?.watchdog?.withinSeconds ?? 0) * 1_000),
        ...(alertsConfig?.channel === undefined ? {} : { channel: alertsConfig.channel }),
        log,
      });
      const look = async (): Promise<void> => {
        await watchdog?.once();
        await shout.once();
      };
      work.push(every(shoutEveryMs, look, signal));
    }
  };

  return {
    ledger: (ledger) => (metrics === undefined ? ledger : measuredLedger(ledger, metrics.ledgerFailed)),
    app: (app, commands, actions) =>
      metrics === undefined ? app : measuredApp(app, { metrics, clock, commands, actions }),
    slackLimited: (call) => metrics?.slackLimited(call),
    start,
    warnings: () => [...(watchdog?.warnings() ?? []), ...(outside?.warnings() ?? [])],
    url: () => server?.url,
    stop: async () => {
      await server?.close();
      await Promise.all(work);
    },
  };
}
