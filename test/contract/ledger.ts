import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "#shared/ledger/ledger.ts";

/** What every ledger promises. `open` gives a fresh, empty one on the injected clock. */
export function ledgerContract(
  name: string,
  open: (now: () => number) => Promise<Readonly<{ ledger: Ledger; dispose: () => Promise<void> }>>,
): void {
  describe(`${name} keeps the ledger's contract`, () => {
    let now: number;
    let ledger: Ledger;
    let dispose: () => Promise<void>;

    beforeEach(async () => {
      now = Date.UTC(2026, 10, 23, 14, 0, 0);
      ({ ledger, dispose } = await open(() => now));
    });
    afterEach(async () => {
      await dispose();
    });

    it("reads nothing from a stream that does not exist", async () => {
      expect(await ledger.read("run/R-1")).toEqual([]);
      expect(await ledger.list("run")).toEqual([]);
    });

    it("numbers events from 1 and gives them back as written, with time", async () => {
      expect(
        await ledger.append("run/R-1", 0, { type: "started", data: { plan: "7c1e", n: [1, null] } }),
      ).toEqual({
        ok: true,
        version: 1,
      });
      now += 1_500;
      expect(await ledger.append("run/R-1", 1, { type: "ended", data: "ok" })).toEqual({
        ok: true,
        version: 2,
      });
      expect(await ledger.read("run/R-1")).toEqual([
        {
          stream: "run/R-1",
          version: 1,
          at: Date.UTC(2026, 10, 23, 14, 0, 0),
          type: "started",
          data: { plan: "7c1e", n: [1, null] },
        },
        {
          stream: "run/R-1",
          version: 2,
          at: Date.UTC(2026, 10, 23, 14, 0, 1, 500),
          type: "ended",
          data: "ok",
        },
      ]);
    });

    it("reads only what came after a version", async () => {
      for (let version = 0; version < 4; version++)
        await ledger.append("run/R-1", version, { type: "step", data: version });
      expect((await ledger.read("run/R-1", 2)).map((event) => event.version)).toEqual([3, 4]);
      expect(await ledger.read("run/R-1", 4)).toEqual([]);
    });

    it("refuses an append at another version, says the actual one and writes nothing", async () => {
      await ledger.append("run/R-1", 0, { type: "started", data: 1 });
      expect(await ledger.append("run/R-1", 0, { type: "again", data: 2 })).toEqual({
        ok: false,
        version: 1,
      });
      expect(await ledger.append("run/R-1", 2, { type: "ahead", data: 3 })).toEqual({
        ok: false,
        version: 1,
      });
      expect(await ledger.append("run/R-2", 1, { type: "ahead", data: 4 })).toEqual({
        ok: false,
        version: 0,
      });
      expect((await ledger.read("run/R-1")).map((event) => event.type)).toEqual(["started"]);
      expect(await ledger.read("run/R-2")).toEqual([]);
    });

    it("lets exactly one of many simultaneous appends win", async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => ledger.append("approval/A-1", 0, { type: "approved", data: i })),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      const winner = results.findIndex((result) => result.ok);
      expect((await ledger.read("approval/A-1")).map((event) => event.data)).toEqual([winner]);
    });

    it("lists the streams of a kind in the order of their first event", async () => {
      await ledger.append("run/R-2", 0, { type: "started", data: null });
      await ledger.append("outbox/R-2/started", 0, { type: "intended", data: null });
      await ledger.append("run/R-10", 0, { type: "started", data: null });
      await ledger.append("run/R-2", 1, { type: "ended", data: null });
      await ledger.append("runner/x", 0, { type: "started", data: null });
      expect(await ledger.list("run")).toEqual(["run/R-2", "run/R-10"]);
      expect(await ledger.list("outbox")).toEqual(["outbox/R-2/started"]);
    });

    it("keeps what was written when the caller changes the object afterwards", async () => {
      const data = { words: "arping httpbin" };
      await ledger.append("run/R-1", 0, { type: "asked", data });
      data.words = "changed";
      const [event] = await ledger.read("run/R-1");
      expect(event?.data).toEqual({ words: "arping httpbin" });
    });

    it.each(["norun", "/x", "run/", "Run/x", ""])("refuses the stream name %j", async (stream) => {
      await expect(ledger.append(stream, 0, { type: "x", data: null })).rejects.toThrow("kind/id");
      await expect(ledger.read(stream)).rejects.toThrow("kind/id");
    });

    it("gives a lease to one holder and says to the other who has it until when", async () => {
      const first = await ledger.lease("goldentooth", "R-17", 30_000);
      expect(first).toEqual({
        ok: true,
        lease: { cluster: "goldentooth", holder: "R-17", token: 1, until: now + 30_000 },
      });
      expect(await ledger.lease("goldentooth", "R-18", 30_000)).toEqual({
        ok: false,
        held: { cluster: "goldentooth", holder: "R-17", token: 1, until: now + 30_000 },
      });
      expect((await ledger.lease("bramble", "R-18", 30_000)).ok).toBe(true);
    });

    it("renews a lease under the same token", async () => {
      await ledger.lease("goldentooth", "R-17", 30_000);
      now += 20_000;
      expect(await ledger.lease("goldentooth", "R-17", 30_000)).toMatchObject({
        ok: true,
        lease: { token: 1, until: now + 30_000 },
      });
      now += 20_000;
      expect((await ledger.lease("goldentooth", "R-18", 30_000)).ok).toBe(false);
    });

    it("gives an expired lease away under a higher token, and the old holder notices", async () => {
      await ledger.lease("goldentooth", "R-17", 30_000);
      now += 29_999;
      expect((await ledger.lease("goldentooth", "R-18", 30_000)).ok).toBe(false);
      now += 1;
      expect(await ledger.lease("goldentooth", "R-18", 30_000)).toMatchObject({
        ok: true,
        lease: { token: 2 },
      });
      expect(await ledger.lease("goldentooth", "R-17", 30_000)).toMatchObject({
        ok: false,
        held: { holder: "R-18", token: 2 },
      });
    });

    it("frees a lease for the token that holds it and for no other", async () => {
      await ledger.lease("goldentooth", "R-17", 30_000);
      await ledger.release("goldentooth", 7);
      expect((await ledger.lease("goldentooth", "R-18", 30_000)).ok).toBe(false);
      await ledger.release("goldentooth", 1);
      expect(await ledger.lease("goldentooth", "R-18", 30_000)).toMatchObject({
        ok: true,
        lease: { token: 2 },
      });
      await ledger.release("goldentooth", 1);
      expect((await ledger.lease("goldentooth", "R-19", 30_000)).ok).toBe(false);
    });

    it("refuses a lease without a holder", async () => {
      await expect(ledger.lease("goldentooth", "", 30_000)).rejects.toThrow("needs a holder");
    });

    it("raises the token when the same holder takes a lease it had given up", async () => {
      await ledger.lease("goldentooth", "R-17", 30_000);
      await ledger.release("goldentooth", 1);
      expect(await ledger.lease("goldentooth", "R-17", 30_000)).toMatchObject({
        ok: true,
        lease: { token: 2 },
      });
    });
  });
}
