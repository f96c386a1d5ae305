import { describe, expect, it } from "vitest";
import { timelineOfIncident, timelineOfRun } from "#bot/incidents/gather-timeline.ts";
import { FaultError } from "#shared/fault.ts";
import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import { appendIncident, openIncident, readIncident } from "#shared/incidents/incident-log.ts";
import { recordingShell } from "#shared/incidents/record-commands.ts";
import { isTimeZone, siteTime } from "#shared/incidents/site-time.ts";
import { timelineJson, timelineMarkdown } from "#shared/incidents/timeline-export.ts";
import { audit } from "#shared/ledger/audit.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { type RunEvent, writtenEvent } from "#shared/runs/run-events.ts";
import { readRun } from "#shared/runs/run-log.ts";
import { broken, diagnosisOf } from "../../bot/incidents/incident-product.ts";

const start = Date.UTC(2026, 9, 25, 0, 30);

function newWorld() {
  let now = start;
  const ledger = createMemoryLedger({ now: () => now });
  const pass = (ms: number): void => {
    now += ms;
  };
  return { ledger, now: () => now, pass };
}

const felt = (ms: number, tried = 200) => ({
  tried,
  failed: ms === 0 ? 0 : 12,
  resolutionMs: 100,
  gaps: ms === 0 ? [] : [{ from: start, ms, open: false }],
});

const plan = {
  deeds: [
    {
      id: "cordon",
      title: "switch wlan0 off on karstark",
      kind: "shell" as const,
      target: { kind: "node" as const, name: "karstark" },
      argv: ["ip", "link", "set", "wlan0", "down"] as const,
      privileged: true,
      timeoutMs: 5_000,
      done: { argv: ["true"] as const, privileged: false },
    },
  ],
  diffs: [],
  prediction: [],
  predicted: null,
  undo: [],
  instructions: [],
};
const digest = "a".repeat(64);

async function writeRun(ledger: Ledger, facts: unknown, notes: unknown = null, id = "R-3"): Promise<void> {
  const place = { step: "fix", act: 1, way: "forward" as const, deed: "cordon", token: "t" };
  const events = [
    {
      type: "started",
      runbook: "fix-node",
      title: "Fix a node",
      cluster: "toy",
      inputs: {},
      by: "olive",
      approvals: "others",
      steps: [{ id: "fix", kind: "act", title: "Fix", reversibleWhile: [] }],
    },
    { type: "step-planned", step: "fix", digest, plan, requester: "olive" },
    { type: "approved", step: "fix", digest, by: "vera", how: "other" },
    { type: "act-begun", step: "fix", act: 1, digest, plan, until: start },
    { type: "deed-intended", ...place },
    { type: "deed-done", ...place, facts: null, seen: "performed" },
    { type: "observed", step: "fix", act: 1, facts, findings: [] },
    { type: "verified", step: "fix", outcome: "passed", text: ["one MAC answers"], findings: [], notes },
  ] as unknown as RunEvent[];
  for (const [i, event] of events.entries()) await ledger.append(`run/${id}`, i, writtenEvent(event));
}

const opened = (ledger: Ledger) =>
  openIncident(ledger, {
    cluster: "toy",
    runbook: "toy-unreachable",
    subject: "httpbin",
    title: "A service does not answer",
    by: { person: "olive" },
    steps: [{ id: "diagnose", title: "Look", kind: "diagnose" }],
  });

type Event = Parameters<typeof appendIncident>[2];

async function incidentWith(ledger: Ledger, now: () => number, events: readonly Event[]) {
  let state = await opened(ledger);
  for (const event of events) state = (await appendIncident(ledger, state, event, now())) ?? state;
  return state;
}

const diagnosed = (diagnosis: Diagnosis): Event[] => [
  { type: "diagnosing", step: "diagnose", token: "t1", by: null },
  {
    type: "diagnosed",
    step: "diagnose",
    token: "t1",
    diagnosis,
    commands: {
      ran: [{ at: start, on: "vantage ops-host", argv: "arping -c 3 10.4.11.1", exitCode: 0 }],
      more: 2,
    },
  },
];

