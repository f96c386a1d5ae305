import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLedgerInWorker } from "#shared/adapters/ledger-in-worker.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { ledgerContract } from "#test/contract/ledger.ts";

const quiet = (): void => {};

ledgerContract("the ledger in a thread", async (now) => {
  const folder = await mkdtemp(join(tmpdir(), "ledger-"));
  const ledger = await openLedgerInWorker({ file: join(folder, "ledger.db"), now, log: quiet });
  return {
    ledger,
    dispose: async () => {
      await ledger.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe("the ledger in a thread", () => {
  let folder: string;
  let file: string;
  const now = () => 1_000;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ledger-"));
    file = join(folder, "ledger.db");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("loses nothing that was called before it was closed", async () => {
    const ledger = await openLedgerInWorker({ file, now, log: quiet });
    const written = Array.from({ length: 200 }, (_, version) =>
      ledger.append("audit/2026-11-23", version, { type: "asked", data: version }),
    );
    await ledger.close();
    expect((await Promise.all(written)).every(({ ok }) => ok)).toBe(true);
    const after = await openSqliteLedger({ file, now });
    expect((await after.read("audit/2026-11-23")).map(({ data }) => data)).toEqual(
      Array.from({ length: 200 }, (_, n) => n),
    );
    await after.close();
  });

  it("stamps what is written with the time of its call, though a lock held it up", async () => {
    let at = 5_000;
    const ledger = await openLedgerInWorker({ file, now: () => at, log: quiet });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const append = ledger.append("run/R-1", 0, { type: "asked", data: null });
    const lease = ledger.lease("goldentooth", "R-1", 30_000);
    at = 9_000;
    // Answered while the lock is held: reading does not wait for it, and neither does this thread.
    expect(await ledger.read("run/R-1")).toEqual([]);
    other.exec("COMMIT");
    other.close();
    expect(await append).toEqual({ ok: true, version: 1 });
    expect((await ledger.read("run/R-1")).map((event) => event.at)).toEqual([5_000]);
    expect(await lease).toMatchObject({ ok: true, lease: { until: 35_000 } });
    await ledger.close();
  });

  it("writes what the object was when it was called with it", async () => {
    const ledger = await openLedgerInWorker({ file, now, log: quiet });
    const data = { words: "arping httpbin" };
    const append = ledger.append("run/R-1", 0, { type: "asked", data });
    data.words = "changed at once";
    await append;
    expect((await ledger.read("run/R-1")).map((event) => event.data)).toEqual([{ words: "arping httpbin" }]);
    await ledger.close();
  });

  it("refuses at the start what the database refuses", async () => {
    await writeFile(file, "this is no database, it is a long enough text file all the same\n".repeat(20));
    await expect(openLedgerInWorker({ file, now, log: quiet })).rejects.toMatchObject({
      fault: { kind: "unreadable", what: `ledger ${file}` },
    });
    await expect(
      openLedgerInWorker({ file: join(folder, "no/where.db"), now, log: quiet }),
    ).rejects.toMatchObject({ fault: { kind: "unreadable" } });
  });

  it("says so when it is used after closing", async () => {
    const ledger = await openLedgerInWorker({ file, now, log: quiet });
    await ledger.close();
    await ledger.close();
    await expect(ledger.read("run/R-1")).rejects.toMatchObject({ fault: { kind: "cancelled" } });
  });
});
