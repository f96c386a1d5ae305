import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAlertLog, inParts } from "#shared/alerts/alert-log.ts";
import { type AlertsState, firingOf, openCases } from "#shared/alerts/alert-state.ts";
import { FaultError } from "#shared/fault.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { alertOf, began, byService, calm, deliveryOf } from "./alerts.ts";

function site(limits = calm) {
  const time = { now: began };
  const clock = { now: () => time.now, sleep: async () => {} };
  const ledger = createMemoryLedger({ now: clock.now });
  const open = (on: Ledger = ledger) => createAlertLog({ ledger: on, clock, route: byService, limits });
  return { time, ledger, open, log: open() };
}

/** Everything that the state holds, in a form that compares. */
const told = (state: AlertsState) => ({
  cases: [...state.cases.values()].map((one) => ({ ...one, alerts: [...one.alerts.values()] })),
  open: [...state.open],
  storms: [...state.storms.values()],
  storm: state.storm,
  version: state.version,
});

const titles = (state: AlertsState) => openCases(state).map(({ title }) => title);

/** All alerts that the ledger holds whole, by fingerprint and start. */
async function written(ledger: Ledger): Promise<readonly string[]> {
  const streams = await ledger.list("alert");
  const events = (await Promise.all(streams.map((stream) => ledger.read(stream)))).flat();
  return events.flatMap(({ type, data }) =>
    type === "received"
      ? (
          data as unknown as {
            alerts: { alert: { fingerprint: string; startsAt: number; status: string } }[];
          }
        ).alerts.map(({ alert }) => `${alert.fingerprint}@${alert.startsAt} ${alert.status}`)
      : [],
  );
}

describe("an alert that is taken", () => {
  it("opens a case for what it is about, and others about the same join it", async () => {
    const { log } = site();
    await log.take(deliveryOf([alertOf("httpbin"), alertOf("argocd")]));
    const port = alertOf("httpbin", { fingerprint: "f-port", labels: { service: "httpbin", port: "443" } });
    expect(await log.take(deliveryOf([port], { groupKey: "another group" }))).toMatchObject({
      firing: 1,
      opened: 0,
    });
    const state = await log.read();
    expect(titles(state)).toEqual(["service-unreachable httpbin", "service-unreachable argocd"]);
    expect(openCases(state)[0]?.alerts.size).toBe(2);
  });

  it("is in the ledger once, however often it is told; tellings are counted", async () => {
    const { log, ledger } = site();
    for (let i = 0; i < 3; i++) await log.take(deliveryOf([alertOf("httpbin")]));
    expect(await written(ledger)).toEqual([`f-httpbin@${began - 60_000} firing`]);
    const [one] = openCases(await log.read());
    expect([...(one?.alerts.values() ?? [])].map(({ times }) => times)).toEqual([3]);
  });

  it("that no route maps belongs to its group", async () => {
    const { log } = site();
    const odd = (name: string) => alertOf(name, { labels: { alertname: name } });
    await log.take(deliveryOf([odd("A"), odd("B")], { groupKey: "one" }));
    await log.take(deliveryOf([odd("C")], { groupKey: "two" }));
    const state = await log.read();
    expect(openCases(state).map(({ title, runbook, alerts }) => [title, runbook, alerts.size])).toEqual([
      ["A", null, 2],
      ["C", null, 1],
    ]);
    expect(openCases(state)[0]?.why).toEqual(["No route of the config maps it to a runbook."]);
  });

  it("is resolved, and quiet since then; fires again in the same case", async () => {
    const { log, time } = site();
    await log.take(deliveryOf([alertOf("httpbin")]));
    time.now += 60_000;
    const end = alertOf("httpbin", { status: "resolved", endsAt: time.now - 1_000 });
    expect(await log.take(deliveryOf([end]))).toMatchObject({ resolved: 1 });
    expect(openCases(await log.read())[0]?.quietSince).toBe(began + 60_000);
    time.now += 60_000;
    await log.take(deliveryOf([alertOf("httpbin", { startsAt: time.now })]));
    const [one] = openCases(await log.read());
    expect(one).not.toHaveProperty("quietSince");
    expect(one === undefined ? 0 : firingOf(one).length).toBe(1);
    expect(one?.alerts.get("f-httpbin")?.times).toBe(2);
  });

  it("told late, after its end or after a later firing, changes nothing", async () => {
    const { log, time } = site();
    await log.take(deliveryOf([alertOf("httpbin", { startsAt: began })]));
    time.now += 10_000;
    await log.take(deliveryOf([alertOf("httpbin", { startsAt: began - 500_000 })]));
    await log.take(deliveryOf([alertOf("httpbin", { startsAt: began - 500_000, status: "resolved" })]));
    const known = openCases(await log.read())[0]?.alerts.get("f-httpbin");
    expect([known?.firing, known?.alert.startsAt]).toEqual([true, began]);
  });

  it("of whose beginning nobody heard is written down, and told to nobody", async () => {
    const { log, ledger } = site();
    const end = deliveryOf([alertOf("httpbin", { status: "resolved" })]);
    await log.take(end);
    expect(openCases(await log.read())).toEqual([]);
    expect(await written(ledger)).toHaveLength(1);
  });

  it("stays silent when a person closed it while it fires; a later firing opens another", async () => {
    const { log, time } = site();
    await log.take(deliveryOf([alertOf("httpbin")]));
    const [id] = openCases(await log.read()).map((one) => one.id);
    await log.change(() => ({ type: "closed", case: id ?? "", why: "person" }));
    await log.take(deliveryOf([alertOf("httpbin")]));
    expect(openCases(await log.read())).toEqual([]);
    time.now += 60_000;
    await log.take(deliveryOf([alertOf("httpbin", { startsAt: time.now })]));
    expect(titles(await log.read())).toEqual(["service-unreachable httpbin"]);
  });

  it("of a group that was cut says how many are missing", async () => {
    const { log } = site();
    await log.take(deliveryOf([alertOf("httpbin")], { truncated: 7 }));
    await log.take(deliveryOf([], { truncated: 3, groupKey: "all of it" }));
    expect(openCases(await log.read()).map(({ title, truncated }) => [title, truncated])).toEqual([
      ["service-unreachable httpbin", 7],
      ["alerts that were left out", 3],
    ]);
  });
});

