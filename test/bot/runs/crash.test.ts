import { expect, it } from "vitest";
import { live } from "./crash/in-process.ts";
import { isAboutDeed, livesOf, pointsOf, spread } from "./crash/points.ts";
import { stories } from "./crash/stories.ts";

// A sample in one process on a clock that stands still. test/long/crash-everywhere.test.ts takes every point of it, and
// test/long/crash.test.ts does the same with real processes, real edges and SIGKILL.

it.each(
  Object.entries(stories),
)("bots killed on the way lose no act and do none twice: %s", async (_, story) => {
  const whole = await live(story, []);
  expect(whole).toMatchObject({ ended: story.ends, diedAt: [] });
  const points = pointsOf(whole.calls);
  const [deeds, others] = [points.filter(isAboutDeed), points.filter((point) => !isAboutDeed(point))];
  const sample = [...spread(deeds, 16, story.goal === "and back" ? 1 : 0), ...spread(others, 8, 2)];
  expect(sample.length).toBeGreaterThan(4);
  for (const deaths of livesOf(story, sample)) {
    const killed = await live(story, deaths);
    expect(killed.ended).toBe(story.ends);
    expect(killed.diedAt.length).toBeGreaterThan(3);
    expect(killed.acts).toEqual(whole.acts);
    expect(killed.left).toEqual(whole.left);
    // A halt that a person cured may be met again by a process that knows nothing of it, and no other is.
    expect(new Set(killed.halts)).toEqual(new Set(whole.halts));
  }
});
