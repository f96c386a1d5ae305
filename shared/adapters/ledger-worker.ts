import { AsyncLocalStorage } from "node:async_hooks";
import { workerData } from "node:worker_threads";
import type { Json } from "../json.ts";
import { openSqliteLedger } from "./ledger-sqlite.ts";
import { type CallContext, serveCalls } from "./worker-calls.ts";

/** Entry of the thread in which the ledger's database is read and written. */

export type LedgerWorkerData = Readonly<{ file: string }>;

const open = async () => {
  const { file } = workerData as LedgerWorkerData;
  /** When the caller called: what it did then is not later because others were written first. */
  const calledAt = new AsyncLocalStorage<number>();
  const ledger = await openSqliteLedger({ file, now: () => calledAt.getStore() ?? Date.now() });
  const handlers = {
    read: (_: CallContext, stream: string, after: number | undefined) => ledger.read(stream, after),
    append: (
      _: CallContext,
      at: number,
      stream: string,
      expectedVersion: number,
      event: Readonly<{ type: string; json: string }>,
    ) => {
      const data = JSON.parse(event.json) as Json;
      return calledAt.run(at, () => ledger.append(stream, expectedVersion, { type: event.type, data }));
    },
    list: (_: CallContext, kind: string) => ledger.list(kind),
    lease: (_: CallContext, at: number, cluster: string, holder: string, ttlMs: number) =>
      calledAt.run(at, () => ledger.lease(cluster, holder, ttlMs)),
    release: (_: CallContext, cluster: string, token: number) => ledger.release(cluster, token),
  };
  return {
    handlers,
    close: async (running: Promise<unknown>) => {
      await running;
      await ledger.close();
    },
  };
};

export type LedgerHandlers = Awaited<ReturnType<typeof open>>["handlers"];

await serveCalls(open);
