import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/adapters/system-clock.ts";

describe("the machine's clock", () => {
  it("sleeps and goes on", async () => {
    const before = systemClock.now();
    await systemClock.sleep(5);
    // Timers may fire up to a millisecond early by the wall clock.
    expect(systemClock.now()).toBeGreaterThanOrEqual(before + 4);
  });

  it.each([
    ["before the sleep", (abort: AbortController) => abort.abort()],
    ["during the sleep", (abort: AbortController) => void setImmediate(() => abort.abort())],
  ])("wakes without an error when aborted %s", async (_, act) => {
    const abort = new AbortController();
    act(abort);
    await systemClock.sleep(3_600_000, abort.signal);
    expect(abort.signal.aborted).toBe(true);
  });

  it("does not return at once for a time longer than a timer can hold", async () => {
    const abort = new AbortController();
    let awake = false;
    const sleeping = systemClock.sleep(2 ** 32, abort.signal).then(() => {
      awake = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(awake).toBe(false);
    abort.abort();
    await sleeping;
  });
});
