import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { impatient, within } from "#shared/incidents/path/within.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

describe("work with an end", () => {
  it("gives what came in time", async () => {
    const clock = createVirtualClock();
    const answer = within(clock, { until: clock.now() + 1_000, what: "x" }, async () => 7);
    expect(await clock.runUntil(answer)).toEqual({ ok: true, evidence: 7 });
  });

  it("is a time-out when it does not come, and tells the work to stop", async () => {
    const clock = createVirtualClock();
    let stopped = false;
    const answer = within(clock, { until: clock.now() + 2_500, what: "ssh to dalt" }, (signal) => {
      signal.addEventListener("abort", () => {
        stopped = true;
      });
      return new Promise(() => {});
    });
    const began = clock.now();
    expect(await clock.runUntil(answer)).toEqual({
      ok: false,
      fault: { kind: "timed-out", what: "ssh to dalt", detail: "not back after 2.5 s" },
    });
    expect(clock.now() - began).toBe(2_500);
    expect(stopped).toBe(true);
  });

  it("keeps a fault as it is, and lets a bug through", async () => {
    const clock = createVirtualClock();
    const fault = { kind: "denied", what: "x", detail: "403" } as const;
    expect(
      await within(clock, { until: clock.now() + 1, what: "x" }, () => Promise.reject(new FaultError(fault))),
    ).toEqual({ ok: false, fault });
    await expect(
      within(clock, { until: clock.now() + 1, what: "x" }, () => Promise.reject(new TypeError("bug"))),
    ).rejects.toThrow(TypeError);
  });

  it("is cancelled with whoever asked", async () => {
    const clock = createVirtualClock();
    const asker = new AbortController();
    const answer = within(
      clock,
      { until: clock.now() + 60_000, what: "x", signal: asker.signal },
      () => new Promise(() => {}),
    );
    asker.abort();
    expect(await answer).toMatchObject({ ok: false, fault: { kind: "cancelled" } });
  });
});

it("an impatient shell gives commands less time, never more", async () => {
  const seen: number[] = [];
  const shell = impatient(async (_target, { timeoutMs }) => {
    seen.push(timeoutMs);
    return { exitCode: 0, stdout: "", stderr: "", lines: [], startedAt: 0, endedAt: 0 };
  }, 3_000);
  const command = { argv: ["true"] as const, privileged: false };
  await shell({ kind: "node", name: "dalt" }, { ...command, timeoutMs: 10_000 });
  await shell({ kind: "node", name: "dalt" }, { ...command, timeoutMs: 500 });
  expect(seen).toEqual([3_000, 500]);
});
