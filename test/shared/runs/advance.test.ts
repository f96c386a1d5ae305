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

it("what was seen of one act is not taken for what was seen of the next", async () => {
  const world = newWorld();
  const { runner } = toyRunner(world.store, world.ledger, world.clock, world.newToken);
  const given: unknown[] = [];
  const watched: Runner = {
    ...runner,
    migrations: [
      {
        ...toy,
        steps: toy.steps.map((step) =>
          step.id === "persist"
            ? {
                ...step,
                verify: (context, plan, observed) => {
                  given.push(observed);
                  return step.verify(context, plan, observed);
                },
              }
            : step,
        ),
      },
    ],
  };
  const state = await play(world, watched);
  expect(state.steps.find(({ id: step }) => step === "drop")?.observed).toBeDefined();
  expect(given).toEqual([undefined]);
});

/** The process dies at the n-th call of a port, before it or right after it: from then on nothing of it moves. */
function mortal(dieAt: number, when: "before" | "after") {
  let calls = 0;
  let dead = false;
  const around = async <T>(_: string, call: () => Promise<T>): Promise<T> => {
    if (dead) throw new Error("killed");
    if (++calls !== dieAt) return call();
    if (when === "after") await call();
    dead = true;
    throw new Error("killed");
  };
  return { around, calls: () => calls };
}

/** Kills one process after the other at every call of `scene`, and lets a new one play it to its end. */
async function killEverywhere(
  scene: (world: World, runner: Runner) => Promise<RunState>,
  expected: Readonly<{ happened: readonly string[]; contents: object; ended: string }>,
): Promise<number> {
  let points = 0;
  for (const when of ["before", "after"] as const)
    for (let dieAt = 1; ; dieAt++) {
      const world = newWorld();
      // Counted in the world itself: what a process thinks it did may have died with it.
      const happened: string[] = [];
      world.store.subscribe(({ type, object }) => happened.push(`${type} ${object.metadata.name}`));
      const { around, calls } = mortal(dieAt, when);
      const first = toyRunner(world.store, world.ledger, world.clock, world.newToken, around);
      const outcome = await scene(world, first.runner).catch((error: Error) => error);
      if (!(outcome instanceof Error)) {
        expect(calls()).toBeLessThan(dieAt);
        break;
      }
      expect(outcome.message).toBe("killed");
      points++;
      // Nothing is left but the ledger and the world. The dead one's lease runs out.
      await world.clock.advance(60_000);
      const again = toyRunner(world.store, world.ledger, world.clock, world.newToken);
      const state = await scene(world, again.runner);
      const at = `killed ${when} call ${dieAt}`;
      expect(state.ended, at).toMatchObject({ how: expected.ended });
      expect(happened, at).toEqual(expected.happened);
      expect(contents(world.store), at).toEqual(expected.contents);
    }
  return points;
}

/** Forward to where it waits for the quiet period, then everything back. */
async function playAndGoBack(world: World, runner: Runner): Promise<RunState> {
  const opened = await openNewRun(world.ledger, id, started(began + 86_400_000));
  if (opened.state.back === undefined && opened.state.ended === undefined) {
    for (let turn = 0; turn < 40; turn++) {
      const { state, stopped } = await drive(world, runner);
      if (state.back !== undefined || stopped === "ended") break;
      const step = state.steps.find(({ status }) => status === "running");
      if (stopped === "time" && step?.id === "quiet") {
        await comeBack(runner, id, "olive", undefined);
        break;
      }
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
  }
  const { state } = await drive(world, runner);
  return state;
}

describe("killed before or after any call of a port", () => {
  it("comes to the same end with every deed done once", async () => {
    const points = await killEverywhere(play, {
      happened: ["ADDED one", "ADDED two", "MODIFIED setting", "DELETED old"],
      contents: after,
      ended: "finished",
    });
    expect(points).toBeGreaterThan(200);
  });

  it("also on the way back", async () => {
    const points = await killEverywhere(playAndGoBack, {
      happened: [
        "ADDED one",
        "ADDED two",
        "MODIFIED setting",
        "MODIFIED setting",
        "DELETED two",
        "DELETED one",
      ],
      contents: { old: { way: "bgp" }, setting: { way: "bgp" } },
      ended: "went-back",
    });
    expect(points).toBeGreaterThan(200);
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

describe("a mistake of this program in a step", () => {
  it("stops the run there, says so, and is looked at again by retry", async () => {
    const world = newWorld();
    const { runner } = toyRunner(world.store, world.ledger, world.clock, world.newToken);
    await openNewRun(world.ledger, id, started());
    let isBroken = true;
    let shown: RunState | undefined;
    const broken: Runner = {
      ...runner,
      tell: {
        ...runner.tell,
        state: async (state) => {
          shown = state;
        },
      },
      migrations: runner.migrations.map((migration) => ({
        ...migration,
        steps: migration.steps.map((step, i) =>
          i === 0
            ? {
                ...step,
                verify: (...given: Parameters<typeof step.verify>) => {
                  if (isBroken) throw new TypeError("nodes is not iterable");
                  return step.verify(...given);
                },
              }
            : step,
        ),
      })),
    };
    await expect(drive(world, broken)).rejects.toThrow("nodes is not iterable");
    const stopped = await readRun(world.ledger, id);
    expect(stopped?.halted).toMatchObject({ step: toy.steps[0]?.id, code: "fault" });
    expect(plain(stopped?.halted?.because ?? [])).toContain("nodes is not iterable");
    expect(shown?.halted?.code).toBe("fault");
    isBroken = false;
    await goOn(broken, id, "olive");
    expect((await drive(world, broken)).state.steps[0]?.status).toBe("done");
  });
});
