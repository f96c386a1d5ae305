import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { AwsAnswer, AwsRequest } from "./answer.ts";
import { createLambdaApi, type LabFunction, type LambdaFaults } from "./lambda.ts";
import { createRoute53Api, type ZoneStore } from "./route53.ts";
import { createS3Api } from "./s3.ts";
import { secretsAnswer } from "./secrets.ts";

/** One call that came in: `Route53.ListResourceRecordSets`, `S3.PUT`, with the status it got (0: no answer). */
export type AwsCall = Readonly<{ at: number; call: string; status: number }>;

export type LabAws = Readonly<{
  /** For AWS_ENDPOINT_URL: every service on one port, told apart as its clients address it. */
  url: string;
  /** What the SDK and `aws` need in their environment. */
  env: Readonly<Record<string, string>>;
  calls: () => readonly AwsCall[];
  faults: Readonly<{ lambda: LambdaFaults }>;
  /** Resolves when no event of a function is being worked on. */
  idle: () => Promise<void>;
  close: () => Promise<void>;
}>;

const mostBytes = 16 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > mostBytes) throw new Error(`body over ${mostBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

const headersOf = (request: IncomingMessage): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  );

function send(response: ServerResponse, answer: AwsAnswer, requestId: string): void {
  if (answer === "no answer") {
    response.socket?.destroy();
    return;
  }
  const body = Buffer.from(answer.body ?? "");
  response.writeHead(answer.status, {
    "x-amzn-requestid": requestId,
    "content-length": body.length,
    ...answer.headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/**
 * Route 53, Lambda, S3, Secrets Manager and DynamoDB on loopback for the unmodified SDK and the real `aws`. Nobody is authenticated; a
 * request without a signature is refused all the same, as a client that lost its credentials would be.
 */
export async function startLabAws(
  options: Readonly<{
    host: string;
    port: number;
    zones: ZoneStore;
    functions?: ReadonlyMap<string, LabFunction>;
    buckets?: readonly string[];
    /** What Secrets Manager tells, by name. */
    secrets?: Readonly<Record<string, string>>;
    now: () => number;
    newId: () => string;
  }>,
): Promise<LabAws> {
  const region = "eu-central-1";
  const { now, newId } = options;
  const route53 = createRoute53Api(options.zones, { now, newId });
  const lambda = createLambdaApi(options.functions ?? new Map(), { newId, region });
  const s3 = createS3Api({ buckets: options.buckets ?? [], now });
  /** Loaded with the first request: most who use the lab never ask it. */
  let database: Promise<Server> | undefined;
  const dynamodb = (): Promise<Server> => {
    database ??= import("dynalite").then(({ default: dynalite }) =>
      dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }),
    );
    return database;
  };
  const calls: AwsCall[] = [];

  async function answer(request: AwsRequest): Promise<Readonly<{ call: string; answer: AwsAnswer }>> {
    if (request.headers.authorization === undefined)
      return {
        call: "unsigned",
        answer: {
          status: 403,
          body: '{"__type":"MissingAuthenticationToken","message":"Missing Authentication Token"}',
        },
      };
    if (request.headers["x-amz-target"] === "secretsmanager.GetSecretValue")
      return {
        call: "SecretsManager.GetSecretValue",
        answer: secretsAnswer(request, options.secrets ?? {}),
      };
    if (request.path.startsWith("/2013-04-01/")) {
      const told = await route53(request);
      return { call: `Route53.${told.operation}`, answer: told.answer };
    }
    if (request.path.startsWith("/2015-03-31/"))
      return { call: "Lambda.Invoke", answer: await lambda.answer(request) };
    return { call: `S3.${request.method}`, answer: s3(request) };
  }

  const server = createServer((request, response) => {
    const target = request.headers["x-amz-target"];
    if (typeof target === "string" && target.startsWith("DynamoDB_")) {
      response.on("finish", () =>
        calls.push({ at: now(), call: target.replace("_20120810", ""), status: response.statusCode }),
      );
      void dynamodb().then((db) => db.emit("request", request, response));
      return;
    }
    const url = new URL(request.url ?? "/", "http://lab");
    void readBody(request)
      .then((body) =>
        answer({
          method: request.method ?? "GET",
          path: url.pathname,
          query: url.searchParams,
          headers: headersOf(request),
          body,
        }),
      )
      .catch((error: unknown) => ({
        call: "failed",
        answer: { status: 500, body: error instanceof Error ? `${error.stack}` : String(error) } as AwsAnswer,
      }))
      .then((told) => {
        calls.push({
          at: now(),
          call: told.call,
          status: told.answer === "no answer" ? 0 : told.answer.status,
        });
        send(response, told.answer, newId());
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const url = `http://${options.host}:${(server.address() as AddressInfo).port}`;

  return {
    url,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: "lab",
      AWS_SECRET_ACCESS_KEY: "lab",
    },
    calls: () => calls,
    faults: { lambda: lambda.faults },
    idle: lambda.idle,
    close: async () => {
      await lambda.idle();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      // It never listened; closing it closes its store.
      const db = await database;
      await new Promise<void>((resolve) => (db ? db.close(() => resolve()) : resolve()));
    },
  };
}
