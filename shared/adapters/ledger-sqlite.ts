import { open, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind } from "../fault.ts";
import { FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import type { Lease, Ledger, LedgerEvent } from "../ledger/ledger.ts";
import { kindOf } from "../ledger/stream.ts";

/**
 * File systems on which SQLite's locks or its shared-memory file do not hold between machines (sqlite.org/wal.html).
 * Numbers: `f_type` of statfs(2), Linux `linux/magic.h`. FUSE is refused as a whole: sshfs and a local FUSE file
 * system look the same from here, and so do virtiofs and 9p shares of a virtual machine's host.
 */
const remoteFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x65735546, "FUSE (sshfs, virtiofs and others)"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x786f4256, "vboxsf"],
]);

export type SqliteLedgerOptions = Readonly<{
  /** Path of the database; its folder must exist and be on a local disk. */
  file: string;
  /** Milliseconds since the epoch: times of events and of leases. */
  now: () => number;
  /** How often a busy database is tried before giving up; each try blocks the event loop for 25 ms at most. */
  attempts?: number;
  /** `f_type` of the file system that holds a folder; the real one unless a test says otherwise. */
  fileSystemType?: (folder: string) => Promise<number>;
}>;

const what = (file: string): string => `ledger ${file}`;
const schemaVersion = 1;
/** A held lock blocks the whole process this long; waiting beyond it is done without blocking. */
const blockMs = 25;
const defaultAttempts = 40;
const longestPauseMs = 200;

// Primary result codes, sqlite.org/rescode.html
const busy = 5;
const locked = 6;
const kinds: ReadonlyMap<number, FaultKind> = new Map([
  [3, "denied"],
  [8, "denied"],
  [14, "denied"],
  [23, "denied"],
]);

const primaryCode = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode & 0xff
    : undefined;

const isBusy = (error: unknown): boolean => {
  const code = primaryCode(error);
  return code === busy || code === locked;
};

function asFault(file: string, error: unknown): unknown {
  if (error instanceof FaultError) return error;
  const code = primaryCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code !== undefined)
    return new FaultError(
      { kind: kinds.get(code) ?? "unreadable", what: what(file), detail: message },
      { cause: error },
    );
  if (error instanceof Error && "code" in error && error.code === "ERR_INVALID_STATE")
    return new FaultError({ kind: "cancelled", what: what(file), detail: "it is closed" }, { cause: error });
  return error;
}

async function refuseRemote(
  file: string,
  fileSystemType: (folder: string) => Promise<number>,
): Promise<void> {
  const folder = dirname(file);
  const type = await fileSystemType(folder).catch((error: unknown) => {
    const detail = error instanceof Error ? error.message : String(error);
    throw new FaultError({ kind: "unreadable", what: `folder of ${what(file)}`, detail }, { cause: error });
  });
  const name = remoteFileSystems.get(type >>> 0);
  if (name === undefined) return;
  throw new FaultError({
    kind: "refused",
    what: what(file),
    detail: `${folder} is on ${name}, where SQLite's locks cannot be relied on; use a local disk`,
  });
}

const schema = `
  CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (stream, version)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS first_event ON event (kind, seq) WHERE version = 1;
  CREATE TABLE IF NOT EXISTS lease (
    cluster TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = ${schemaVersion};
`;

/** Pages of 4 KiB in the log before they move to the database: 40 MiB. That move syncs, and everybody waits for it. */
const checkpointPages = 10_000;

/**
 * Kinds whose last seconds may be lost to a power cut, though never to a crash of the process: a sync takes tens of
 * milliseconds at times, and nobody's answer waits for it. Everything that decides about a change is synced.
 */
const unsynced: ReadonlySet<string> = new Set(["asked", "audit", "counter", "dedupe", "outbox"]);

