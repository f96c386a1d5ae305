import { describe, expect, it } from "vitest";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { advance } from "#shared/runs/advance.ts";
import { approve, comeBack, done, goOn } from "#shared/runs/people.ts";
import { openNewRun, readRun, type Started } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import type { Runner } from "#shared/runs/runner.ts";
import { plain } from "#shared/text.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { contents, counting, toy, toyRunner, toyWorld } from "./toy.ts";

const began = Date.UTC(2026, 10, 23, 14);
const id = "R-17";

const started = (quietUntil = 0, approvals: "others" | "self" = "others"): Started => ({
  type: "started",
  runbook: "toy",
  title: toy.title,
  cluster: "toy",
  inputs: { quietUntil },
  by: "olive",
  approvals,
  steps: toy.steps.map((step) => ({
    id: step.id,
    kind: step.kind,
    title: step.title,
    reversibleWhile: step.reversibleWhile,
    ...(step.proof !== undefined && { proof: step.proof }),
  })),
});

type World = Readonly<{ clock: VirtualClock; store: ObjectStore; ledger: Ledger; newToken: () => string }>;

function newWorld(): World {
  const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
  return {
    clock,
    store: toyWorld(clock),
    ledger: createMemoryLedger({ now: clock.now }),
    newToken: counting("t-"),
  };
}

const never = new AbortController().signal;
const drive = ({ clock }: World, runner: Runner, by = "olive") =>
  clock.runUntil(advance(runner, id, { by, signal: never }));

/** What two people do in turn until the run ends: whatever waits is done. */
async function play(world: World, runner: Runner): Promise<RunState> {
  const { clock } = world;
  await openNewRun(world.ledger, id, started(began + 600_000));
  for (let turn = 0; turn < 40; turn++) {
    const { state, stopped } = await drive(world, runner);
    if (stopped === "ended") return state;
    const step = state.steps.find(({ status }) => status === "running");
    if (state.halted !== undefined) await goOn(runner, id, "olive");
    else if (stopped === "time") await clock.advance(60_000);
    else if (step?.kind === "manual" && step.planned !== undefined)
      await done(runner, id, "olive", "prefix is in");
    else
      await approve(
        runner,
        id,
        { by: "vera", isApprover: true, digest: step?.planned?.digest ?? "" },
        { approvals: "others" },
        [{ name: "vera" }],
      );
  }
  throw new Error("the run did not end in 40 turns");
}

const after = { one: { way: "l2" }, two: { way: "l2" }, setting: { way: "l2" } };

describe("a run from start to end", () => {
  it("does every deed once, in order, and proves it", async () => {
    const world = newWorld();
    const { runner, performed, told } = toyRunner(world.store, world.ledger, world.clock, world.newToken);
    const state = await play(world, runner);
    expect(state.ended).toMatchObject({ how: "finished" });
    expect(performed).toEqual(["make-one", "make-two", "set-l2", "drop-old"]);
    expect(contents(world.store)).toEqual(after);
    expect(state.steps.map(({ status, note }) => [status, plain(note ?? [])])).toEqual([
      ["done", "2 objects, none managed"],
      ["done", "both are there"],
      ["done", "no vantage sees it"],
      ["done", "it says l2"],
      ["done", "quiet long enough"],
      ["done", "gone, no gap"],
      ["done", "fine"],
      ["unneeded", "FRR is not there"],
    ]);
    expect(state.notes.survey).toEqual({ objects: 2 });
    expect(told).toContain("persist/1/forward/values");
  });
});

describe("killed before any call of a port", () => {
  it("comes to the same end with every deed done once", async () => {
    const count = async (dieAt: number): Promise<number> => {
      const world = newWorld();
      let calls = 0;
      let dead = false;
      const around = async <T>(_: string, call: () => Promise<T>): Promise<T> => {
        if (dead) return new Promise<T>(() => {});
        if (++calls === dieAt) {
          dead = true;
          throw new Error("killed");
        }
        return call();
      };
      const first = toyRunner(world.store, world.ledger, world.clock, world.newToken, around);
      const performed = [...first.performed];
      const killed = await play(world, first.runner).then(
        (state) => state,
        (error: Error) => error,
      );
      if (!(killed instanceof Error)) return calls;
      expect(killed.message).toBe("killed");
      performed.push(...first.performed);
      // A new process: nothing is left but the ledger and the world. The dead one's lease runs out.
      await world.clock.advance(60_000);
      const again = toyRunner(world.store, world.ledger, world.clock, world.newToken);
      const state = await play(world, again.runner);
      expect(state.ended, `killed at call ${dieAt}`).toMatchObject({ how: "finished" });
      expect([...performed, ...again.performed], `killed at call ${dieAt}`).toEqual([
        "make-one",
        "make-two",
        "set-l2",
        "drop-old",
      ]);
      expect(contents(world.store)).toEqual(after);
      return calls;
    };
    const calls = await count(Number.POSITIVE_INFINITY);
    expect(calls).toBeGreaterThan(100);
    for (let at = 1; at <= calls; at++) await count(at);
  });
});

describe("going back", () => {
  it("takes everything back, last first, and ends the run", async () => {
    const world = newWorld();
    const before = contents(world.store);
    const { runner, performed } = toyRunner(world.store, world.ledger, world.clock, world.newToken);
    await openNewRun(world.ledger, id, started(began + 86_400_000));
    for (let turn = 0; turn < 12; turn++) {
      const { state, stopped } = await drive(world, runner);
      const step = state.steps.find(({ status }) => status === "running");
      if (stopped === "time" && step?.id === "quiet") break;
      if (stopped === "time") await world.clock.advance(60_000);
      else if (step?.kind === "manual") await done(runner, id, "olive", "done");
      else
        await approve(
          runner,
          id,
          { by: "vera", isApprover: true, digest: step?.planned?.digest ?? "" },
          { approvals: "others" },
          [],
        );
    }
    expect(contents(world.store)).not.toEqual(before);
    expect(await comeBack(runner, id, "olive", undefined)).toMatchObject({ ok: true });
    const { state } = await drive(world, runner);
    expect(state.ended).toMatchObject({ how: "went-back", by: "olive" });
    expect(contents(world.store)).toEqual(before);
    expect(performed).toEqual(["make-one", "make-two", "set-l2", "set-bgp", "unmake-two", "unmake-one"]);
    expect(await readRun(world.ledger, id)).toEqual(state);
  });
});
