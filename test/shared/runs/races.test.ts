import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { advance } from "#shared/runs/advance.ts";
import { holderOf, leaseName } from "#shared/runs/lease.ts";
import { abort, approve, hold, skip } from "#shared/runs/people.ts";
import { openNewRun, openRun, readRun, runsOn, type Started } from "#shared/runs/run-log.ts";
import { startedEvent } from "#shared/runs/started.ts";
import type { Step } from "#shared/steps/step.ts";
import type { VirtualClock } from "#shared/twin/virtual-clock.ts";
import { type SharedLedger, shareLedger, storeNames } from "./shared-ledger.ts";
import { contents, counting, toy, toyRunner, toyWorld } from "./toy.ts";

const id = "R-17";
const started: Started = {
  type: "started",
  runbook: "toy",
  title: toy.title,
  cluster: "toy",
  inputs: { quietUntil: 0 },
  by: "olive",
  approvals: "others",
  steps: toy.steps.map(({ id: step, kind, title, reversibleWhile }) => ({
    id: step,
    kind,
    title,
    reversibleWhile,
  })),
};
const never = new AbortController().signal;

let shared: SharedLedger;
let clock: VirtualClock;
/** Another process: its own handle on the one ledger. */
const ledger = (): Promise<Ledger> => shared.open();

const vote = (by: string, digest: string) => ({ by, isApprover: true, digest });
const others = { approvals: "others" } as const;

/** Two processes on one world, stopped where the first act waits for its approval. */
async function two() {
  const store = toyWorld(clock);
  const newToken = counting("t");
  const a = toyRunner(store, await ledger(), clock, newToken);
  const b = toyRunner(store, await ledger(), clock, newToken);
  await openNewRun(a.runner.ledger, id, started);
  const { state } = await clock.runUntil(advance(a.runner, id, { by: "olive", signal: never }));
  const digest = state.steps[1]?.planned?.digest ?? "";
  return { store, a, b, digest, performed: () => [...a.performed, ...b.performed] };
}

