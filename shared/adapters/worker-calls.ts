import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, Worker } from "node:worker_threads";
import { type Fault, FaultError } from "../fault.ts";

/**
 * Calls to a worker thread, so that work which blocks (a database's syncs, cryptography in JavaScript) blocks nobody who
 * waits for an answer. Arguments, results and events are copied by the structured clone algorithm.
 */

/** What a handler gets besides its arguments: the caller's abort, and a way to tell the caller something before the end. */
export type CallContext = Readonly<{ signal: AbortSignal; emit: (event: unknown) => void }>;

export type Handlers = Readonly<Record<string, (context: CallContext, ...args: never[]) => Promise<unknown>>>;

type ArgumentsOf<F> = F extends (context: CallContext, ...args: infer A) => unknown ? A : never;
type ResultOf<F> = F extends (...args: never[]) => Promise<infer R> ? R : never;

type Failure =
  | Readonly<{ kind: "fault"; fault: Fault }>
  | Readonly<{ kind: "error"; message: string; stack: string | undefined }>;

type ToWorker =
  | Readonly<{ kind: "call"; id: number; method: string; args: readonly unknown[]; aborted: boolean }>
  | Readonly<{ kind: "abort"; id: number }>
  | Readonly<{ kind: "close" }>;

/** Everything one turn of the event loop has to say goes as one message, when its input and output are done. */
type Batch<M> = readonly M[];

function batches<M>(
  post: (batch: Batch<M>) => void,
  refused: (message: M, error: unknown) => void,
): (message: M) => void {
  let waiting: M[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    try {
      post(batch);
    } catch {
      // One of them cannot be copied; the others go without it.
      for (const message of batch) {
        try {
          post([message]);
        } catch (error) {
          refused(message, error);
        }
      }
    }
  };
  return (message) => {
    if (waiting.push(message) === 1) setImmediate(flush);
  };
}

type FromWorker =
  | Readonly<{ kind: "ready" }>
  | Readonly<{ kind: "not-ready"; failure: Failure }>
  | Readonly<{ kind: "event"; id: number; event: unknown }>
  | Readonly<{ kind: "result"; id: number; value: unknown }>
  | Readonly<{ kind: "failed"; id: number; failure: Failure }>;

function failureOf(error: unknown): Failure {
  if (error instanceof FaultError) return { kind: "fault", fault: error.fault };
  return error instanceof Error
    ? { kind: "error", message: error.message, stack: error.stack }
    : { kind: "error", message: String(error), stack: undefined };
}

function errorOf(failure: Failure): Error {
  if (failure.kind === "fault") return new FaultError(failure.fault);
  const error = new Error(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

export type Served<H extends Handlers> = Readonly<{
  handlers: H;
  /** Called once, with the calls that are still under way; the thread ends when this and they have. */
  close: (running: Promise<unknown>) => Promise<void>;
}>;

/** In the worker: opens what it serves, then takes calls until it is told to close. */
export async function serveCalls<H extends Handlers>(open: () => Promise<Served<H>>): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("this file is a worker's: it does nothing by itself");
  const tell = batches<FromWorker>(
    (batch) => port.postMessage(batch),
    (message, error) => {
      if ("id" in message) tell({ kind: "failed", id: message.id, failure: failureOf(error) });
    },
  );
  let served: Served<H>;
  try {
    served = await open();
  } catch (error) {
    tell({ kind: "not-ready", failure: failureOf(error) });
    return;
  }
  const running = new Map<number, Readonly<{ abort: AbortController; over: Promise<void> }>>();

  const run = async (
    { id, method, args }: Extract<ToWorker, { kind: "call" }>,
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      const handler = served.handlers[method];
      if (handler === undefined) throw new Error(`the worker has no ${method}`);
      const emit = (event: unknown): void => tell({ kind: "event", id, event });
      tell({ kind: "result", id, value: await handler({ signal, emit }, ...(args as never[])) });
    } catch (error) {
      tell({ kind: "failed", id, failure: failureOf(error) });
    } finally {
      running.delete(id);
    }
  };

  const take = (message: ToWorker): void => {
    if (message.kind === "abort") running.get(message.id)?.abort.abort();
    else if (message.kind === "call") {
      const abort = new AbortController();
      if (message.aborted) abort.abort();
      // Entered before it runs: an abort may be the next message.
      let begin = (): void => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      running.set(message.id, { abort, over: begun.then(() => run(message, abort.signal)) });
      begin();
    } else {
      const rest = Promise.all([...running.values()].map(({ over }) => over));
      // What was told last leaves before the port does.
      void Promise.all([served.close(rest), rest]).then(() => setImmediate(() => port.close()));
    }
  };
  port.on("message", (batch: Batch<ToWorker>) => batch.forEach(take));
  tell({ kind: "ready" });
}

export type WorkerOptions = Readonly<{
  file: URL;
  /** What the worker finds as `workerData`. */
  data: unknown;
  /** Starts every message about it: "ledger /var/lib/arpeggio/ledger.db". */
  what: string;
  log: (entry: Readonly<Record<string, unknown>>) => void;
  /** Milliseconds before the first, second and any later restart in a row. */
  pauses?: readonly number[];
}>;

export type CallOptions = Readonly<{ signal?: AbortSignal; onEvent?: (event: unknown) => void }>;

