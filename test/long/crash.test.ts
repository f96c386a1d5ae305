import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CrashLab, type Lived, startCrashLab } from "../bot/runs/crash/crash-run.ts";
import { manyDeaths } from "../bot/runs/crash/deaths.ts";
import type { Goal } from "../bot/runs/crash/world.ts";

// Bot and lab in processes of their own, the API over TLS and the machines over SSH between them, the ledger in SQLite.
// One bot after the other is killed by SIGKILL before or after a call of a port, whatever it is; the next one resumes.

const version = "0.16.1";
/** The lab's time runs so much faster that a minute of watching takes 1.2 s. */
const factor = 50;
const goals: readonly Goal[] = ["to the end", "and back"];
const seeds = [1];

/** What decides about an act: its intent, the deed itself, its result. */
const aboutDeeds = /^(write |ledger\.append run deed-)/;
const portOf = (call: string): string => call.split(/[ .]/)[0] as string;
const perPort = (calls: Readonly<Record<string, number>>): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const [call, times] of Object.entries(calls)) sums[portOf(call)] = (sums[portOf(call)] ?? 0) + times;
  return sums;
};

const tally = (names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...new Set(names)].toSorted().map((name) => [name, names.filter((each) => each === name).length]),
  );

describe("bots killed one after the other", () => {
  let lab: CrashLab;
  const whole = new Map<Goal, Lived>();
  const killed: { goal: Goal; lived: Lived }[] = [];

  beforeAll(async () => {
    lab = await startCrashLab(factor);
    await Promise.all([
      ...goals.map(async (goal) => void whole.set(goal, await lab.live(goal, version, () => []))),
    ]);
    await Promise.all(
      goals.flatMap((goal) =>
        seeds.map(async (seed) => {
          const lived = await lab.live(
            goal,
            version,
            manyDeaths(Object.keys(whole.get(goal)?.calls ?? {}), seed + goals.indexOf(goal) * 100),
          );
          killed.push({ goal, lived });
        }),
      ),
    );
    const died = killed.flatMap(({ lived }) => lived.died);
    const calls = killed.map(({ lived }) => lived.calls);
    process.stdout.write(
      `${JSON.stringify(
        {
          "killed at": died.length,
          "by call": tally(died.map(({ call, when }) => `${when} ${call}`)),
          "by step": tally(died.map(({ step }) => step || "before the run")),
          calls: calls.map(perPort),
          "calls of uninterrupted runs": [...whole].map(([goal, own]) => ({ goal, ...perPort(own.calls) })),
          halts: tally(killed.flatMap(({ lived }) => lived.halts)),
        },
        null,
        1,
      )}\n`,
    );
  }, 600_000);
  afterAll(() => lab.close());

  it("were killed at two hundred points at least, before and after every deed, its intent and its result", () => {
    const died = killed.flatMap(({ lived }) => lived.died);
    expect(died.length).toBeGreaterThanOrEqual(200);
    for (const { goal, lived } of killed) {
      const points = new Set(lived.died.map(({ call, when }) => `${when} ${call}`));
      const calls = Object.keys(whole.get(goal)?.calls ?? {}).filter((call) => aboutDeeds.test(call));
      expect(calls.length, goal).toBeGreaterThan(15);
      const missed = calls
        .flatMap((call) => [`before ${call}`, `after ${call}`])
        .filter((point) => !points.has(point));
      expect(missed, goal).toEqual([]);
    }
    const ports = new Set(died.map(({ call }) => portOf(call)));
    for (const port of ["ledger", "read", "shell", "write", "dry-run"]) expect(ports).toContain(port);
  });

  it("lost no act and did none twice, and left the world as the uninterrupted run does", () => {
    for (const { goal, lived } of killed) {
      const uninterrupted = whole.get(goal);
      expect(lived.acts, goal).toEqual(uninterrupted?.acts);
      expect(lived.objects, goal).toEqual(uninterrupted?.objects);
      expect(lived.ended, goal).toBe(goal === "to the end" ? "finished" : "went-back");
      expect(lived.reachable, goal).toBe(true);
    }
  });
});