describe("a storm", () => {
  const many = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => deliveryOf([alertOf(`service-${from + i}`)]));

  it("begins with what comes beyond the limit, takes in all that follows, and ends when it is said to be over", async () => {
    const { log, time } = site();
    for (const each of many(0, 5)) await log.take(each);
    expect((await log.read()).storm).toBeUndefined();
    const taken = await Promise.all(many(5, 40).map((each) => log.take(each)));
    expect(taken.reduce((sum, { folded }) => sum + folded, 0)).toBe(35);
    const state = await log.read();
    const storm = state.storms.get(state.storm ?? "");
    expect(storm?.cases).toHaveLength(35);
    expect(openCases(state)).toHaveLength(40);
    expect(openCases(state).filter((one) => one.storm === undefined)).toHaveLength(5);
    time.now += 200_000;
    await log.take(deliveryOf([alertOf("late")]));
    expect(storm && (await log.read()).storms.get(storm.id)?.cases).toHaveLength(36);
    const released = storm?.cases.slice(0, 2) ?? [];
    await log.change(({ storm: id }) => ({ type: "calmed", storm: id ?? "", released: [...released] }));
    expect((await log.read()).storm).toBeUndefined();
    expect(openCases(await log.read()).filter((one) => one.storm === undefined)).toHaveLength(7);
    time.now += 100_000;
    await log.take(deliveryOf([alertOf("after")]));
    expect(openCases(await log.read()).at(-1)?.storm).toBeUndefined();
  });

  it("does not begin when as many come over a longer time", async () => {
    const { log, time } = site();
    for (const each of many(0, 30)) {
      await log.take(each);
      time.now += 13_000;
    }
    expect((await log.read()).storms.size).toBe(0);
  });

  it("of one group about one thing is one case", async () => {
    const { log } = site();
    const alerts = Array.from({ length: 500 }, (_, i) => alertOf("httpbin", { fingerprint: `p-${i}` }));
    await log.take(deliveryOf(alerts));
    const state = await log.read();
    expect(openCases(state)).toHaveLength(1);
    expect(state.storm).toBeUndefined();
    expect(openCases(state)[0]?.alerts.size).toBe(500);
  });
});

