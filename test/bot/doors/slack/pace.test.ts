import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPacer, usualPace } from "#bot/doors/slack/pace.ts";
import type { Clock } from "#shared/clock.ts";

/** Time that jumps to the end of every sleep; sleepers wake in order. */
function jumping(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      if (!signal?.aborted) now += Math.max(0, ms);
    },
  };
}

const never = new AbortController().signal;

/** Most of `times` that fall into any window of `ms`. */
const busiest = (times: readonly number[], ms: number): number =>
  Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));

describe("edits", () => {
  test("of progress stay within forty a minute", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3_000), { maxLength: 200, size: "max" }), async (gaps) => {
        const clock = jumping();
        const pacer = createPacer(clock, usualPace);
        const times: number[] = [];
        for (const gap of gaps) {
          await clock.sleep(gap);
          await pacer.edit("progress", never);
          times.push(clock.now());
        }
        expect(busiest(times, 60_000)).toBeLessThanOrEqual(usualPace.editsPerMinute);
      }),
    ));

  test("of a final state go at once, and count", async () => {
    const clock = jumping();
    const pacer = createPacer(clock, { ...usualPace, editsPerMinute: 2 });
    for (let i = 0; i < 5; i++) await pacer.edit("final", never);
    expect(clock.now()).toBe(0);
    await pacer.edit("progress", never);
    expect(clock.now()).toBe(60_000);
  });

  test("of final states stay within what Slack allows, with room beyond progress", async () => {
    const clock = jumping();
    const pacer = createPacer(clock, usualPace);
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      await pacer.edit("final", never);
      times.push(clock.now());
    }
    expect(times.filter((at) => at === 0).length).toBeGreaterThan(usualPace.editsPerMinute);
    expect(busiest(times, 60_000)).toBeLessThanOrEqual(50);
  });

  test("wait out what Slack asked for, final or not", async () => {
    const clock = jumping();
    const pacer = createPacer(clock, usualPace);
    pacer.pause("edit", 7_000);
    pacer.pause("edit", 3_000);
    await pacer.post("C1", never);
    expect(clock.now()).toBe(0);
    await pacer.edit("final", never);
    expect(clock.now()).toBe(7_000);
  });
});

describe("posts", () => {
  test("go to a channel in a short burst and then once a second", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_500), { maxLength: 60, size: "max" }), async (gaps) => {
        const clock = jumping();
        const pacer = createPacer(clock, usualPace);
        const times: number[] = [];
        for (const gap of gaps) {
          await clock.sleep(gap);
          await pacer.post("C1", never);
          times.push(clock.now());
        }
        for (const seconds of [1, 5, 20])
          expect(busiest(times, seconds * 1_000)).toBeLessThanOrEqual(seconds + usualPace.channelBurst);
      }),
    ));

  test("to one channel do not hold up another", async () => {
    const clock = jumping();
    const pacer = createPacer(clock, { ...usualPace, channelBurst: 1 });
    await pacer.post("C1", never);
    await pacer.post("C2", never);
    expect(clock.now()).toBe(0);
    await pacer.post("C1", never);
    expect(clock.now()).toBe(1_000);
  });

  test("that are called off give their place back", async () => {
    const clock = jumping();
    const pacer = createPacer(clock, { ...usualPace, channelBurst: 1 });
    await pacer.post("C1", never);
    await pacer.post("C1", AbortSignal.abort());
    await pacer.post("C1", never);
    expect(clock.now()).toBe(1_000);
  });
});
