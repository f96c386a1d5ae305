import { expect, it } from "vitest";
import { createSingleFlight, sharedSingleFlight } from "#shared/arp/single-flight.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

it("answers everybody who asks the same at the same time with one piece of work, and keeps nothing", async () => {
  const flight = createSingleFlight();
  let runs = 0;
  const work = async () => ++runs;
  expect(await Promise.all([flight("a", work), flight("a", work), flight("b", work)])).toEqual([1, 1, 2]);
  expect(await flight("a", work)).toBe(3);
});

it("hands a failure to everybody, and tries anew afterwards", async () => {
  const flight = createSingleFlight();
  const failing = async () => {
    throw new Error("gone");
  };
  const both = [flight("a", failing), flight("a", failing)];
  for (const each of both) await expect(each).rejects.toThrow("gone");
  expect(await flight("a", async () => 1)).toBe(1);
});

it("is one for everybody on the same clock", () => {
  const clock = createVirtualClock(0);
  expect(sharedSingleFlight(clock)).toBe(sharedSingleFlight(clock));
});
