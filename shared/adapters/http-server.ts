import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A request as handlers see it; names of headers in lower case. */
export type HttpRequest = Readonly<{
  method: string;
  /** Without the query. */
  path: string;
  headers: Readonly<Record<string, string | undefined>>;
  /** Read when it is asked for, so that whoever has no right to send one is answered before. */
  body: () => Promise<HttpBody>;
}>;

export type HttpBody =
  | Readonly<{ ok: true; text: string }>
  | Readonly<{ ok: false; why: "too-large" | "cut-off" | "not-utf-8" }>;

export type HttpAnswer = Readonly<{
  status: number;
  type: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
}>;

export type HttpLimits = Readonly<{
  /** Most that a body may hold, in bytes. */
  bodyBytes: number;
  /** Within which the headers have to be there. */
  headersMs: number;
  /** The same for the whole request. */
  requestMs: number;
  /** Within which it is answered. */
  answerMs: number;
  connections: number;
}>;

export const usualLimits: HttpLimits = {
  bodyBytes: 4 * 1_024 * 1_024,
  headersMs: 5_000,
  requestMs: 10_000,
  answerMs: 15_000,
  connections: 512,
};

export type HttpServer = Readonly<{
  /** `http://127.0.0.1:9464` */
  url: string;
  /** Answers what has begun, takes nothing more. */
  close: () => Promise<void>;
}>;

const said = (status: number, text: string): HttpAnswer => ({
  status,
  type: "application/json; charset=utf-8",
  body: `${JSON.stringify({ ok: false, text })}\n`,
});

function readBody(request: IncomingMessage, most: number): Promise<HttpBody> {
  return new Promise((done) => {
    if (Number(request.headers["content-length"] ?? 0) > most) {
      done({ ok: false, why: "too-large" });
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) {
        chunks.length = 0;
        done({ ok: false, why: "too-large" });
      } else chunks.push(chunk);
    });
    request.once("end", () => {
      try {
        done({ ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)) });
      } catch {
        done({ ok: false, why: "not-utf-8" });
      }
    });
    request.once("close", () => done({ ok: false, why: "cut-off" }));
    request.once("error", () => done({ ok: false, why: "cut-off" }));
  });
}

function send(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    "content-type": answer.type,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...answer.headers,
    // What is still on its way would be taken for the next request.
    ...(request.complete ? {} : { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
  request.resume();
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      done();
    });
  });

/**
 * A small HTTP server: limits on size, time and connections, and exactly one answer to every request, also when the
 * handler throws or takes too long. Rejects with Node's error when the address cannot be had.
 */
export async function serveHttp(
  options: Readonly<{
    host: string;
    port: number;
    handle: (request: HttpRequest) => Promise<HttpAnswer>;
    limits?: Partial<HttpLimits>;
    log: (entry: Readonly<Record<string, unknown>>) => void;
  }>,
): Promise<HttpServer> {
  const { host, port, handle, log } = options;
  const limits = { ...usualLimits, ...options.limits };

  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      const late = setTimeout(() => {
        send(request, response, said(503, `No answer within ${limits.answerMs / 1_000} s.`));
      }, limits.answerMs);
      const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
      handle({
        method: request.method ?? "GET",
        path,
        headers: Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [
            name,
            Array.isArray(value) ? value.join(", ") : value,
          ]),
        ),
        body: () => readBody(request, limits.bodyBytes),
      })
        .catch((error: unknown) => {
          const id = crypto.randomUUID().slice(0, 8);
          log({
            level: "error",
            msg: "unexpected fault in the HTTP door",
            id,
            path,
            error: error instanceof Error ? error.stack : String(error),
          });
          return said(500, `This ended on an error of ours; the log has it as ${id}.`);
        })
        .then((answer) => send(request, response, answer))
        .finally(() => clearTimeout(late));
    },
  );
  server.maxConnections = limits.connections;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const [status, words] =
      error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "The request was not complete in time."]
        : error.code === "HPE_HEADER_OVERFLOW"
          ? ["431 Request Header Fields Too Large", "The headers are too long."]
          : ["400 Bad Request", "That is not HTTP/1.1."];
    const { body } = said(400, words);
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  });
  await listening(server, host, port);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeIdleConnections();
        // Whoever keeps a connection open without asking anything does not keep us here.
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      }),
  };
}