describe("the ledger", () => {
  it("is read to the same state by a process that starts later", async () => {
    const { log, open, time } = site();
    for (let i = 0; i < 12; i++) await log.take(deliveryOf([alertOf(`s-${i}`)], { truncated: i % 3 }));
    time.now += 5_000;
    await log.take(deliveryOf([alertOf("s-3", { status: "resolved" })]));
    expect(told(await open().read())).toEqual(told(await log.read()));
  });

  it("keeps two processes from taking an alert twice or opening two cases", async () => {
    const { open, ledger } = site({ ...calm, over: 1_000 });
    const logs = [open(), open()];
    const all = Array.from({ length: 60 }, (_, i) => deliveryOf([alertOf(`s-${i % 20}`)]));
    await Promise.all(all.flatMap((each) => logs.map((log) => log.take(each))));
    const here = await written(ledger);
    expect(here).toHaveLength(20);
    expect(new Set(here).size).toBe(20);
    const states = await Promise.all(logs.map((log) => log.read()));
    expect(told(states[0] as AlertsState)).toEqual(told(states[1] as AlertsState));
    expect(openCases(states[0] as AlertsState)).toHaveLength(20);
  });

  it("turns to another stream with the day, and a process that lags follows", async () => {
    const { open, time, ledger } = site();
    const [first, second] = [open(), open()];
    await first.take(deliveryOf([alertOf("before")]));
    await second.read();
    time.now += 24 * 3_600_000;
    await first.take(deliveryOf([alertOf("after")]));
    // Its own clock still says yesterday; the stream of yesterday takes nothing any more.
    time.now -= 24 * 3_600_000;
    await second.take(deliveryOf([alertOf("late")]));
    expect(await ledger.list("alert")).toEqual(["alert/2026-11-23", "alert/2026-11-24"]);
    expect((await ledger.read("alert/2026-11-23")).at(-1)?.type).toBe("sealed");
    expect(titles(await first.read())).toEqual([
      "service-unreachable before",
      "service-unreachable after",
      "service-unreachable late",
    ]);
    expect(told(await open().read())).toEqual(told(await first.read()));
  });

  it("that cannot be written makes the taking fail, and the same delivery is taken once when it can", async () => {
    const { ledger, open } = site();
    let broken: "before" | "after" | undefined = "before";
    const fault = () => new FaultError({ kind: "timed-out", what: "ledger", detail: "no answer" });
    const log = open({
      ...ledger,
      append: async (...event) => {
        if (broken === "before") throw fault();
        const done = await ledger.append(...event);
        if (broken === "after") throw fault();
        return done;
      },
    });
    const delivery = deliveryOf([alertOf("httpbin")]);
    await expect(log.take(delivery)).rejects.toThrow(FaultError);
    expect(await written(ledger)).toEqual([]);
    broken = "after";
    await expect(log.take(delivery)).rejects.toThrow(FaultError);
    broken = undefined;
    await log.take(delivery);
    expect(await written(ledger)).toHaveLength(1);
  });

  it("takes a storm in few events, none larger than a store takes", async () => {
    const { log, ledger } = site();
    let appends = 0;
    let largest = 0;
    const counting = {
      ...ledger,
      append: (async (stream, version, event) => {
        appends += 1;
        largest = Math.max(largest, JSON.stringify(event).length);
        return ledger.append(stream, version, event);
      }) satisfies Ledger["append"],
    };
    const busy = site().open(counting);
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => busy.take(deliveryOf([alertOf(`s-${i}`)]))));
    expect(appends).toBeLessThan(50);
    expect(largest).toBeLessThan(400_000);
    expect(new Set(await written(ledger)).size).toBe(1_000);
    expect(log).toBeDefined();
  });
});

describe("a large delivery", () => {
  it("is cut into parts that hold every alert once, in order, and the truncation once", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 400 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 3_000 }),
        fc.nat(5),
        (words, most, truncated) => {
          const alerts = words.map((word, i) => alertOf(`${i}`, { annotations: { word } }));
          const parts = inParts(deliveryOf(alerts, { truncated }), most);
          expect(parts.flatMap((part) => part.alerts)).toEqual(alerts);
          expect(parts.reduce((sum, part) => sum + part.truncated, 0)).toBe(truncated);
          expect(parts.slice(1).every((part) => part.alerts.length > 0)).toBe(true);
        },
      ),
    );
  });
});
