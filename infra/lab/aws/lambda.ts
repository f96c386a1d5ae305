import type { Json } from "#shared/json.ts";
import type { AwsAnswer, AwsRequest } from "./answer.ts";

/** A handler as Lambda calls it: what it returns is the answer, what it throws is a function error. */
export type LabFunction = (payload: Json, context: Readonly<{ awsRequestId: string }>) => Promise<unknown>;

export type LambdaFaults = Readonly<{
  /** The next so many invocations end as if the function had been killed at its time limit; nothing of it runs. */
  timeOut: (invocations: number) => void;
  /** Every event is delivered twice, as Lambda's queue may do. */
  deliverTwice: (on: boolean) => void;
}>;

export type LambdaApi = Readonly<{
  answer: (request: AwsRequest) => Promise<AwsAnswer>;
  faults: LambdaFaults;
  /** Resolves when no event is being worked on. */
  idle: () => Promise<void>;
}>;

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): AwsAnswer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

const fault = (status: number, code: string, message: string): AwsAnswer =>
  json(status, { Type: "User", Message: message }, { "x-amzn-errortype": code });

/** More is refused: 6 MB for an answer that is waited for, 1 MB for an event (Lambda quotas). */
const mostBytes = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024 };

/** Lambda's Invoke over functions of this process, in the words of the service. */
export function createLambdaApi(
  functions: ReadonlyMap<string, LabFunction>,
  options: Readonly<{ newId: () => string; region: string }>,
): LambdaApi {
  const events = new Set<Promise<unknown>>();
  let timingOut = 0;
  let twice = false;

  async function run(handler: LabFunction, payload: Json, awsRequestId: string): Promise<AwsAnswer> {
    const failed = (errorType: string, errorMessage: string): AwsAnswer =>
      json(
        200,
        { errorType, errorMessage, trace: [] },
        { "x-amz-function-error": "Unhandled", "x-amz-executed-version": "$LATEST" },
      );
    if (timingOut > 0) {
      timingOut -= 1;
      return failed(
        "Sandbox.Timedout",
        `RequestId: ${awsRequestId} Error: Task timed out after 60.00 seconds`,
      );
    }
    try {
      const result = await handler(payload, { awsRequestId });
      return json(200, result ?? null, { "x-amz-executed-version": "$LATEST" });
    } catch (error) {
      return error instanceof Error
        ? failed(error.name, error.message)
        : failed(typeof error, JSON.stringify(error));
    }
  }

  return {
    faults: {
      timeOut: (invocations) => {
        timingOut = invocations;
      },
      deliverTwice: (on) => {
        twice = on;
      },
    },
    idle: async () => {
      while (events.size > 0) await Promise.all(events);
    },
    answer: async ({ method, path, headers, body }) => {
      const named = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/.exec(path)?.[1];
      if (method !== "POST" || named === undefined)
        return fault(501, "NotImplementedException", `The lab does not speak ${method} ${path}`);
      const name = decodeURIComponent(named).replace(/^arn:[^:]+:lambda:[^:]+:\d+:function:/, "");
      const handler = functions.get(name.replace(/:[^:]+$/, ""));
      if (handler === undefined)
        return fault(
          404,
          "ResourceNotFoundException",
          `Function not found: arn:aws:lambda:${options.region}:000000000000:function:${name}`,
        );
      const type = headers["x-amz-invocation-type"] === "Event" ? "Event" : "RequestResponse";
      if (body.length > mostBytes[type])
        return fault(
          413,
          "RequestTooLargeException",
          `Request must be smaller than ${mostBytes[type]} bytes`,
        );
      let payload: Json;
      try {
        payload = body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Json);
      } catch {
        return fault(400, "InvalidRequestContentException", "Could not parse request body into json");
      }
      const id = options.newId();
      if (headers["x-amz-invocation-type"] === "DryRun") return { status: 204 };
      if (type === "RequestResponse") return run(handler, payload, id);
      for (let time = twice ? 2 : 1; time > 0; time--) {
        // Only the answer was given up: the event is worked on.
        const working = run(handler, payload, id);
        events.add(working);
        void working.finally(() => events.delete(working));
      }
      return { status: 202 };
    },
  };
}
