// A thread for the tests of worker-calls.ts: answers, fails, hangs and dies as it is told.
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { type CallContext, serveCalls } from "#shared/adapters/worker-calls.ts";
import { FaultError } from "#shared/fault.ts";

const { refuse, farewell } = workerData as { refuse?: string; farewell?: string };

const open = async () => {
  if (refuse === "fault") throw new FaultError({ kind: "denied", what: "test", detail: "not today" });
  if (refuse !== undefined) throw new Error(refuse);
  const handlers = {
    echo: async (_: CallContext, value: unknown) => value,
    later: async (_: CallContext, ms: number, value: unknown) => {
      await sleep(ms);
      return value;
    },
    count: async ({ emit }: CallContext, to: number) => {
      for (let n = 1; n <= to; n++) emit({ n });
      return to;
    },
    untilAborted: async ({ signal, emit }: CallContext) => {
      emit("begun");
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return "aborted";
    },
    fault: async () => {
      throw new FaultError({ kind: "unreachable", what: "node", detail: "no route" });
    },
    bug: async () => {
      throw new TypeError("a bug");
    },
    uncloneable: async () => () => {},
    crash: async () => {
      setImmediate(() => {
        throw new Error("crashed on purpose");
      });
      return new Promise(() => {});
    },
    exit: async () => process.exit(7),
  };
  return {
    handlers,
    close: async (running: Promise<unknown>) => {
      await running;
      if (farewell !== undefined) writeFileSync(farewell, "closed in order");
    },
  };
};

export type TestHandlers = Awaited<ReturnType<typeof open>>["handlers"];

await serveCalls(open);