describe("the timeline of an incident", () => {
  it("holds who did what when, commands with where, evidence, people, acts and their outage", async () => {
    const { ledger, now, pass } = newWorld();
    await writeRun(ledger, { together: "x", addresses: { "10.4.11.1": felt(1_800) } });
    const first = await incidentWith(ledger, now, diagnosed(diagnosisOf(broken(), start, start + 2_000)));
    pass(3_600_000);
    let state = first;
    for (const event of [
      { type: "run-linked", run: "R-3", by: "olive" },
      { type: "noted", by: "vera", text: "the switch was replaced" },
      { type: "closed", by: "olive", reason: "answers again" },
    ] as Event[])
      state = (await appendIncident(ledger, state, event, now())) ?? state;
    await audit(ledger, {
      at: start + 1_000,
      name: "vera",
      account: "U0VERA",
      door: "slack",
      words: "arping httpbin",
      cluster: "toy",
      outcome: "failed",
      durationMs: 5,
    });
    const timeline = await timelineOfIncident(ledger, state, now());
    expect(timeline.people).toEqual(["olive", "vera"]);
    expect(timeline.runs).toEqual(["R-3"]);
    expect(timeline.outages).toMatchObject([{ run: "R-3", step: "fix", address: "10.4.11.1", ms: 1_800 }]);
    const options = { timeZone: "Europe/Berlin", now: now() };
    const markdown = timelineMarkdown(timeline, options);
    // The hour that comes twice at the end of summer time: the zone's name tells which.
    expect(markdown).toMatch(/2026\\?-10\\?-25 00:30:00Z \| 2026\\?-10\\?-25 02:30:00 (CEST|GMT\\?\+2)/);
    expect(markdown).toMatch(/2026\\?-10\\?-25 01:30:00Z \| 2026\\?-10\\?-25 02:30:00 (CET|GMT\\?\+1)/);
    expect(markdown).toMatch(/arping -c 3 10\.4\.11\.1/);
    expect(markdown).toMatch(/node karstark \| ip link set wlan0 down/);
    expect(markdown).toMatch(/and 2 more that were not kept/);
    expect(markdown).toMatch(/planned hand-over gap 1\.8 s, known to 0\.1 s/);
    expect(markdown).toMatch(/look 1: BROKEN: no endpoint of httpbin is ready/);
    expect(markdown).toMatch(/asked \/arping httpbin \(slack\): failed/);
    expect(markdown).toMatch(/httpbin-abc {2}10\.244\.1\.7/);
    const json = timelineJson(timeline, options) as Record<string, unknown>;
    expect(json).toMatchObject({
      id: "I-1",
      timeZone: "Europe/Berlin",
      people: ["olive", "vera"],
      outage: [{ ms: 1_800 }],
      commandsNotKept: 2,
    });
    expect((json.entries as { at?: number; utc: string }[]).map(({ utc }) => utc)).toEqual(
      (json.entries as { utc: string }[]).map(({ utc }) => utc).toSorted(),
    );
  });

  it("says that nothing was measured where nothing was, whatever else took how long", async () => {
    const { ledger, now, pass } = newWorld();
    await writeRun(ledger, {
      addresses: { "10.4.11.1": null, "10.4.11.2": { ...felt(900), resolutionMs: 60_000 } },
    });
    let state = await incidentWith(ledger, now, [{ type: "run-linked", run: "R-3", by: "olive" }]);
    pass(600_000);
    state = (await appendIncident(ledger, state, { type: "closed", reason: "over" }, now())) ?? state;
    const timeline = await timelineOfIncident(ledger, state, now());
    const options = { timeZone: undefined, now: now() };
    expect(timelineJson(timeline, options)).toMatchObject({ outage: "not measured", timeZone: null });
    const markdown = timelineMarkdown(timeline, options);
    expect(markdown).toMatch(/Outage: not measured/);
    expect(markdown).toMatch(/Times are UTC: the config names no time zone/);
  });

  it("lets nobody's text become Markdown, a mention or a link", async () => {
    const { ledger, now } = newWorld();
    const evil = "@channel <!channel> <@U1> # head\n- item | cell `x` [a](http://evil.example) <script>";
    const state = await incidentWith(ledger, now, [
      { type: "noted", by: "vera", text: evil },
      {
        type: "alert-firing",
        group: "g",
        fingerprint: "f",
        name: evil,
        severity: "critical",
        labels: {},
        annotations: { summary: evil },
        startsAt: start,
        times: 1,
      },
    ]);
    const markdown = timelineMarkdown(await timelineOfIncident(ledger, state, now()), {
      timeZone: undefined,
      now: now(),
    });
    expect(markdown).not.toMatch(/(^|[^\\])<(!channel|@U1|script)/);
    expect(markdown).not.toMatch(/@channel/);
    expect(markdown).not.toMatch(/^# head|^- item/m);
    expect(markdown).not.toMatch(/\[a\]\(http/);
    const rows = markdown.split("\n").filter((line) => line.includes("head"));
    // One row of the table for each, with its own four cells only.
    for (const row of rows) expect(row.split(/(?<!\\)\|/).length).toBe(5);
  });

  it("names everybody who had it and nobody who is a program, and no time that was not given", async () => {
    const { ledger, now } = newWorld();
    let state = await openIncident(ledger, {
      cluster: "toy",
      runbook: "toy-unreachable",
      subject: null,
      title: "t",
      by: { alertGroup: "g" },
      steps: [{ id: "look", title: "Look", kind: "manual", instruction: ["x"] }],
    });
    const alert = { group: "g", fingerprint: "f", name: "Odd", severity: "", labels: {}, annotations: {} };
    for (const event of [
      { type: "alert-firing", ...alert, startsAt: 0, times: 1 },
      { type: "noted", by: "Alertmanager", text: "3 further alerts were left out" },
      { type: "taken", by: "olive" },
      { type: "handed-over", by: "olive", to: "oscar" },
      { type: "alert-resolved", ...alert, startsAt: 0, endsAt: now(), times: 1 },
    ] as const)
      state = (await appendIncident(ledger, state, event, now())) ?? state;
    const timeline = await timelineOfIncident(ledger, state, now());
    expect(timeline.people).toEqual(["olive", "oscar"]);
    const markdown = timelineMarkdown(timeline, { timeZone: undefined, now: now() });
    expect(markdown).toMatch(/Odd is firing, Alertmanager gave no time that can be read/);
    expect(markdown).toMatch(/Odd is resolved since 00:30 UTC/);
    expect(markdown).not.toMatch(/00:00 UTC/);
  });

  it("goes on without what another release wrote, and says what is missing", async () => {
    const { ledger, now } = newWorld();
    const state = await opened(ledger);
    await ledger.append("incident/I-1", state.version, { type: "escalated", data: { to: "moon" } });
    await ledger.append("run/R-3", 0, { type: "warped", data: {} });
    const newest = await readIncident(ledger, "I-1");
    if (newest === undefined) throw new Error("gone");
    expect(newest.unread).toEqual([2]);
    const linked = await appendIncident(
      ledger,
      newest,
      { type: "run-linked", run: "R-3", by: "olive" },
      now(),
    );
    if (linked === undefined) throw new Error("overtaken");
    await audit(ledger, {
      at: start,
      account: "x",
      door: "slack",
      words: "nodes check",
      cluster: "toy",
      outcome: "ok",
      durationMs: 1,
    });
    await ledger.append("audit/2026-10-25", 1, { type: "asked", data: { at: "soon" } });
    const timeline = await timelineOfIncident(ledger, linked, now());
    expect(timeline.gaps.join("; ")).toMatch(/entry 2 \(escalated\) was written by another release/);
    expect(timeline.gaps.join("; ")).toMatch(/R-3: .*warped.* is not known to this release/);
    expect(timeline.gaps.join("; ")).toMatch(/what people asked on 2026-10-25/);
  });
});

describe("the timeline of a run", () => {
  it("is the same for what it did itself", async () => {
    const { ledger, now } = newWorld();
    await writeRun(ledger, { addresses: { "10.4.11.1": felt(0) } });
    const run = await readRun(ledger, "R-3");
    if (run === undefined) throw new Error("gone");
    const timeline = await timelineOfRun(ledger, run, now());
    expect(timeline).toMatchObject({ id: "R-3", people: ["olive", "vera"], runs: [] });
    expect(timeline.commands).toMatchObject([
      { on: "node karstark", command: "ip link set wlan0 down", end: "done (R-3)" },
    ]);
    expect(timelineMarkdown(timeline, { timeZone: undefined, now: now() })).toMatch(
      /no planned hand\\?-over gap in 200 new connections/,
    );
  });

  it("claims no outage that the step itself disowned", async () => {
    const { ledger, now } = newWorld();
    await writeRun(ledger, { addresses: { "10.4.11.1": felt(5_000) } }, { measured: false });
    const run = await readRun(ledger, "R-3");
    if (run === undefined) throw new Error("gone");
    expect((await timelineOfRun(ledger, run, now())).outages).toEqual([]);
  });
});

describe("commands of a look", () => {
  it("are kept with where and how they ended, the first of them", async () => {
    let at = 0;
    const recording = recordingShell(
      async (target, command) => {
        if (target.name === "dead")
          throw new FaultError({ kind: "timed-out", what: "ssh to dead", detail: "no answer in 5 s" });
        if (target.name === "bug") throw new TypeError("bug");
        return {
          exitCode: command.argv[0] === "kill" ? null : 0,
          stdout: "secret",
          stderr: "",
          lines: [],
          startedAt: 0,
          endedAt: 0,
        };
      },
      () => ++at,
    );
    const run = (name: string, ...argv: [string, ...string[]]) =>
      recording.shell({ kind: "node", name }, { argv, privileged: false, timeoutMs: 1 }).catch(() => {});
    await run("karstark", "ip", "-j", "addr");
    await run("dead", "ip");
    await run("karstark", "kill");
    await run("bug", "ip");
    await run("karstark", "sh", "-c", "x".repeat(1_000));
    const { ran, more } = recording.ran();
    expect(ran.map(({ on, exitCode, fault }) => [on, exitCode, fault])).toEqual([
      ["node karstark", 0, undefined],
      ["node dead", undefined, "timed-out: no answer in 5 s"],
      ["node karstark", null, undefined],
      ["node karstark", 0, undefined],
    ]);
    expect(ran[3]?.argv).toMatch(/\(706 more characters\)$/);
    expect(more).toBe(0);
    expect(JSON.stringify(ran)).not.toMatch(/secret/);
    for (let i = 0; i < 200; i++) await run("karstark", "true");
    expect(recording.ran().ran).toHaveLength(150);
    expect(recording.ran().more).toBe(54);
  });
});

describe("time of the site", () => {
  it.each([
    ["Europe/Berlin", true],
    ["UTC", true],
    ["Europe/Berln", false],
    ["+02:00", false],
    ["", false],
  ])("%s", (zone, expected) => expect(isTimeZone(zone)).toBe(expected));

  it("is told with seconds and the zone's short name", () => {
    expect(siteTime(start, "Asia/Kolkata")).toBe("2026-10-25 06:00:00 GMT+5:30");
  });
});
