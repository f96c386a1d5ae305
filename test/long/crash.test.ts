import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CrashLab, type Lived, startCrashLab } from "../bot/runs/crash/crash-run.ts";
import {
  isAboutDeed,
  livesOf,
  nameOfPoint,
  pointsOf,
  portOf,
  spreadOverPorts,
  stepOf,
  tally,
} from "../bot/runs/crash/points.ts";
import { type StoryName, stories } from "../bot/runs/crash/stories.ts";
import type { Death } from "../bot/runs/crash/world.ts";

// Bot and lab in processes of their own, the API over TLS, the machines over SSH, Route 53 over HTTP between them, clones
// of git, the ledger in SQLite. One bot after the other is killed by SIGKILL before or after a call of a port, whatever
// it is; the next one resumes. crash-everywhere.test.ts has the points that are left out here.

/** The lab's time runs so much faster that a minute of watching takes 1.2 s. */
const factor = 50;
/**
 * Beside every point about deeds so many of the others, evenly. `fix-node` is not among them: it dials a node by its
 * address on the LAN, which is nowhere on loopback.
 */
const others = {
  "bgp-to-l2": 80,
  "bgp-to-l2 and back": 40,
  goldentooth: 30,
  "goldentooth and back": 20,
  drill: 20,
  "drill and back": 10,
} as const satisfies Partial<Record<StoryName, number>>;
const back = " and back";
type Told = keyof typeof others;
const names = Object.keys(others) as Told[];

/** On a way back the points that the way there has as well are left to that. */
const chosen = (name: Told, wholes: ReadonlyMap<Told, Lived>): readonly Death[] => {
  const callsOf = (of: string): readonly string[] => Object.keys(wholes.get(of as Told)?.calls ?? {});
  const there = new Set(name.endsWith(back) ? callsOf(name.slice(0, -back.length)) : []);
  const points = pointsOf(callsOf(name).filter((call) => !there.has(call)));
  const about = points.filter(isAboutDeed);
  const rest = points.filter((point) => !isAboutDeed(point));
  return [...about, ...spreadOverPorts(rest, others[name])];
};

type Lives = Readonly<{ name: Told; whole: Lived; points: readonly Death[]; killed: readonly Lived[] }>;

const figures = ({ name, whole, points, killed }: Lives) => {
  const died = killed.flatMap((lived) => lived.died);
  return {
    story: name,
    acts: whole.acts.length,
    points: points.length,
    "killed at": died.length,
    "by port": tally(died.map(({ call }) => portOf(call))),
    "by step": tally(died.map(({ call }) => stepOf(call))),
    halts: tally(killed.flatMap(({ halts }) => halts)),
  };
};

describe("bots killed one after the other", () => {
  let lab: CrashLab;
  const told: Lives[] = [];

  beforeAll(async () => {
    lab = await startCrashLab(factor);
    const began = performance.now();
    const wholes = new Map<Told, Lived>();
    // Most of their time they wait, so all are lived at once.
    await Promise.all(names.map(async (name) => void wholes.set(name, await lab.live(name, () => []))));
    await Promise.all(
      names.map(async (name) => {
        const whole = wholes.get(name) as Lived;
        const points = chosen(name, wholes);
        const killed: Lived[] = [];
        for (const deaths of livesOf(stories[name], points))
          killed.push(
            await lab.live(name, (died) => {
              const met = new Set(died.map(({ call: at, when }) => nameOfPoint({ at, when })));
              return deaths.filter((point) => !met.has(nameOfPoint(point)));
            }),
          );
        told.push({ name, whole, points, killed });
      }),
    );
    const all = told.flatMap(({ killed }) => killed.flatMap(({ died }) => died));
    process.stdout.write(
      `${JSON.stringify({ "killed at": all.length, "by port": tally(all.map(({ call }) => portOf(call))), seconds: Math.round((performance.now() - began) / 1_000), stories: told.map(figures) }, null, 1)}\n`,
    );
  }, 1_200_000);
  afterAll(() => lab.close());

  it("were killed at two hundred points at least, before and after every deed, its intent and its result", () => {
    const all = told.flatMap(({ killed }) => killed.flatMap(({ died }) => died));
    expect(all.length).toBeGreaterThanOrEqual(200);
    const ports = new Set(all.map(({ call }) => portOf(call)));
    for (const port of ["ledger", "read", "shell", "write", "dry-run", "trees", "zones"])
      expect(ports).toContain(port);
    for (const { name, points, killed } of told) {
      if (stories[name].first !== undefined) continue;
      const met = new Set(
        killed.flatMap(({ died }) => died.map(({ call: at, when }) => nameOfPoint({ at, when }))),
      );
      const missed = points.filter((point) => isAboutDeed(point) && !met.has(nameOfPoint(point)));
      expect(missed.map(nameOfPoint), name).toEqual([]);
    }
  });

  it.each(
    names,
  )("lost no act and did none twice, and left the world as the uninterrupted run does: %s", (name) => {
    const own = told.find((each) => each.name === name);
    expect(own?.whole.ended).toBe(stories[name].ends);
    for (const lived of own?.killed ?? []) {
      expect(lived.acts).toEqual(own?.whole.acts);
      expect(lived.left).toEqual(own?.whole.left);
      expect(lived.ended).toBe(stories[name].ends);
    }
  });
});
