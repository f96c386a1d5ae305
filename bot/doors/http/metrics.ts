import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Counts } from "#shared/alerts/decide-received.ts";
import type { Outcome } from "#shared/reply.ts";
import type { HeartbeatResult } from "../../alerts/outside-heartbeat.ts";
import type { DeliveryResult } from "./alerts.ts";

/** What is looked up when somebody asks for metrics; undefined is not shown, for no number is better than an old one. */
export type Sample = Readonly<{
  incidentsOpen: ReadonlyMap<string, number>;
  runsOpen: ReadonlyMap<string, number>;
  alertsFiring: number | undefined;
  casesWaiting: number | undefined;
  outboxWaiting: number | undefined;
  /** Milliseconds since the epoch. */
  driftScanAt: number | undefined;
  snapshotAt: ReadonlyMap<string, number>;
  watchdogAt: number | undefined;
  ready: ReadonlyMap<string, boolean>;
  warnings: ReadonlyMap<string, number>;
}>;

export type Metrics = Readonly<{
  /** `command` and `outcome` come from closed lists. */
  asked: (command: string, door: string, outcome: Outcome, ms: number) => void;
  alerts: (counts: Counts) => void;
  delivery: (result: DeliveryResult) => void;
  slackLimited: (call: string) => void;
  ledgerFailed: (operation: string) => void;
  heartbeat: (result: HeartbeatResult) => void;
  text: () => Promise<Readonly<{ type: string; text: string }>>;
}>;

const seconds = (ms: number): number => ms / 1_000;

