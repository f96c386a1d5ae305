import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  startWorker,
  type WorkerCalls,
  type WorkerOptions,
  workerFile,
} from "#shared/adapters/worker-calls.ts";
import { FaultError } from "#shared/fault.ts";
import { until } from "#test/contract/shell.ts";
import type { TestHandlers } from "./calls-worker.ts";

type Entry = Readonly<Record<string, unknown>>;
const open: WorkerCalls<TestHandlers>[] = [];

async function start(options: Partial<WorkerOptions> = {}) {
  const logged: Entry[] = [];
  const worker = await startWorker<TestHandlers>({
    file: new URL("calls-worker.ts", import.meta.url),
    data: {},
    what: "the test's thread",
    log: (entry) => logged.push(entry),
    pauses: [0],
    ...options,
  });
  open.push(worker);
  return { worker, logged };
}

const failed = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: Error) => error,
  );

afterEach(async () => {
  await Promise.all(open.splice(0).map((worker) => worker.close()));
});

describe("calls to a thread", () => {
  it("brings arguments there and results back, many at once in any order", async () => {
    const { worker } = await start();
    const value = { words: "ä 漢", list: [1, null, { deep: true }], none: undefined };
    expect(await worker.call("echo", [value])).toEqual(value);
    const ended: number[] = [];
    await Promise.all(
      [60, 30, 0].map(async (ms) => ended.push((await worker.call("later", [ms, ms])) as number)),
    );
    expect(ended).toEqual([0, 30, 60]);
  });

  it("tells events in order, before the result", async () => {
    const { worker } = await start();
    const seen: unknown[] = [];
    const result = await worker.call("count", [3], { onEvent: (event) => seen.push(event) });
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(result).toBe(3);
  });

  it("forwards an abort, one from before the call included, to that call alone", async () => {
    const { worker } = await start();
    const abort = new AbortController();
    const other = worker.call("later", [50, "not aborted"], { signal: new AbortController().signal });
    const result = await worker.call("untilAborted", [], {
      signal: abort.signal,
      onEvent: () => abort.abort(),
    });
    expect(result).toBe("aborted");
    expect(await worker.call("untilAborted", [], { signal: AbortSignal.abort() })).toBe("aborted");
    expect(await other).toBe("not aborted");
  });

  it("keeps an abort right after the call", async () => {
    const { worker } = await start();
    const abort = new AbortController();
    const running = worker.call("untilAborted", [], { signal: abort.signal });
    abort.abort();
    expect(await running).toBe("aborted");
  });

  it("keeps a fault a FaultError and a bug an error with its stack", async () => {
    const { worker } = await start();
    const fault = await failed(worker.call("fault", []));
    expect(fault).toBeInstanceOf(FaultError);
    expect((fault as FaultError).fault).toEqual({ kind: "unreachable", what: "node", detail: "no route" });
    const bug = await failed(worker.call("bug", []));
    expect(bug).not.toBeInstanceOf(FaultError);
    expect(bug.message).toBe("a bug");
    expect(bug.stack).toContain("calls-worker.ts");
  });

  it("rejects what cannot be copied or is not served, and goes on", async () => {
    const { worker, logged } = await start();
    await expect(worker.call("echo", [() => {}])).rejects.toThrow("could not be cloned");
    await expect(worker.call("uncloneable", [])).rejects.toThrow("could not be cloned");
    await expect(worker.call("missing" as "echo", [1])).rejects.toThrow("the worker has no missing");
    expect(await worker.call("echo", [1])).toBe(1);
    expect(logged).toEqual([]);
  });

  it("throws at the start what the opening threw", async () => {
    const fault = await failed(start({ data: { refuse: "fault" } }));
    expect((fault as FaultError).fault).toEqual({ kind: "denied", what: "test", detail: "not today" });
    await expect(start({ data: { refuse: "no luck" } })).rejects.toThrow("no luck");
    await expect(start({ file: new URL("no-such-worker.ts", import.meta.url) })).rejects.toThrow(
      "no-such-worker",
    );
  });

  it.each([
    ["crash", "crashed on purpose"],
    ["exit", "exit code 7"],
  ] as const)("rejects what a thread owed that died by %s, logs it, and starts it again", async (how, why) => {
    const { worker, logged } = await start();
    const owed = [worker.call("untilAborted", []), worker.call(how, [])].map(failed);
    for (const error of await Promise.all(owed)) {
      expect(error).toBeInstanceOf(FaultError);
      expect((error as FaultError).fault).toEqual({
        kind: "cancelled",
        what: "the test's thread",
        detail: `its thread ended: ${why}`,
      });
    }
    expect(await worker.call("echo", ["again"])).toBe("again");
    expect(logged).toMatchObject([{ level: "error", what: "the test's thread", inMs: 0 }]);
    expect(String(logged[0]?.error)).toContain(why);
  });

  it("waits longer from death to death, answers meanwhile that it is gone, and comes back", async () => {
    const { worker, logged } = await start({ pauses: [0, 300] });
    await failed(worker.call("exit", []));
    await failed(worker.call("exit", []));
    const error = await failed(worker.call("echo", [1]));
    expect((error as FaultError).fault.detail).toBe(
      "its thread ended: exit code 7; it starts again in a while",
    );
    expect(logged.map(({ inMs }) => inMs)).toEqual([0, 300]);
    await until(async () => (await worker.call("echo", [1]).catch(() => 0)) === 1);
  });

  it("ends what runs before it closes, and takes nothing more", async () => {
    const folder = await mkdtemp(join(tmpdir(), "worker-calls-"));
    const farewell = join(folder, "farewell");
    const { worker, logged } = await start({ data: { farewell } });
    const running = worker.call("later", [50, "ended"]);
    await Promise.all([worker.close(), worker.close()]);
    expect(await running).toBe("ended");
    expect(await readFile(farewell, "utf8")).toBe("closed in order");
    const error = await failed(worker.call("echo", [1]));
    expect((error as FaultError).fault).toMatchObject({ kind: "cancelled", detail: "it is closed" });
    await worker.close();
    expect(logged).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it("closes while it is dead without starting again", async () => {
    const { worker, logged } = await start({ pauses: [60_000] });
    await failed(worker.call("exit", []));
    await worker.close();
    expect(logged).toHaveLength(1);
  });
});

it("finds the file of a worker beside a source and beside a bundled chunk", () => {
  expect(workerFile("ledger-worker", "file:///a/shared/adapters/x.ts").href).toBe(
    "file:///a/shared/adapters/ledger-worker.ts",
  );
  expect(workerFile("ledger-worker", "file:///a/dist/chunk-X7.mjs").href).toBe(
    "file:///a/dist/ledger-worker.mjs",
  );
});
