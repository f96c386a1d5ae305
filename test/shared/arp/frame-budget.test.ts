import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameBudget, framesPerSecond, sharedFrameBudget } from "#shared/arp/frame-budget.ts";
import { FaultError } from "#shared/fault.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

/** A program that sends `count` frames at `rate` a second and notes when. */
const sender =
  (clock: ReturnType<typeof createVirtualClock>, sent: number[], rate: number, count: number) => async () => {
    for (let i = 0; i < count; i++) {
      sent.push(clock.now());
      await clock.sleep(1000 / rate);
    }
  };

const mostInAnySecond = (times: readonly number[]): number =>
  Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length));

describe("frame budget", () => {
  it("never lets more than ten frames into any second, whatever runs together", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            delay: fc.integer({ min: 0, max: 5000 }),
            rate: fc.constantFrom(1, 2, 5, 10),
            count: fc.integer({ min: 1, max: 12 }),
          }),
          { minLength: 1, maxLength: 15 },
        ),
        async (runs) => {
          const clock = createVirtualClock(0);
          const budget = createFrameBudget(clock);
          const sent: number[] = [];
          const all = Promise.all(
            runs.map(async ({ delay, rate, count }) => {
              await clock.sleep(delay);
              await budget.run("ops-host", rate, sender(clock, sent, rate, count));
            }),
          );
          await clock.runUntil(all);
          expect(sent.length).toBe(runs.reduce((sum, { count }) => sum + count, 0));
          expect(mostInAnySecond(sent)).toBeLessThanOrEqual(framesPerSecond);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("gives each vantage its own ten", async () => {
    const clock = createVirtualClock(0);
    const budget = createFrameBudget(clock);
    const sent: number[] = [];
    await clock.runUntil(
      Promise.all(["a", "b"].map((name) => budget.run(name, 10, sender(clock, sent, 10, 10)))),
    );
    expect(mostInAnySecond(sent)).toBe(20);
  });

  it("says once that it waits, and serves in order of arrival", async () => {
    const clock = createVirtualClock(0);
    const budget = createFrameBudget(clock);
    const events: string[] = [];
    const run = (name: string, rate: number) =>
      budget.run(
        "ops-host",
        rate,
        async () => {
          events.push(`${name} starts`);
          await clock.sleep(1000);
        },
        { onWait: () => events.push(`${name} waits`) },
      );
    await clock.runUntil(Promise.all([run("watch", 10), run("second watch", 10), run("probe", 1)]));
    expect(events.filter((event) => event.endsWith("starts"))).toEqual([
      "watch starts",
      "second watch starts",
      "probe starts",
    ]);
    expect(events.filter((event) => event.endsWith("waits"))).toEqual(["second watch waits", "probe waits"]);
  });

  it("lets go of who is cancelled while waiting, and of who fails", async () => {
    const clock = createVirtualClock(0);
    const budget = createFrameBudget(clock);
    const cancel = new AbortController();
    const failing = budget.run("v", 10, async () => {
      await clock.sleep(500);
      throw new Error("no such device");
    });
    const waiting = budget.run("v", 1, async () => "sent", { signal: cancel.signal });
    const last = budget.run("v", 1, async () => "sent");
    cancel.abort();
    await expect(waiting).rejects.toMatchObject({ fault: { kind: "cancelled" } });
    const outcome = expect(failing).rejects.toThrow("no such device");
    expect(await clock.runUntil(last)).toBe("sent");
    await outcome;
    await expect(budget.run("v", 1, async () => 1, { signal: cancel.signal })).rejects.toBeInstanceOf(
      FaultError,
    );
  });

  it("refuses a rate that no bucket can ever hold", async () => {
    const budget = createFrameBudget(createVirtualClock(0));
    await expect(budget.run("v", 11, async () => 1)).rejects.toThrow(RangeError);
    await expect(budget.run("v", 0, async () => 1)).rejects.toThrow(RangeError);
  });

  it("is one for everybody on the same clock", () => {
    const clock = createVirtualClock(0);
    expect(sharedFrameBudget(clock)).toBe(sharedFrameBudget(clock));
    expect(sharedFrameBudget(clock)).not.toBe(sharedFrameBudget(createVirtualClock(0)));
  });
});
