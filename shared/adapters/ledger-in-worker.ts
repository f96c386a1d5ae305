import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerHandlers, LedgerWorkerData } from "./ledger-worker.ts";
import { startWorker, type WorkerOptions, workerFile } from "./worker-calls.ts";

/**
 * The SQLite ledger in a thread of its own: a sync of a busy disk then stops no answer that does not need it. Same
 * promises and faults as `openSqliteLedger`; after the thread's death an append may or may not have been written, which
 * the version it expects tells at the next try. Times are the caller's, at the call.
 */
export async function openLedgerInWorker(
  options: Readonly<{ file: string; now: () => number; log: WorkerOptions["log"] }>,
): Promise<Ledger> {
  const { file, now, log } = options;
  const worker = await startWorker<LedgerHandlers>({
    file: workerFile("ledger-worker", import.meta.url),
    data: { file } satisfies LedgerWorkerData,
    what: `ledger ${file}`,
    log,
  });
  return {
    read: (stream, after) => worker.call("read", [stream, after]),
    append: (stream, expectedVersion, { type, data }) =>
      // As text from now on: what the caller does to its object afterwards is not written.
      worker.call("append", [now(), stream, expectedVersion, { type, json: JSON.stringify(data) }]),
    list: (kind) => worker.call("list", [kind]),
    lease: (cluster, holder, ttlMs) => worker.call("lease", [now(), cluster, holder, ttlMs]),
    release: (cluster, token) => worker.call("release", [cluster, token]),
    close: worker.close,
  };
}
