import { expect, it } from "vitest";
import { live } from "../bot/runs/crash/in-process.ts";
import {
  isAboutDeed,
  livesOf,
  nameOfPoint,
  pointsOf,
  portOf,
  stepOf,
  tally,
} from "../bot/runs/crash/points.ts";
import { stories } from "../bot/runs/crash/stories.ts";

// Before and after every call of every port at every step, each once, on a clock that stands still.

it.each(Object.entries(stories))(
  "%s",
  async (name, story) => {
    const began = performance.now();
    const whole = await live(story, []);
    expect(whole).toMatchObject({ ended: story.ends, diedAt: [] });
    const points = pointsOf(whole.calls);
    const byName = new Map(points.map((point) => [nameOfPoint(point), point.at]));
    const died: string[] = [];
    for (const deaths of livesOf(story, points)) {
      const killed = await live(story, deaths);
      died.push(...killed.diedAt);
      expect(killed.ended).toBe(story.ends);
      expect(killed.acts).toEqual(whole.acts);
      expect(killed.left).toEqual(whole.left);
      expect(new Set(killed.halts)).toEqual(new Set(whole.halts));
    }
    process.stdout.write(
      `${JSON.stringify(
        {
          story: name,
          acts: whole.acts.length,
          "points of the uninterrupted run": points.length,
          "died at": died.length,
          "by port": tally(died.map((point) => portOf(byName.get(point) ?? ""))),
          "by step": tally(died.map((point) => stepOf(byName.get(point) ?? ""))),
          seconds: Math.round((performance.now() - began) / 1_000),
        },
        null,
        1,
      )}\n`,
    );
    // Where a story begins with a death, nobody dies before it.
    const isMet = story.first === undefined ? 0.8 : 0.25;
    expect(died.length / points.length).toBeGreaterThan(isMet);
    if (story.first === undefined)
      for (const point of points.filter(isAboutDeed)) expect(died).toContain(nameOfPoint(point));
  },
  300_000,
);
