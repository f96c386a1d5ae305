import { expect, test } from "vitest";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

test("sleepers wake in order of time, those of the same time in order of their coming", async () => {
  const clock = createVirtualClock(1_000);
  const woken: string[] = [];
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push(`${name} ${clock.now()}`);
  };
  void sleeper("late", 300);
  void sleeper("first", 100);
  void sleeper("second", 100);
  await clock.advance(299);
  expect(woken).toEqual(["first 1100", "second 1100"]);
  expect(clock.now()).toBe(1_299);
  await clock.advance(1);
  expect(woken).toEqual(["first 1100", "second 1100", "late 1300"]);
});

test("a sleeper that sleeps again within the same advance is woken again", async () => {
  const clock = createVirtualClock(0);
  const ticks: number[] = [];
  void (async () => {
    for (let i = 0; i < 100; i++) {
      await clock.sleep(10);
      ticks.push(clock.now());
    }
  })();
  await clock.advance(55);
  expect(ticks).toEqual([10, 20, 30, 40, 50]);
  expect(await clock.runUntilIdle()).toBe(945);
  expect(ticks).toHaveLength(100);
});

test("runUntilIdle stops at its limit", async () => {
  const clock = createVirtualClock(0);
  void (async () => {
    for (;;) await clock.sleep(1_000);
  })();
  expect(await clock.runUntilIdle(5_500)).toBe(5_000);
});

test("an abort wakes at once, and one before the sleep makes it none", async () => {
  const clock = createVirtualClock(0);
  const abort = new AbortController();
  const slept = clock.sleep(1_000, abort.signal);
  abort.abort();
  await slept;
  await clock.sleep(1_000, abort.signal);
  expect(clock.now()).toBe(0);
});

test("runUntil gives what the promise gave, and says so when it never settles", async () => {
  const clock = createVirtualClock(0);
  const answer = clock.sleep(60_000).then(() => "done");
  expect(await clock.runUntil(answer)).toBe("done");
  expect(clock.now()).toBe(60_000);
  await expect(clock.runUntil(Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect(clock.runUntil(new Promise(() => {}), 10)).rejects.toThrow("still not settled after 10 ms");
});