/** Every metric of the bot, documented in docs/alerts.md. Labels have few values: verbs, outcomes, cluster names. */
export function createMetrics(
  options: Readonly<{
    version: string;
    nodeVersion: string;
    /** Milliseconds since the epoch. */
    startedAt: number;
    now: () => number;
    sample: () => Promise<Sample>;
    /** Memory, event loop and processor of the process too. */
    ofProcess?: boolean;
  }>,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.ofProcess === true) {
    collectDefaultMetrics({ register: registry, prefix: "arpeggio_" });
    // Gauges that are called as counters are; their parts by type stay.
    for (const what of ["handles", "requests", "resources"])
      registry.removeSingleMetric(`arpeggio_nodejs_active_${what}_total`);
  }

  const commands = new Counter({
    name: "arpeggio_commands_total",
    help: "Commands and buttons answered, by verb, door and outcome.",
    labelNames: ["command", "door", "outcome"],
    registers,
  });
  const latency = new Histogram({
    name: "arpeggio_answer_duration_seconds",
    help: "From the words to the final answer, by verb.",
    labelNames: ["command"],
    buckets: [0.01, 0.05, 0.1, 0.3, 1, 2, 5, 10, 30, 60, 300],
    registers,
  });
  const alerts = new Counter({
    name: "arpeggio_alerts_total",
    help: "Alerts taken into the ledger: firing and resolved changed something, again did not.",
    labelNames: ["change"],
    registers,
  });
  const malformed = new Counter({
    name: "arpeggio_alerts_malformed_total",
    help: "Alerts that were not as Alertmanager's webhook says, kept all the same.",
    registers,
  });
  const opened = new Counter({
    name: "arpeggio_alert_cases_total",
    help: "Things that alerts are about, by how they are told: own (a message each) or folded (a line of a storm).",
    labelNames: ["told"],
    registers,
  });
  const deliveries = new Counter({
    name: "arpeggio_alert_deliveries_total",
    help: "POSTs of Alertmanager by what came of them; only taken was answered 2xx.",
    labelNames: ["result"],
    registers,
  });
  const limited = new Counter({
    name: "arpeggio_slack_rate_limited_total",
    help: "Calls that Slack refused with 429, by call.",
    labelNames: ["call"],
    registers,
  });
  const ledgerErrors = new Counter({
    name: "arpeggio_ledger_errors_total",
    help: "Calls of the ledger that failed, by operation.",
    labelNames: ["operation"],
    registers,
  });
  const heartbeats = new Counter({
    name: "arpeggio_outside_heartbeats_total",
    help: "Calls of the dead man's switch outside: sent, failed, or withheld because the bot is not ready.",
    labelNames: ["result"],
    registers,
  });
  // Series that begin at nought, so that their first increase is one.
  for (const change of ["firing", "resolved", "again"]) alerts.inc({ change }, 0);
  for (const told of ["own", "folded"]) opened.inc({ told }, 0);
  for (const result of ["taken", "unauthorized", "not-understood", "too-large", "not-kept"])
    deliveries.inc({ result }, 0);
  for (const operation of ["read", "append", "list", "lease", "release"]) ledgerErrors.inc({ operation }, 0);

  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers });
  const build = gauge("arpeggio_build_info", "Always 1; what runs.", ["version", "node"]);
  build.set({ version: options.version, node: options.nodeVersion }, 1);
  gauge("arpeggio_start_timestamp_seconds", "When the process started.").set(seconds(options.startedAt));
  const alive = gauge(
    "arpeggio_heartbeat_timestamp_seconds",
    "The bot's own heartbeat: when it answered this.",
  );
  const incidents = gauge("arpeggio_incidents_open", "Incidents that are not closed.", ["cluster"]);
  const runs = gauge("arpeggio_runs_open", "Migration runs that have not ended.", ["cluster"]);
  const firing = gauge("arpeggio_alerts_firing", "Alerts that fire now, as the ledger has them.");
  const waiting = gauge(
    "arpeggio_alert_cases_waiting",
    "Things that fire and have neither an incident nor a storm yet.",
  );
  const outbox = gauge(
    "arpeggio_slack_messages_waiting",
    "Standing messages with something not yet delivered to Slack.",
  );
  const scan = gauge(
    "arpeggio_drift_scan_timestamp_seconds",
    "When the last scan of zones ended; its age is time() minus this.",
  );
  const snapshot = gauge(
    "arpeggio_snapshot_timestamp_seconds",
    "When the newest snapshot of a cluster's wishes was taken; its age is time() minus this.",
    ["cluster"],
  );
  const watchdog = gauge(
    "arpeggio_watchdog_timestamp_seconds",
    "When Alertmanager last told the alert that always fires.",
  );
  const ready = gauge("arpeggio_ready", "1 when this part is ready, as /readyz says.", ["part"]);
  const warnings = gauge("arpeggio_warnings", "Findings of the bot about itself, by severity.", ["severity"]);

  const set = (one: Gauge, value: number | undefined): void => {
    if (value === undefined) one.reset();
    else one.set(value);
    if (value === undefined) one.remove();
  };
  const setAll = (one: Gauge, label: string, values: ReadonlyMap<string, number>): void => {
    one.reset();
    for (const [name, value] of values) one.set({ [label]: name }, value);
  };

  return {
    asked: (command, door, outcome, ms) => {
      commands.inc({ command, door, outcome });
      latency.observe({ command }, seconds(ms));
    },
    alerts: (counts) => {
      alerts.inc({ change: "firing" }, counts.firing);
      alerts.inc({ change: "resolved" }, counts.resolved);
      alerts.inc({ change: "again" }, counts.again);
      malformed.inc(counts.malformed);
      opened.inc({ told: "own" }, counts.opened - counts.folded);
      opened.inc({ told: "folded" }, counts.folded);
    },
    delivery: (result) => deliveries.inc({ result }),
    slackLimited: (call) => limited.inc({ call }),
    ledgerFailed: (operation) => ledgerErrors.inc({ operation }),
    heartbeat: (result) => heartbeats.inc({ result }),
    text: async () => {
      const now = await options.sample();
      alive.set(seconds(options.now()));
      setAll(incidents, "cluster", now.incidentsOpen);
      setAll(runs, "cluster", now.runsOpen);
      set(firing, now.alertsFiring);
      set(waiting, now.casesWaiting);
      set(outbox, now.outboxWaiting);
      set(scan, now.driftScanAt === undefined ? undefined : seconds(now.driftScanAt));
      set(watchdog, now.watchdogAt === undefined ? undefined : seconds(now.watchdogAt));
      setAll(snapshot, "cluster", new Map([...now.snapshotAt].map(([name, at]) => [name, seconds(at)])));
      setAll(ready, "part", new Map([...now.ready].map(([name, is]) => [name, is ? 1 : 0])));
      setAll(warnings, "severity", now.warnings);
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
