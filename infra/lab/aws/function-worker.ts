import { parentPort, workerData } from "node:worker_threads";

type Call = Readonly<{ id: number; payload: unknown; awsRequestId: string; limitMs: number }>;

/** The part of Lambda's runtime that a handler sees: it is loaded once, and each event comes with a context. */
const { file } = workerData as { file: string };
const loaded = import(file) as Promise<{
  handler: (event: unknown, context: unknown) => Promise<unknown>;
}>;

parentPort?.on("message", ({ id, payload, awsRequestId, limitMs }: Call) => {
  const until = Date.now() + limitMs;
  const context = { awsRequestId, getRemainingTimeInMillis: () => until - Date.now() };
  loaded
    .then(({ handler }) => handler(payload, context))
    .then(
      (value) => parentPort?.postMessage({ id, value: JSON.stringify(value ?? null) }),
      (error: unknown) =>
        parentPort?.postMessage({
          id,
          error:
            error instanceof Error
              ? { name: error.name, message: error.message }
              : { name: "Error", message: String(error) },
        }),
    );
});