describe.each(storeNames)("in %s", (store) => {
  beforeEach(async () => {
    shared = await shareLedger(store);
    clock = shared.clock;
  });
  afterEach(() => shared.close());

  describe("two processes on one ledger", () => {
    it("open one run of many", async () => {
      const ledgers = [await ledger(), await ledger()];
      const all = await Promise.all(
        [1, 2, 3, 4, 5, 6].map((n) => openNewRun(ledgers[n % 2] as Ledger, `R-${n}`, started)),
      );
      expect(all.filter(({ ok }) => ok)).toHaveLength(1);
      expect(new Set(all.map(({ state }) => state.id)).size).toBe(1);
      expect(await runsOn(ledgers[0] as Ledger, "toy")).toHaveLength(1);
    });

    it("let the first of two approvals count, and do its act once", async () => {
      const { store, a, b, digest, performed } = await two();
      const press = async ({ runner }: typeof a, by: string) => {
        const asked = await approve(runner, id, vote(by, digest), others, []);
        return asked.ok ? advance(runner, id, { by, signal: never }) : asked.because.join("");
      };
      const answers = await clock.runUntil(
        Promise.all([press(a, "vera"), press(b, "viktor"), press(a, "viktor"), press(b, "vera")]),
      );
      expect(answers.filter((answer) => typeof answer !== "string")).toHaveLength(1);
      expect(performed()).toEqual(["make-one", "make-two"]);
      expect(Object.keys(contents(store)).sort()).toEqual(["old", "one", "setting", "two"]);
    });

    it("drive an approved act at once, and do it once", async () => {
      const { a, b, digest, performed } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      const drive = ({ runner }: typeof a) => advance(runner, id, { by: "vera", signal: never });
      const all = await clock.runUntil(Promise.all([drive(a), drive(b), drive(a), drive(b)]));
      expect(performed()).toEqual(["make-one", "make-two"]);
      expect(all.every(({ stopped }) => ["person", "busy", "overtaken"].includes(stopped))).toBe(true);
      expect((await readRun(a.runner.ledger, id))?.steps[1]?.status).toBe("done");
    });

    it("an abort beats the act that has not begun, and lets none follow one that has", async () => {
      const { a, b, digest, performed } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      const [{ stopped, state }] = await clock.runUntil(
        Promise.all([advance(a.runner, id, { by: "vera", signal: never }), abort(b.runner, id, "olive")]),
      );
      expect(state.ended).toMatchObject({ how: "aborted" });
      expect(["ended", "overtaken"]).toContain(stopped);
      const before = performed().length;
      expect((await clock.runUntil(advance(b.runner, id, { by: "olive", signal: never }))).stopped).toBe(
        "ended",
      );
      expect(performed()).toHaveLength(before);
      const events = await a.runner.ledger.read(`run/${id}`);
      const at = events.findIndex(({ type }) => type === "aborted");
      expect(events.slice(at).filter(({ type }) => type === "deed-intended" || type === "act-begun")).toEqual(
        [],
      );
      expect(await openRun(a.runner.ledger, "toy")).toBeUndefined();
    });

    it("a hold in the middle of an act stops it after the deed at work", async () => {
      const { store, a, b, digest } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      const held = toyRunner(store, await ledger(), clock, counting("h"), async (port, call) => {
        const result = await call();
        if (port === "perform") await hold(b.runner, id, "viktor");
        return result;
      });
      const { state } = await clock.runUntil(advance(held.runner, id, { by: "vera", signal: never }));
      expect(held.performed).toEqual(["make-one"]);
      expect(state).toMatchObject({ held: { by: "viktor" } });
    });
  });

  describe("the lease of the cluster", () => {
    it("makes everybody else busy while an act is at work, and names who, what and since when", async () => {
      const { a, digest, performed } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      const name = leaseName({ run: "R-9", what: "drill", by: "olive", since: clock.now() }, "x");
      await (await ledger()).lease("toy", name, 30_000);
      const { stopped, held } = await clock.runUntil(advance(a.runner, id, { by: "vera", signal: never }));
      expect(stopped).toBe("busy");
      expect(held && holderOf(held)).toEqual({ run: "R-9", what: "drill", by: "olive", since: clock.now() });
      expect(performed()).toEqual([]);
      await clock.advance(30_001);
      await clock.runUntil(advance(a.runner, id, { by: "vera", signal: never }));
      expect(performed()).toEqual(["make-one", "make-two"]);
    });

    it("outlasts every deed: nobody takes over while one may still be at work", async () => {
      const { store, a, b, digest } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      const seen: (string | undefined)[] = [];
      const slow = toyRunner(store, await ledger(), clock, counting("s"), async (port, call) => {
        if (port === "write") {
          await clock.sleep(9_999);
          const { stopped } = await advance(b.runner, id, { by: "olive", signal: never });
          seen.push(stopped);
        }
        return call();
      });
      await clock.runUntil(advance(slow.runner, id, { by: "vera", signal: never }));
      expect(seen).toEqual(["busy", "busy"]);
      expect([...slow.performed, ...b.performed]).toEqual(["make-one", "make-two"]);
    });

    it("once it ran out, another looks before it goes on, and the slow one's result counts once", async () => {
      const { store, a, b, digest } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      let isFirst = true;
      // A process that is paused: it wrote, and hears of nothing, its own time-outs included, until long after its lease.
      const paused = { ...clock, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms * 100, signal) };
      const stuck = toyRunner(store, await ledger(), paused, counting("s"), async (port, call) => {
        const result = await call();
        if (port === "write" && isFirst) {
          isFirst = false;
          throw new FaultError({ kind: "timed-out", what: "create of configmaps", detail: "no answer" });
        }
        if (port === "look") await clock.sleep(60_000);
        return result;
      });
      const slow = advance(stuck.runner, id, { by: "vera", signal: never });
      slow.catch(() => {});
      await clock.advance(31_000);
      await clock.runUntil(advance(b.runner, id, { by: "olive", signal: never }));
      await clock.runUntil(slow);
      const events = await b.runner.ledger.read(`run/${id}`);
      const done = events
        .filter(({ type }) => type === "deed-done")
        .map(({ data }) => (data as { deed: string }).deed);
      expect(done).toEqual(["make-one", "make-two"]);
      expect(Object.keys(contents(store)).sort()).toEqual(["old", "one", "setting", "two"]);
      const writes = store.list("configmaps").items.map(({ metadata }) => metadata.uid);
      expect(new Set(writes).size).toBe(4);
    });

    it("a process that stands still before its write and goes on after its lease ran out changes nothing twice", async () => {
      const { store, a, b, digest } = await two();
      await approve(a.runner, id, vote("vera", digest), others, []);
      const changes: string[] = [];
      store.subscribe(({ type, object }) => void changes.push(`${type} ${object.metadata.name}`));
      let isFirst = true;
      const paused = { ...clock, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms * 100, signal) };
      const stuck = toyRunner(store, await ledger(), paused, counting("s"), async (port, call) => {
        if (port === "write" && isFirst) {
          isFirst = false;
          await clock.sleep(60_000);
        }
        return call();
      });
      const slow = advance(stuck.runner, id, { by: "vera", signal: never });
      slow.catch(() => {});
      await clock.advance(31_000);
      await clock.runUntil(advance(b.runner, id, { by: "olive", signal: never }));
      expect(changes).toEqual(["ADDED one", "ADDED two"]);
      await clock.advance(60_000);
      await clock.runUntil(slow);
      expect(changes).toEqual(["ADDED one", "ADDED two"]);
      const done = (await b.runner.ledger.read(`run/${id}`))
        .filter(({ type }) => type === "deed-done")
        .map(({ data }) => (data as { deed: string }).deed);
      expect(done).toEqual(["make-one", "make-two"]);
    });
  });

  describe("while what was done is being judged", () => {
    /** `pair` is judged for a hundred seconds, and what comes after it needs nobody's approval. */
    const slowly = (onJudging: () => Promise<unknown>) => {
      const named = (wanted: string): Step => {
        const found = toy.steps.find((step) => step.id === wanted);
        if (found === undefined) throw new Error(`no step ${wanted}`);
        return found;
      };
      const pair = named("pair");
      const judged: Step = {
        ...pair,
        verify: async (...given) => {
          await clock.sleep(90_000);
          await onJudging();
          await clock.sleep(10_000);
          return pair.verify(...given);
        },
      };
      return { ...toy, steps: [named("survey"), judged, { ...named("change"), cleanUp: true as const }] };
    };

    it("no other process does anything, not even when somebody leaves that step out", async () => {
      const store = toyWorld(clock);
      const newToken = counting("t");
      const seen: unknown[] = [];
      const migration = slowly(async () => {
        const wish = { by: "olive", step: "pair", reason: "impatient" };
        expect((await skip(b.runner, id, { ...wish, force: false })).shown).toBeDefined();
        expect(await skip(b.runner, id, { ...wish, force: true })).toMatchObject({ ok: true });
        const { stopped, held } = await advance(b.runner, id, { by: "olive", signal: never });
        seen.push(stopped, held && holderOf(held)?.what, [...b.performed]);
      });
      const toyOf = async () => {
        const made = toyRunner(store, await ledger(), clock, newToken);
        return { ...made, runner: { ...made.runner, migrations: [migration] } };
      };
      const [a, b] = [await toyOf(), await toyOf()];
      const about = { cluster: "toy", inputs: {}, by: "olive", approvals: "others" } as const;
      await openNewRun(a.runner.ledger, id, startedEvent(migration, about));
      const { state } = await clock.runUntil(advance(a.runner, id, { by: "olive", signal: never }));
      await approve(a.runner, id, vote("vera", state.steps[1]?.planned?.digest ?? ""), others, []);
      const over = await clock.runUntil(advance(a.runner, id, { by: "vera", signal: never }));
      expect(seen).toEqual(["busy", "pair", []]);
      // What was left out is not proven by what was seen in the end.
      expect(over.stopped).toBe("overtaken");
      expect(over.state.steps[1]).toMatchObject({ status: "skipped" });
      await clock.runUntil(advance(b.runner, id, { by: "olive", signal: never }));
      expect(b.performed).toEqual(["set-l2"]);
    });
  });
});