export type WorkerCalls<H extends Handlers> = Readonly<{
  /** Rejects with the handler's own FaultError, or with one that says the thread ended before it answered. */
  call: <K extends keyof H & string>(
    method: K,
    args: ArgumentsOf<H[K]>,
    options?: CallOptions,
  ) => Promise<ResultOf<H[K]>>;
  /** Resolves when everything that was called has ended and the thread is gone. */
  close: () => Promise<void>;
}>;

/** A thread that dies again and again is started once a minute; one that lived that long starts anew at once. */
const usualPauses: readonly number[] = [0, 1_000, 5_000, 15_000, 60_000];
const soundAfterMs = 60_000;
const closeWithinMs = 10_000;

type Pending = Readonly<{
  resolve: (value: never) => void;
  reject: (error: Error) => void;
  onEvent: ((event: unknown) => void) | undefined;
  leave: () => void;
}>;

/** The worker of a source file lies beside it, and so do their bundles: `name.ts` or `name.mjs`. */
export const workerFile = (name: string, importer: string): URL =>
  new URL(`./${name}${/\.[a-z]+$/.exec(new URL(importer).pathname)?.[0]}`, importer);

/**
 * Starts the thread and waits until it can be called; throws what its opening threw. When the thread ends by itself, what
 * it owed is rejected and it is started again, with pauses between.
 */
export async function startWorker<H extends Handlers>(options: WorkerOptions): Promise<WorkerCalls<H>> {
  const { file, data, what, log, pauses = usualPauses } = options;
  const pending = new Map<number, Pending>();
  const closing = new AbortController();
  let nextId = 0;
  let deaths = 0;
  /** Undefined while it is dead; `gone` says why. */
  let current: Readonly<{ worker: Worker; tell: (message: ToWorker) => void }> | undefined;
  let gone = "";

  const fault = (detail: string): FaultError => new FaultError({ kind: "cancelled", what, detail });

  function settle(id: number, how: (call: Pending) => void): void {
    const call = pending.get(id);
    if (call === undefined) return;
    pending.delete(id);
    call.leave();
    how(call);
  }

  function start(): Promise<void> {
    const fresh = new Worker(file, {
      workerData: data,
      name: what,
      // What a thread reads is garbage a moment later: a small nursery keeps it from piling up between collections.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    });
    const startedAt = performance.now();
    const tell = batches<ToWorker>(
      (batch) => fresh.postMessage(batch),
      (message, error) => {
        if (message.kind === "call") settle(message.id, ({ reject }) => reject(error as Error));
      },
    );
    current = { worker: fresh, tell };
    let cause: Error | undefined;
    return new Promise((resolve, reject) => {
      const take = (message: FromWorker): void => {
        if (message.kind === "ready") resolve();
        else if (message.kind === "not-ready") cause = errorOf(message.failure);
        else if (message.kind === "event") pending.get(message.id)?.onEvent?.(message.event);
        else if (message.kind === "result")
          settle(message.id, ({ resolve }) => resolve(message.value as never));
        else settle(message.id, ({ reject }) => reject(errorOf(message.failure)));
      };
      fresh.on("message", (batch: Batch<FromWorker>) => batch.forEach(take));
      fresh.on("error", (error) => {
        cause = error instanceof Error ? error : new Error(String(error));
      });
      fresh.on("exit", (code) => {
        current = undefined;
        const why = cause?.message ?? `exit code ${code}`;
        reject(cause ?? fault(`its thread ended before it was ready (${why})`));
        gone = closing.signal.aborted ? "it is closed" : `its thread ended: ${why}`;
        for (const id of [...pending.keys()]) settle(id, ({ reject }) => reject(fault(gone)));
        if (closing.signal.aborted || !opened) return;
        deaths = performance.now() - startedAt >= soundAfterMs ? 1 : deaths + 1;
        const pauseMs = pauses[Math.min(deaths, pauses.length) - 1] ?? 0;
        log({
          level: "error",
          msg: `${gone}; it starts again`,
          what,
          inMs: pauseMs,
          error: cause?.stack ?? why,
        });
        void startAgain(pauseMs);
      });
    });
  }

  async function startAgain(pauseMs: number): Promise<void> {
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {});
    // Its end, should it not get ready either, is logged and followed up where ends are.
    if (!closing.signal.aborted) await start().catch(() => {});
  }

  let opened = false;
  await start();
  opened = true;

  return {
    call: (method, args, { signal, onEvent } = {}) =>
      new Promise((resolve, reject) => {
        if (closing.signal.aborted) return reject(fault("it is closed"));
        if (current === undefined) return reject(fault(`${gone}; it starts again in a while`));
        const id = nextId++;
        const { tell } = current;
        const onAbort = (): void => tell({ kind: "abort", id });
        const leave = (): void => signal?.removeEventListener("abort", onAbort);
        const aborted = signal?.aborted === true;
        tell({ kind: "call", id, method, args, aborted });
        pending.set(id, { resolve, reject, onEvent, leave });
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    close: async () => {
      const last = current;
      const first = !closing.signal.aborted;
      closing.abort();
      if (last === undefined) return;
      const exited = new Promise<void>((resolve) => last.worker.once("exit", () => resolve()));
      if (first) last.tell({ kind: "close" });
      const patience = new AbortController();
      const late = sleep(closeWithinMs, "late", { signal: patience.signal, ref: false }).catch(
        () => "in time",
      );
      if ((await Promise.race([exited, late])) === "late") {
        log({ level: "error", msg: `its thread did not end in ${closeWithinMs / 1_000} s`, what });
        await last.worker.terminate();
      }
      patience.abort();
    },
  };
}
