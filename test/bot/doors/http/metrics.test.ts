import { describe, expect, it } from "vitest";
import { commands } from "#bot/commands/all.ts";
import { measuredApp, measuredLedger } from "#bot/doors/http/measured.ts";
import { createMetrics, type Sample } from "#bot/doors/http/metrics.ts";
import { createReadiness } from "#bot/doors/http/readiness.ts";
import { createSample } from "#bot/doors/http/sample.ts";
import { FaultError } from "#shared/fault.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { alertOf, began, deliveryOf } from "../../../shared/alerts/alerts.ts";
import { alerting } from "../../alerts/alerting.ts";
import { newWorld, product } from "../../incidents/incident-product.ts";

const sample: Sample = {
  incidentsOpen: new Map([["toy", 2]]),
  runsOpen: new Map([["toy", 1]]),
  alertsFiring: 3,
  casesWaiting: 0,
  outboxWaiting: 4,
  driftScanAt: began,
  snapshotAt: new Map([["toy", began + 1_000]]),
  watchdogAt: began + 2_000,
  ready: new Map([["slack", false]]),
  warnings: new Map([["error", 1]]),
};

const metricsOf = (given: () => Sample = () => sample) =>
  createMetrics({
    version: "1.2.3",
    nodeVersion: "v24",
    startedAt: began,
    now: () => began + 5_000,
    sample: async () => given(),
  });

const lines = async (metrics: ReturnType<typeof metricsOf>): Promise<readonly string[]> =>
  (await metrics.text()).text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("metrics", () => {
  it("say what was counted and looked up, in seconds", async () => {
    const metrics = metricsOf();
    metrics.asked("arping", "slack", "ok", 250);
    metrics.alerts({ firing: 3, resolved: 1, again: 2, malformed: 1, folded: 2, opened: 3 });
    metrics.delivery("unauthorized");
    metrics.slackLimited("post");
    metrics.ledgerFailed("append");
    metrics.heartbeat("sent");
    const said = await lines(metrics);
    for (const line of [
      'arpeggio_commands_total{command="arping",door="slack",outcome="ok"} 1',
      'arpeggio_answer_duration_seconds_bucket{le="0.3",command="arping"} 1',
      'arpeggio_answer_duration_seconds_bucket{le="0.1",command="arping"} 0',
      'arpeggio_alerts_total{change="firing"} 3',
      "arpeggio_alerts_malformed_total 1",
      'arpeggio_alert_cases_total{told="own"} 1',
      'arpeggio_alert_cases_total{told="folded"} 2',
      'arpeggio_alert_deliveries_total{result="unauthorized"} 1',
      'arpeggio_alert_deliveries_total{result="taken"} 0',
      'arpeggio_slack_rate_limited_total{call="post"} 1',
      'arpeggio_ledger_errors_total{operation="append"} 1',
      'arpeggio_ledger_errors_total{operation="read"} 0',
      'arpeggio_outside_heartbeats_total{result="sent"} 1',
      'arpeggio_build_info{version="1.2.3",node="v24"} 1',
      'arpeggio_incidents_open{cluster="toy"} 2',
      'arpeggio_runs_open{cluster="toy"} 1',
      "arpeggio_alerts_firing 3",
      "arpeggio_slack_messages_waiting 4",
      `arpeggio_drift_scan_timestamp_seconds ${began / 1_000}`,
      `arpeggio_snapshot_timestamp_seconds{cluster="toy"} ${began / 1_000 + 1}`,
      `arpeggio_watchdog_timestamp_seconds ${began / 1_000 + 2}`,
      `arpeggio_heartbeat_timestamp_seconds ${began / 1_000 + 5}`,
      'arpeggio_ready{part="slack"} 0',
      'arpeggio_warnings{severity="error"} 1',
    ])
      expect(said).toContain(line);
  });

  it("are named as Prometheus wants: counters, and nothing else, end in _total", async () => {
    const { text } = await createMetrics({
      version: "1",
      nodeVersion: "v24",
      startedAt: began,
      now: () => began,
      sample: async () => sample,
      ofProcess: true,
    }).text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type]) => ({ name, type }));
    expect(types.length).toBeGreaterThan(30);
    expect(types.filter(({ name, type }) => name.endsWith("_total") !== (type === "counter"))).toEqual([]);
    expect(types.filter(({ name }) => !name.startsWith("arpeggio_"))).toEqual([]);
  });

  it("show no number that could not be looked up, rather than an old one", async () => {
    let now = sample;
    const metrics = metricsOf(() => now);
    expect((await lines(metrics)).some((line) => line.startsWith("arpeggio_alerts_firing"))).toBe(true);
    now = { ...sample, alertsFiring: undefined, driftScanAt: undefined, incidentsOpen: new Map() };
    const said = (await lines(metrics)).join("\n");
    for (const name of [
      "arpeggio_alerts_firing",
      "arpeggio_drift_scan_timestamp_seconds",
      "arpeggio_incidents_open",
    ])
      expect(said).not.toContain(name);
    now = sample;
    expect(await lines(metrics)).toContain("arpeggio_alerts_firing 3");
  });
});

