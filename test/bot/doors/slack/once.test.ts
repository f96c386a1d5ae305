import { describe, expect, test } from "vitest";
import { createOnce } from "#bot/doors/slack/once.ts";
import type { Clock } from "#shared/clock.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";

function twoDoors(ledger?: Ledger) {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, sleep: async () => {} };
  const shared = ledger ?? createMemoryLedger({ now: () => now });
  const log: unknown[] = [];
  return {
    one: createOnce(shared, clock, (entry) => log.push(entry)),
    two: createOnce(shared, clock, (entry) => log.push(entry)),
    log,
    later: (ms: number) => {
      now += ms;
    },
  };
}

const failing: Ledger = {
  read: () => Promise.reject(new Error("disk gone")),
  append: () => Promise.reject(new Error("disk gone")),
  list: () => Promise.reject(new Error("disk gone")),
  lease: () => Promise.reject(new Error("disk gone")),
  release: () => Promise.reject(new Error("disk gone")),
  close: async () => {},
};

describe("a claim", () => {
  test("is granted once, over all doors of a ledger", async () => {
    const { one, two } = twoDoors();
    const granted = await Promise.all([one.claim("a"), two.claim("a"), one.claim("a"), two.claim("a")]);
    expect(granted.filter(Boolean)).toHaveLength(1);
    expect(await two.claim("b")).toBe(true);
  });

  test("is granted again after an hour", async () => {
    const { one, two, later } = twoDoors();
    await one.claim("a");
    later(59 * 60_000);
    expect(await two.claim("a")).toBe(false);
    later(2 * 60_000 + 60 * 60_000);
    expect(await one.claim("a")).toBe(true);
  });

  test("for a while ends with the while", async () => {
    const { one, two, later } = twoDoors();
    expect(await one.claimFor("a", 3_000)).toBe(true);
    later(2_999);
    expect(await one.claimFor("a", 3_000)).toBe(false);
    expect(await two.claimFor("a", 3_000)).toBe(false);
    later(3_001);
    expect(await two.claimFor("a", 3_000)).toBe(true);
  });

  test("without a ledger still holds within the process, and the log says why", async () => {
    const { one, log } = twoDoors(failing);
    expect([await one.claim("a"), await one.claim("a")]).toEqual([true, false]);
    expect(JSON.stringify(log)).toContain("disk gone");
  });
});

describe("what the first was told", () => {
  test("is kept for the others", async () => {
    const { one, two } = twoDoors();
    await one.claim("a");
    expect(await two.kept("a")).toBeUndefined();
    await one.keep("a", { text: "the answer" });
    expect(await two.kept("a")).toEqual({ text: "the answer" });
    expect(await two.claim("a")).toBe(false);
  });

  test("may be nothing at all, which is another thing than not known yet", async () => {
    const { one, two } = twoDoors();
    await one.claim("a");
    await one.keep("a", null);
    expect(await two.kept("a")).toBeNull();
  });
});
