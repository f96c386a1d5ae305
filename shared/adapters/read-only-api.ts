import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { HttpMethod, RequestContext } from "@kubernetes/client-node";
import { type Dispatcher, request } from "undici";
import { type ClusterChoice, harmless, loadConfig, messageOf, secretsOf } from "./kubeconfig.ts";

export type ReadOnlyApi = Readonly<{
  /** A kubeconfig that leads to the cluster through here, as its only context. */
  kubeconfig: string;
  /** What was asked and not handed on, such as "PUT /apis/…", in order. */
  refused: readonly string[];
  close: () => Promise<void>;
}>;

/** What a GET may do beside looking (proxy, exec and their kin), and what nobody here ever reads. */
const closed = /\/(proxy|exec|attach|portforward|secrets)(\/|$)/;

const status = (code: number, reason: string, message: string): string =>
  JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message });

/** Why a request is not handed on. */
function refusalOf({ method, headers }: IncomingMessage, asked: string): string | undefined {
  if (method !== "GET" || headers.upgrade !== undefined) return "only reading is handed on";
  const { pathname } = new URL(asked, "http://loopback");
  return closed.test(decodeURIComponent(pathname)) ? "this path is not handed on" : undefined;
}

/**
 * A cluster's API on loopback, for another program: GET and watches go to the chosen cluster with the credentials of that
 * choice, everything else is answered with 403 and goes nowhere. The door is the first part of every path, known only from
 * the kubeconfig, which only its owner may read: client-go sends no token over plain http (tools/clientcmd/client_config.go).
 * Throws FaultError where the choice cannot be read.
 */
export async function openReadOnlyApi(choice: ClusterChoice): Promise<ReadOnlyApi> {
  const { config, connection } = loadConfig(choice);
  const base = config.getCurrentCluster()?.server.replace(/\/+$/, "") ?? "";
  const context = new RequestContext(base, HttpMethod.GET);
  await config.applySecurityAuthentication(context);
  const dispatcher = context.getDispatcher() as Dispatcher | undefined;
  const door = `/${randomBytes(24).toString("base64url")}`;
  const refused: string[] = [];

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (code: number, reason: string, message: string): void =>
      void response
        .writeHead(code, { "content-type": "application/json" })
        .end(status(code, reason, message));
    if (!incoming.url?.startsWith(`${door}/`)) return say(401, "Unauthorized", "this is not your door");
    const asked = incoming.url.slice(door.length);
    const why = refusalOf(incoming, asked);
    if (why !== undefined) {
      refused.push(`${incoming.method} ${asked}`);
      return say(403, "Forbidden", why);
    }
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const { statusCode, headers, body } = await request(base + asked, {
        method: "GET",
        headers: {
          ...context.getHeaders(),
          accept: incoming.headers.accept ?? "application/json",
          "user-agent": "arpeggio",
        },
        signal: gone.signal,
        // A watch may be silent for as long as nothing changes.
        bodyTimeout: 0,
        ...(dispatcher ? { dispatcher } : {}),
      });
      response.writeHead(statusCode, { "content-type": String(headers["content-type"] ?? "") });
      // A watch may say nothing for long, and its reader waits for the head of it.
      response.flushHeaders();
      await pipeline(body, response);
    } catch (error) {
      if (gone.signal.aborted || response.headersSent) return void response.destroy();
      say(
        502,
        "ServiceUnavailable",
        `${connection.server}: ${harmless(messageOf(error), secretsOf(config))}`,
      );
    }
  }

  const server = createServer((incoming, response) => void answer(incoming, response));
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", done);
  });
  const folder = await mkdtemp(join(tmpdir(), "arpeggio-api-"));
  const kubeconfig = join(folder, "config");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${door}`;
  const name = connection.context;
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server: url } }],
      users: [{ name, user: {} }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    }),
    { mode: 0o600 },
  );
  return {
    kubeconfig,
    refused,
    close: async () => {
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
      await dispatcher?.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