describe("commands are counted", () => {
  it("by verb, once, whatever people type: labels come from the command table", async () => {
    const world = newWorld();
    const bot = product(world);
    const seen: string[] = [];
    const app = measuredApp(bot.app, {
      metrics: { asked: (command, door, outcome) => seen.push(`${command} ${door} ${outcome}`) },
      clock: world.clock,
      commands,
      actions: ["again"],
    });
    const ask = async (words: string) => {
      const asking = await app.ask({ door: "slack", person: undefined, account: "U1", words });
      if (asking.kind === "job")
        await world.clock.runUntil(asking.job.run(() => {}, new AbortController().signal));
    };
    await ask("arpeggio whoami");
    await ask("arpping httpbin");
    await ask('arping "unfinished');
    await ask("runbook run toy-unreachable httpbin");
    await app.press({ door: "slack", person: undefined, account: "U1", action: "again", value: "R-1" });
    await app.press({
      door: "slack",
      person: undefined,
      account: "U1",
      action: `x-${"y".repeat(99)}`,
      value: "",
    });
    expect(seen.map((one) => one.replace(/ (?:ok|info|failed|usage|denied|unknown|fault)$/, ""))).toEqual([
      "arpeggio whoami slack",
      "not-understood slack",
      "not-understood slack",
      "runbook run slack",
      "button again slack",
      "button of an older message slack",
    ]);
  });

  it("and so are calls of the ledger that fail", async () => {
    const failed: string[] = [];
    const clock = createVirtualClock(began);
    const ledger = measuredLedger(
      {
        ...createMemoryLedger({ now: clock.now }),
        append: async () => {
          throw new FaultError({ kind: "timed-out", what: "ledger", detail: "no answer" });
        },
      },
      (operation) => failed.push(operation),
    );
    await expect(ledger.append("a/b", 0, { type: "x", data: null })).rejects.toThrow(FaultError);
    await ledger.read("a/b");
    expect(failed).toEqual(["append"]);
  });
});

describe("what is looked up", () => {
  it("is what the ledger has, and one part that hangs takes no other's number away", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("a", { startsAt: began }), alertOf("b", { startsAt: began })]));
    await bot.tend();
    await bot.alerts.take(deliveryOf([alertOf("c", { startsAt: began })]));
    let hangs = false;
    const ledger = {
      ...world.ledger,
      read: (...args: Parameters<typeof world.ledger.read>) =>
        hangs && args[0].startsWith("cluster-runs/")
          ? new Promise<never>(() => {})
          : world.ledger.read(...args),
    };
    const look = createSample({
      deps: bot.deps,
      ledger,
      alerts: bot.alerts,
      readiness: async () => ({ ok: true, text: "ready", parts: [{ what: "slack", ok: true, text: "" }] }),
      waiting: () => 7,
      watchdogAt: () => undefined,
    });
    const first = await world.clock.runUntil(look());
    expect([first.alertsFiring, first.casesWaiting, first.outboxWaiting]).toEqual([3, 1, 7]);
    expect([...first.incidentsOpen, ...first.runsOpen]).toEqual([
      ["toy", 2],
      ["toy", 0],
    ]);
    hangs = true;
    await world.clock.advance(20_000);
    const second = await world.clock.runUntil(look());
    expect([second.alertsFiring, [...second.runsOpen]]).toEqual([3, []]);
  });
});

describe("readiness", () => {
  it("is yes only when every part is, and says of each what is wrong", async () => {
    const world = newWorld();
    const bot = product(world);
    let slack: string | undefined;
    const ready = createReadiness({
      clock: world.clock,
      ledger: world.ledger,
      clusters: new Map(),
      slack: () => slack,
      brokenRules: () => [],
    });
    expect((await world.clock.runUntil(ready())).text).toBe("not ready: clusters (none is configured)");
    slack = "Slack cannot be reached";
    const all = createReadiness({
      clock: world.clock,
      ledger: { ...world.ledger, read: () => new Promise<never>(() => {}) },
      clusters: bot.deps.clusters,
      slack: () => slack,
      brokenRules: () => [
        {
          code: "rule-out",
          severity: "warning",
          subject: { kind: "config", name: "roles" },
          facts: {},
          text: ["rule 1 names a group that is gone"],
        },
      ],
    });
    const said = await world.clock.runUntil(all());
    expect(said.ok).toBe(false);
    expect(said.text).toBe(
      "not ready: slack (Slack cannot be reached), ledger (no answer within 3 s), clusters (toy: Kubernetes API: the API is away), config (rule 1 names a group that is gone)",
    );
    expect(said.parts.map(({ what }) => what)).toEqual(["slack", "ledger", "clusters", "config"]);
  });

  it("is no while the ledger can be read and takes nothing", async () => {
    const world = newWorld();
    let isFull = true;
    const ready = createReadiness({
      clock: world.clock,
      ledger: {
        ...world.ledger,
        lease: (...args) => {
          if (isFull)
            throw new FaultError({ kind: "refused", what: "ledger", detail: "no space is left on the disk" });
          return world.ledger.lease(...args);
        },
      },
      clusters: new Map(),
      slack: () => undefined,
      brokenRules: () => [],
    });
    expect((await world.clock.runUntil(ready())).text).toMatch(
      /ledger \(ledger: no space is left on the disk\)/,
    );
    isFull = false;
    await world.clock.advance(20_000);
    expect((await world.clock.runUntil(ready())).text).not.toMatch(/ledger/);
  });
});
