import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { startDynalite } from "../adapters/dynalite-server.ts";

/** One ledger that several processes share, each by a handle of its own, on a clock that waits for every call of it. */
export type SharedLedger = Readonly<{
  clock: VirtualClock;
  open: () => Promise<Ledger>;
  close: () => Promise<void>;
}>;

type Store = Readonly<{ open: (now: () => number) => Promise<Ledger>; close: () => Promise<void> }>;

async function inSqlite(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "runs-"));
  return {
    open: (now) => openSqliteLedger({ file: join(folder, "ledger.db"), now }),
    close: () => rm(folder, { recursive: true }),
  };
}

async function inDynamo(): Promise<Store> {
  const db = await startDynalite();
  let table: string | undefined;
  return {
    open: async (now) => {
      const opened = await db.open(now, table);
      table = opened.table;
      return opened.ledger;
    },
    close: db.close,
  };
}

const stores = { SQLite: inSqlite, DynamoDB: inDynamo } as const;
export type StoreName = keyof typeof stores;
export const storeNames = Object.keys(stores) as readonly StoreName[];

export async function shareLedger(name: StoreName): Promise<SharedLedger> {
  const store = await stores[name]();
  let underWay = 0;
  // A turn of the event loop lets retries and everybody's promises come on; time stands while an answer is on its way.
  const clock = createVirtualClock(Date.UTC(2026, 10, 23, 14), async () => {
    do await new Promise((resolve) => setTimeout(resolve, 1));
    while (underWay > 0);
  });
  const waitedFor =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      underWay++;
      try {
        return await call(...args);
      } finally {
        underWay--;
      }
    };
  const open: Ledger[] = [];
  return {
    clock,
    open: async () => {
      const real = await store.open(clock.now);
      open.push(real);
      return {
        ...real,
        append: waitedFor(real.append),
        read: waitedFor(real.read),
        list: waitedFor(real.list),
        lease: waitedFor(real.lease),
        release: waitedFor(real.release),
      };
    },
    close: async () => {
      for (const one of open) await one.close();
      await store.close();
    },
  };
}
