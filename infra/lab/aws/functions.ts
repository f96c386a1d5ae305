import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Json } from "#shared/json.ts";
import { bundleLambdas, type LambdaBundle, type LambdaName } from "../../bundle.ts";
import type { LabFunction } from "./lambda.ts";

/** What a function is deployed with. */
export type Deployment = Readonly<{ env: Readonly<Record<string, string>>; settings: Json }>;

export type LabFunctions = Readonly<{
  /** For the Lambda-invoke edge, under the names of the folders. */
  functions: ReadonlyMap<string, LabFunction>;
  /** Ends a function wherever it is, as Lambda does at its limits; the next event starts it anew. */
  kill: (name: LambdaName) => Promise<void>;
  close: () => Promise<void>;
}>;

const limitMs = 15 * 60_000;

type Answer = Readonly<{ id: number; value?: string; error?: Readonly<{ name: string; message: string }> }>;
type Waiting = Readonly<{ resolve: (value: unknown) => void; reject: (error: Error) => void }>;
type Running = Readonly<{ worker: Worker; waiting: Map<number, Waiting> }>;

const failed = (name: string, message: string): Error => Object.assign(new Error(message), { name });

function start({ directory, file }: LambdaBundle, env: Deployment["env"], ended: () => void): Running {
  const waiting = new Map<number, Waiting>();
  const worker = new Worker(new URL("./function-worker.ts", import.meta.url), {
    workerData: { file },
    // Nothing of the lab's own environment, as on Lambda.
    env: { LAMBDA_TASK_ROOT: directory, ...env },
    stdout: true,
  });
  worker.stdout.resume();
  worker.unref();
  worker.on("message", ({ id, value, error }: Answer) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (error) one?.reject(failed(error.name, error.message));
    else one?.resolve(JSON.parse(value ?? "null"));
  });
  const fail = (message: string): void => {
    ended();
    for (const { reject } of waiting.values()) reject(failed("Runtime.ExitError", message));
    waiting.clear();
  };
  worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)));
  worker.on("exit", () => fail("Runtime exited before it answered"));
  return { worker, waiting };
}

/**
 * The functions as they are deployed: the bundles, each in a thread with its own environment, made and started with the
 * first event.
 */
export function labFunctions(
  options: Readonly<{ dir: string; deploy: () => Promise<Readonly<Record<LambdaName, Deployment>>> }>,
): LabFunctions {
  let deployed: Promise<Readonly<Record<LambdaName, Deployment & { bundle: LambdaBundle }>>> | undefined;
  const running = new Map<LambdaName, Running>();
  let calls = 0;

  const deploy = async () => {
    const [bundles, deployments] = await Promise.all([bundleLambdas(options.dir), options.deploy()]);
    const one = async (name: LambdaName) => {
      await writeFile(
        join(bundles[name].directory, "settings.json"),
        JSON.stringify(deployments[name].settings),
      );
      return { ...deployments[name], bundle: bundles[name] };
    };
    return { "scan-drift": await one("scan-drift"), "apply-changes": await one("apply-changes") };
  };

  const call =
    (name: LambdaName): LabFunction =>
    async (payload, { awsRequestId }) => {
      deployed ??= deploy();
      const { bundle, env } = (await deployed)[name];
      const one = running.get(name) ?? start(bundle, env, () => running.delete(name));
      running.set(name, one);
      calls += 1;
      const id = calls;
      return new Promise((resolve, reject) => {
        one.waiting.set(id, { resolve, reject });
        one.worker.ref();
        one.worker.postMessage({ id, payload, awsRequestId, limitMs });
      });
    };

  const kill = async (name: LambdaName): Promise<void> => {
    await running.get(name)?.worker.terminate();
  };

  return {
    functions: new Map([
      ["scan-drift", call("scan-drift")],
      ["apply-changes", call("apply-changes")],
    ]),
    kill,
    close: async () => {
      await Promise.all([kill("scan-drift"), kill("apply-changes")]);
    },
  };
}
