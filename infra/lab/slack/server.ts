import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "#shared/json.ts";
import type { Args } from "./method.ts";
import { Refusal } from "./state.ts";

export type Asked = Readonly<{
  method: string;
  path: string;
  query: URLSearchParams;
  contentType: string;
  authorization: string | undefined;
  body: Buffer;
}>;

export type Told = Readonly<
  | {
      status: number;
      type: string;
      body: string;
      headers?: Readonly<Record<string, string>>;
      afterMs?: number;
    }
  | { drop: true }
>;

const MOST_BYTES = 32 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) throw new Error(`body over ${MOST_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Serves `answer` on loopback. A fault of ours is a 500 with its message, so that a test sees it. */
export function listen(
  answer: (asked: Asked) => Promise<Told> | Told,
  at: Readonly<{ port: number; host: string }>,
): Promise<Readonly<{ server: Server; base: string; close: () => Promise<void> }>> {
  const timers = new Set<NodeJS.Timeout>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const told = await answer({
      method: request.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      contentType: request.headers["content-type"] ?? "",
      authorization: request.headers.authorization,
      body: await readBody(request),
    });
    if ("drop" in told) {
      request.socket.destroy();
      return;
    }
    const finish = () => {
      if (response.destroyed) return;
      response.writeHead(told.status, { "content-type": told.type, ...told.headers });
      response.end(told.body);
    };
    if (told.afterMs === undefined) finish();
    else {
      const timer = setTimeout(() => {
        timers.delete(timer);
        finish();
      }, told.afterMs);
      timers.add(timer);
    }
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      response.writeHead(500, { "content-type": "text/plain" });
      response.end(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        server,
        base: `http://${at.host}:${port}`,
        close: () =>
          new Promise((closed) => {
            for (const timer of timers) clearTimeout(timer);
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

/** Arguments and token of a Web API call, from the query, a form, a multipart form or a JSON body. */
export async function readCall(asked: Asked): Promise<Readonly<{ args: Args; token: string | undefined }>> {
  const args: Record<string, Json> = Object.fromEntries(asked.query);
  if (asked.contentType.startsWith("application/json")) {
    const parsed: unknown = asked.body.length === 0 ? {} : parseJson(asked.body.toString("utf8"));
    if (typeof parsed === "object" && parsed !== null) Object.assign(args, parsed);
  } else if (asked.contentType.startsWith("multipart/form-data")) {
    for (const [name, value] of await readForm(asked)) if (typeof value === "string") args[name] = value;
  } else Object.assign(args, Object.fromEntries(new URLSearchParams(asked.body.toString("utf8"))));
  const bearer = /^Bearer (.+)$/.exec(asked.authorization ?? "")?.[1];
  const { token, ...rest } = args;
  return { args: rest, token: bearer ?? (typeof token === "string" ? token : undefined) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("invalid_json");
  }
}

/** The bytes of an upload, sent raw or as the one file of a multipart form. */
export async function readUpload(asked: Asked): Promise<Uint8Array> {
  if (!asked.contentType.startsWith("multipart/form-data")) return asked.body;
  for (const [, value] of await readForm(asked))
    if (typeof value !== "string") return new Uint8Array(await value.arrayBuffer());
  return new Uint8Array();
}

const readForm = (asked: Asked): Promise<FormData> =>
  new Response(new Uint8Array(asked.body), { headers: { "content-type": asked.contentType } }).formData();
