import { describe, expect, it } from "vitest";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import {
  confirmEdited,
  confirmPosted,
  foldOutgoing,
  intend,
  readOutgoing,
  unposted,
} from "#shared/ledger/outbox.ts";

const t0 = Date.UTC(2026, 10, 23, 14);
const day = 24 * 60 * 60 * 1_000;

function setUp() {
  let now = t0;
  const ledger = createMemoryLedger({ now: () => now });
  return { ledger, advance: (ms: number) => (now += ms) };
}

const intent = { channel: "C0PLATFORM", thread: "1.2", about: { run: "R-17", step: 3 } };

describe("outbox", () => {
  it("goes from intended over posted to edited", async () => {
    const { ledger, advance } = setUp();
    expect(await intend(ledger, "R-17/started", intent)).toEqual({
      first: true,
      outgoing: { key: "R-17/started", version: 1, intendedAt: t0, intent },
    });
    advance(10);
    await confirmPosted(ledger, "R-17/started", { channel: "C0PLATFORM", ts: "17.5" });
    advance(10);
    expect(await confirmEdited(ledger, "R-17/started", "d1")).toMatchObject({ posted: { ts: "17.5" } });
    expect(await readOutgoing(ledger, "R-17/started")).toEqual({
      key: "R-17/started",
      version: 3,
      intendedAt: t0,
      intent,
      posted: { channel: "C0PLATFORM", ts: "17.5", at: t0 + 10 },
      edited: { digest: "d1", at: t0 + 20 },
    });
  });

  it("lets one of two intend a message, and tells the other where it is", async () => {
    const { ledger } = setUp();
    const both = await Promise.all([intend(ledger, "k", intent), intend(ledger, "k", intent)]);
    expect(both.map((one) => one.first).toSorted()).toEqual([false, true]);
    await confirmPosted(ledger, "k", { channel: "C1", ts: "1" });
    const again = await intend(ledger, "k", { ...intent, about: "other" });
    expect(again).toMatchObject({ first: false, outgoing: { intent, posted: { ts: "1" } } });
  });

  it("keeps the first place when a second post is confirmed", async () => {
    const { ledger } = setUp();
    await intend(ledger, "k", intent);
    await confirmPosted(ledger, "k", { channel: "C1", ts: "1" });
    expect((await confirmPosted(ledger, "k", { channel: "C1", ts: "2" })).posted?.ts).toBe("1");
    expect(await ledger.read("outbox/k")).toHaveLength(2);
  });

  it("writes an edit once per digest", async () => {
    const { ledger } = setUp();
    await intend(ledger, "k", intent);
    await confirmPosted(ledger, "k", { channel: "C1", ts: "1" });
    for (const digest of ["a", "a", "b", "b", "a"]) await confirmEdited(ledger, "k", digest);
    const digests = (await ledger.read("outbox/k")).filter((e) => e.type === "edited").map((e) => e.data);
    expect(digests).toEqual([{ digest: "a" }, { digest: "b" }, { digest: "a" }]);
  });

  it("finds after a restart what was meant and never confirmed, oldest first", async () => {
    const { ledger, advance } = setUp();
    await intend(ledger, "ancient", intent);
    advance(2 * day);
    for (const key of ["one", "two", "three"]) {
      await intend(ledger, key, intent);
      advance(1_000);
    }
    await confirmPosted(ledger, "two", { channel: "C1", ts: "2" });
    const found = await unposted(ledger, { now: t0 + 2 * day + 5_000, horizonMs: day });
    expect(found.map((outgoing) => outgoing.key)).toEqual(["one", "three"]);
    const all = await unposted(ledger, { now: t0 + 2 * day + 5_000, horizonMs: 3 * day });
    expect(all.map((outgoing) => outgoing.key)).toEqual(["ancient", "one", "three"]);
  });

  it("confirms nothing that was not intended", async () => {
    const { ledger } = setUp();
    await expect(confirmPosted(ledger, "k", { channel: "C1", ts: "1" })).rejects.toThrow(
      "posted without an intent",
    );
    expect(await ledger.list("outbox")).toEqual([]);
  });

  it("gives up with a fault when others keep writing", async () => {
    const { ledger } = setUp();
    await intend(ledger, "k", intent);
    const contested = { ...ledger, append: async () => ({ ok: false, version: 9 }) as const };
    await expect(confirmPosted(contested, "k", { channel: "C1", ts: "1" })).rejects.toThrow("10 tries");
  });

  it("reports events it cannot read, and folds unknown ones without losing the version", async () => {
    const { ledger } = setUp();
    await ledger.append("outbox/bad", 0, { type: "intended", data: 1 });
    await expect(readOutgoing(ledger, "bad")).rejects.toThrow("outbox/bad version 1");
    await intend(ledger, "k", intent);
    await ledger.append("outbox/k", 1, { type: "from-a-newer-release", data: {} });
    expect(foldOutgoing(await ledger.read("outbox/k"))?.version).toBe(2);
    await confirmPosted(ledger, "k", { channel: "C1", ts: "1" });
    expect((await readOutgoing(ledger, "k"))?.posted?.ts).toBe("1");
  });
});
