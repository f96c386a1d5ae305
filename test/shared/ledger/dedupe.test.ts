import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { claimOnce, interestMs } from "#shared/ledger/dedupe.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";

const t0 = Date.UTC(2026, 10, 23);

describe("claimOnce", () => {
  it("is true once per key", async () => {
    const ledger = createMemoryLedger({ now: () => t0 });
    expect(await claimOnce(ledger, "Ev1", t0)).toBe(true);
    expect(await claimOnce(ledger, "Ev1", t0 + 1)).toBe(false);
    expect(await claimOnce(ledger, "Ev2", t0 + 1)).toBe(true);
  });

  it("is true for exactly one of many at once", async () => {
    const ledger = createMemoryLedger({ now: () => t0 });
    const claims = await Promise.all(Array.from({ length: 30 }, () => claimOnce(ledger, "trigger", t0)));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  it("forgets a key after an hour, and again lets exactly one have it", async () => {
    const ledger = createMemoryLedger({ now: () => t0 });
    await claimOnce(ledger, "Ev1", t0);
    expect(await claimOnce(ledger, "Ev1", t0 + interestMs)).toBe(false);
    const later = t0 + interestMs + 1;
    const claims = await Promise.all([claimOnce(ledger, "Ev1", later), claimOnce(ledger, "Ev1", later)]);
    expect(claims.toSorted()).toEqual([false, true]);
    expect(await claimOnce(ledger, "Ev1", later + 1)).toBe(false);
  });

  it("throws when the ledger cannot be asked, rather than letting a repeat through", async () => {
    const broken = {
      ...createMemoryLedger({ now: () => t0 }),
      append: async () => {
        throw new FaultError({ kind: "timed-out", what: "ledger", detail: "held" });
      },
    };
    await expect(claimOnce(broken, "Ev1", t0)).rejects.toThrow(FaultError);
  });

  it("ends with a fault when an expired key is snatched away every time", async () => {
    const memory = createMemoryLedger({ now: () => t0 });
    await claimOnce(memory, "Ev1", t0 - 2 * interestMs);
    const contested = { ...memory, append: async () => ({ ok: false, version: 1 }) as const };
    await expect(claimOnce(contested, "Ev1", t0)).rejects.toThrow("claim of Ev1");
  });
});
