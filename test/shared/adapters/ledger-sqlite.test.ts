import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { FaultError } from "#shared/fault.ts";
import { audit, readAudit } from "#shared/ledger/audit.ts";
import { claimOnce } from "#shared/ledger/dedupe.ts";
import { ledgerContract } from "#test/contract/ledger.ts";

ledgerContract("the ledger in SQLite", async (now) => {
  const folder = await mkdtemp(join(tmpdir(), "ledger-"));
  const ledger = await openSqliteLedger({ file: join(folder, "ledger.db"), now });
  return {
    ledger,
    dispose: async () => {
      await ledger.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe("the ledger in SQLite", () => {
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

  const faultOf = async (work: Promise<unknown>): Promise<FaultError["fault"]> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FaultError);
    return (error as FaultError).fault;
  };

  it("has everything after it was closed and opened again", async () => {
    const before = await openSqliteLedger({ file, now });
    await before.append("run/R-1", 0, { type: "started", data: { a: "ä" } });
    await before.lease("goldentooth", "R-1", 5_000);
    await before.close();
    const after = await openSqliteLedger({ file, now });
    expect((await after.read("run/R-1")).map((event) => event.data)).toEqual([{ a: "ä" }]);
    expect((await after.lease("goldentooth", "R-2", 5_000)).ok).toBe(false);
    await after.close();
  });

  it("is readable by its own account only", async () => {
    const ledger = await openSqliteLedger({ file, now });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await ledger.close();
  });

  it("loses nothing and lets exactly one win when two processes race for every version", async () => {
    const racer = fileURLToPath(new URL("append-racer.ts", import.meta.url));
    const each = 60;
    const run = promisify(execFile);
    const outputs = await Promise.all(
      ["left", "right"].map((name) => run(process.execPath, [racer, file, name, String(each)])),
    );
    const [left = [], right = []] = outputs.map(({ stdout }) => JSON.parse(stdout) as number[]);

    const ledger = await openSqliteLedger({ file, now });
    const events = await ledger.read("run/race");
    await ledger.close();
    expect(events.map((event) => event.version)).toEqual(Array.from({ length: 2 * each }, (_, i) => i + 1));
    const versionsOf = (name: string) =>
      events.filter((event) => (event.data as { name: string }).name === name).map((event) => event.version);
    expect(versionsOf("left")).toEqual(left);
    expect(versionsOf("right")).toEqual(right);
  });

  it("gives a key and a lease to one of two connections", async () => {
    const [one, two] = await Promise.all([openSqliteLedger({ file, now }), openSqliteLedger({ file, now })]);
    const claims = await Promise.all([claimOnce(one, "Ev1", 5), claimOnce(two, "Ev1", 5)]);
    expect(claims.toSorted()).toEqual([false, true]);
    const leases = await Promise.all([one.lease("g", "a", 1_000), two.lease("g", "b", 1_000)]);
    expect(leases.filter((lease) => lease.ok)).toHaveLength(1);
    await one.close();
    await two.close();
  });

  it("waits for a held lock without blocking, and goes on when it is free", async () => {
    const ledger = await openSqliteLedger({ file, now });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    let ticks = 0;
    const ticker = setInterval(() => {
      ticks += 1;
      if (ticks === 3) other.exec("COMMIT");
    }, 10);
    expect(await ledger.append("run/R-1", 0, { type: "x", data: null })).toEqual({ ok: true, version: 1 });
    clearInterval(ticker);
    // The timer could only run because the append gave the event loop back while it waited.
    expect(ticks).toBeGreaterThanOrEqual(3);
    other.close();
    await ledger.close();
  });

  it("says timed-out when the lock is never given back, and works again afterwards", async () => {
    const ledger = await openSqliteLedger({ file, now, attempts: 2 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const fault = await faultOf(ledger.append("run/R-1", 0, { type: "x", data: null }));
    expect(fault).toMatchObject({
      kind: "timed-out",
      detail: "another process held its lock through 2 tries",
    });
    expect(await ledger.read("run/R-1")).toEqual([]);
    other.exec("ROLLBACK");
    other.close();
    expect((await ledger.append("run/R-1", 0, { type: "x", data: null })).ok).toBe(true);
    await ledger.close();
  });

  it.each([
    [0x6969, "NFS"],
    [0xff534d42, "CIFS"],
    [0xfe534d42, "SMB2"],
    [-11317950, "CIFS"],
    [0x65735546, "FUSE"],
    [0x01021997, "9p"],
    [0x00c36400, "Ceph"],
  ])("refuses file system type %d (%s)", async (type, name) => {
    const fault = await faultOf(openSqliteLedger({ file, now, fileSystemType: async () => type }));
    expect(fault.kind).toBe("refused");
    expect(fault.detail).toContain(`is on ${name}`);
    expect(fault.detail).toContain("use a local disk");
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it.each([
    [0xef53, "ext4"],
    [0x58465342, "XFS"],
    [0x9123683e, "Btrfs"],
    [0x794c7630, "overlay"],
    [0x01021994, "tmpfs"],
  ])("accepts file system type %d (%s)", async (type) => {
    const ledger = await openSqliteLedger({ file, now, fileSystemType: async () => type });
    await ledger.close();
  });

  it("says which folder is missing", async () => {
    const fault = await faultOf(openSqliteLedger({ file: join(folder, "no/where.db"), now }));
    expect(fault.kind).toBe("unreadable");
    expect(fault.detail).toContain("ENOENT");
  });

  it("refuses a file that is no database and one of a newer release", async () => {
    await writeFile(file, "this is no database, it is a long enough text file all the same\n".repeat(20));
    expect((await faultOf(openSqliteLedger({ file, now }))).kind).toBe("unreadable");

    const newer = join(folder, "newer.db");
    const db = new DatabaseSync(newer);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const fault = await faultOf(openSqliteLedger({ file: newer, now }));
    expect(fault).toMatchObject({
      kind: "refused",
      detail: "written by a newer release (schema 99, this one knows 1)",
    });
  });

  it("says so when it is used after closing", async () => {
    const ledger = await openSqliteLedger({ file, now });
    await ledger.close();
    await ledger.close();
    expect((await faultOf(ledger.read("run/R-1"))).kind).toBe("cancelled");
  });

  it("reports a damaged event instead of skipping it", async () => {
    const ledger = await openSqliteLedger({ file, now });
    await ledger.append("run/R-1", 0, { type: "x", data: 1 });
    const db = new DatabaseSync(file);
    db.exec("UPDATE event SET data = '{'");
    db.close();
    expect(await faultOf(ledger.read("run/R-1"))).toMatchObject({ kind: "unreadable", detail: "not JSON" });
    await ledger.close();
  });

  it("keeps every entry of an audit that two connections write at once", async () => {
    const [one, two] = await Promise.all([openSqliteLedger({ file, now }), openSqliteLedger({ file, now })]);
    const at = Date.UTC(2026, 10, 23);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        audit(i % 2 ? one : two, {
          at,
          account: `U${i}`,
          door: "slack",
          words: "arping all",
          outcome: "ok",
          durationMs: 1,
        }),
      ),
    );
    const accounts = (await readAudit(one, "2026-11-23")).map((entry) => entry.account);
    expect(accounts.toSorted()).toEqual(Array.from({ length: 20 }, (_, i) => `U${i}`).toSorted());
    await one.close();
    await two.close();
  });
});
