import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from "@aws-sdk/client-lambda";
import * as z from "zod";
import { FaultError, type FaultKind } from "../fault.ts";
import type { InvokeFunction } from "../invoke.ts";
import type { Json } from "../json.ts";
import { awsFault } from "./aws-fault.ts";
import type { AwsCredentials } from "./route53.ts";

export type LambdaOptions = Readonly<{
  region: string;
  /** Left out: what AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL or the region say. */
  endpoint?: string;
  /** Left out: the SDK's chain. */
  credentials?: AwsCredentials;
  /** Longer than the function may run; Lambda's own limit is 15 minutes. */
  timeoutMs?: number;
}>;

const errorShape = z.looseObject({ errorType: z.string().default(""), errorMessage: z.string().default("") });

const readJson = (payload: Uint8Array | undefined): Json | undefined => {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString("utf8")) as Json;
  } catch {
    return undefined;
  }
};

/** What the runtime says of a function that did not answer: it threw, ran out of time or of memory, or did not start. */
function functionFault(what: string, { Payload }: InvokeCommandOutput): FaultError {
  const { errorType, errorMessage } = errorShape.safeParse(readJson(Payload)).data ?? {
    errorType: "",
    errorMessage: "",
  };
  const said = `${errorType} ${errorMessage}`;
  const kind: FaultKind = /Task timed out|Sandbox\.Timedout/.test(said) ? "timed-out" : "refused";
  const words = [errorType, errorMessage.replace(/\s+/g, " ").slice(0, 300)].filter((part) => part !== "");
  return new FaultError({ kind, what, detail: `it failed: ${words.join(": ") || "no reason given"}` });
}

/** Lambda's Invoke. One try: a function that acts must not run twice because an answer was lost. */
export function connectLambda(options: LambdaOptions): InvokeFunction & Readonly<{ close: () => void }> {
  const client = new LambdaClient({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: options.timeoutMs ?? 910_000,
      throwOnRequestTimeout: true,
    },
  });

  async function invoke(name: string, payload: Json, InvocationType: "RequestResponse" | "Event") {
    try {
      return await client.send(
        new InvokeCommand({
          FunctionName: name,
          InvocationType,
          Payload: Buffer.from(JSON.stringify(payload)),
        }),
      );
    } catch (error) {
      throw awsFault(error, `function ${name}`);
    }
  }

  return {
    ask: async (name, payload) => {
      const answer = await invoke(name, payload, "RequestResponse");
      const what = `function ${name}`;
      if (answer.FunctionError !== undefined) throw functionFault(what, answer);
      const said = readJson(answer.Payload);
      if (said === undefined)
        throw new FaultError({ kind: "unreadable", what, detail: "its answer is not JSON" });
      return said;
    },
    tell: async (name, payload) => {
      await invoke(name, payload, "Event");
    },
    close: () => client.destroy(),
  };
}