/**
 * The ledger of a bot without Lambdas: one SQLite file, any number of processes on one machine. Commits are synced to
 * disk before they are reported, but for the kinds in `unsynced`. Throws FaultError: `refused` (network file system, newer schema), `denied`,
 * `unreadable` (not a database, damaged), `timed-out` (another process held the lock through all attempts).
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { file, now, attempts = defaultAttempts } = options;
  await refuseRemote(file, options.fileSystemType ?? (async (folder) => (await statfs(folder)).type));

  /** Runs `work` until the database is free. Pauses are asynchronous and end after `attempts` tries. */
  async function whenFree<T>(work: () => T): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw asFault(file, error);
        if (attempt >= attempts)
          throw new FaultError(
            {
              kind: "timed-out",
              what: what(file),
              detail: `another process held its lock through ${attempts} tries`,
            },
            { cause: error },
          );
        const pause = Math.min(5 * 2 ** attempt, longestPauseMs);
        await sleep(pause / 2 + Math.random() * (pause / 2));
      }
    }
  }

  // The file holds what people typed: readable by the bot's account only.
  await open(file, "a", 0o600).then(
    (handle) => handle.close(),
    (error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      throw new FaultError({ kind: "denied", what: what(file), detail }, { cause: error });
    },
  );
  const db = new DatabaseSync(file, { timeout: blockMs });

  let level = "";
  /** Takes effect with the next transaction. */
  const sync = (wanted: "FULL" | "NORMAL"): void => {
    if (level !== wanted) db.exec(`PRAGMA synchronous = ${wanted}`);
    level = wanted;
  };

  function transaction<T>(work: () => T, wanted: "FULL" | "NORMAL" = "FULL"): T {
    sync(wanted);
    db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  try {
    await whenFree(() => {
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = ${checkpointPages};`);
      const found = Number(db.prepare("PRAGMA user_version").get()?.user_version);
      if (found > schemaVersion)
        throw new FaultError({
          kind: "refused",
          what: what(file),
          detail: `written by a newer release (schema ${found}, this one knows ${schemaVersion})`,
        });
      if (found < schemaVersion) transaction(() => db.exec(schema));
    });
  } catch (error) {
    db.close();
    throw error;
  }

  const selectEvents = db.prepare(
    "SELECT version, at, type, data FROM event WHERE stream = ? AND version > ? ORDER BY version",
  );
  const selectVersion = db.prepare("SELECT coalesce(max(version), 0) AS version FROM event WHERE stream = ?");
  const insertEvent = db.prepare(
    "INSERT INTO event (stream, kind, version, at, type, data) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const selectStreams = db.prepare("SELECT stream FROM event WHERE kind = ? AND version = 1 ORDER BY seq");
  const selectLease = db.prepare("SELECT cluster, holder, token, until FROM lease WHERE cluster = ?");
  const upsertLease = db.prepare(
    "INSERT INTO lease (cluster, holder, token, until) VALUES (?, ?, ?, ?) " +
      "ON CONFLICT (cluster) DO UPDATE SET holder = excluded.holder, token = excluded.token, until = excluded.until",
  );
  const clearLease = db.prepare("UPDATE lease SET holder = '', until = 0 WHERE cluster = ? AND token = ?");

  function parse(stream: string, version: number, data: string): Json {
    try {
      return JSON.parse(data) as Json;
    } catch (error) {
      throw new FaultError(
        { kind: "unreadable", what: `${stream} version ${version} in ${what(file)}`, detail: "not JSON" },
        { cause: error },
      );
    }
  }

  const heldLease = (cluster: string): Lease | undefined => {
    const row = selectLease.get(cluster);
    return row && { cluster, holder: String(row.holder), token: Number(row.token), until: Number(row.until) };
  };

  return {
    read: async (stream, after = 0) => {
      kindOf(stream);
      const rows = await whenFree(() => selectEvents.all(stream, after));
      return rows.map((row): LedgerEvent => {
        const version = Number(row.version);
        return {
          stream,
          version,
          at: Number(row.at),
          type: String(row.type),
          data: parse(stream, version, String(row.data)),
        };
      });
    },

    append: async (stream, expectedVersion, event) => {
      const kind = kindOf(stream);
      const data = JSON.stringify(event.data);
      return whenFree(() =>
        transaction(
          () => {
            const version = Number(selectVersion.get(stream)?.version);
            if (version !== expectedVersion) return { ok: false, version } as const;
            insertEvent.run(stream, kind, version + 1, Math.trunc(now()), event.type, data);
            return { ok: true, version: version + 1 } as const;
          },
          unsynced.has(kind) ? "NORMAL" : "FULL",
        ),
      );
    },

    list: async (kind) => {
      const rows = await whenFree(() => selectStreams.all(kind));
      return rows.map((row) => String(row.stream));
    },

    lease: async (cluster, holder, ttlMs) => {
      // The empty holder is what a released lease has.
      if (holder === "") throw new Error("a lease needs a holder");
      // A new holder's token must survive a power cut; a renewal is a sign of life that may be lost.
      return whenFree(() =>
        transaction(
          () => {
            const at = Math.trunc(now());
            const held = heldLease(cluster);
            if (held !== undefined && held.holder !== holder && held.until > at)
              return { ok: false, held } as const;
            const token = held === undefined ? 1 : held.holder === holder ? held.token : held.token + 1;
            const lease: Lease = { cluster, holder, token, until: at + Math.trunc(ttlMs) };
            upsertLease.run(cluster, holder, token, lease.until);
            return { ok: true, lease } as const;
          },
          heldLease(cluster)?.holder === holder ? "NORMAL" : "FULL",
        ),
      );
    },

    release: async (cluster, token) => {
      await whenFree(() => clearLease.run(cluster, token));
    },

    close: async () => {
      if (db.isOpen) db.close();
    },
  };
}
