import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpMethod, RequestContext } from "@kubernetes/client-node";
import { generate } from "selfsigned";
import { type Dispatcher, fetch } from "undici";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { loadConfig } from "#shared/adapters/kubeconfig.ts";

/** What is changed on the way to the cluster. */
export type Rewrite = (request: { query: URLSearchParams; headers: Record<string, string> }) => void;

export type GoBetween = Readonly<{
  /** Leads to the cluster through us. */
  kubeconfig: string;
  /** Status codes the cluster answered with, in order. */
  answers: number[];
  rewrite: (next: Rewrite | undefined) => void;
  /** One request straight to the cluster: its status and whole body. */
  get: (path: string) => Promise<Readonly<{ status: number; body: string }>>;
  close: () => Promise<void>;
}>;

/**
 * An https server on loopback that hands requests on to the cluster with its real credentials, so that what only happens
 * after minutes (an expired page) or to others (no rights) can be had from a real API server.
 */
export async function startGoBetween(kubeconfig: string | undefined): Promise<GoBetween> {
  const { config } = loadConfig(kubeconfig === undefined ? {} : { kubeconfig });
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, "") ?? "";
  const context = new RequestContext(server, HttpMethod.GET);
  await config.applySecurityAuthentication(context);
  const dispatcher = context.getDispatcher() as Dispatcher | undefined;
  const answers: number[] = [];
  let rewrite: Rewrite | undefined;
  const pems = await generate([{ name: "commonName", value: "go-between" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  const between = createServer({ key: pems.private, cert: pems.cert }, async (incoming, response) => {
    try {
      const url = new URL(server + (incoming.url ?? "/"));
      const headers: Record<string, string> = {
        ...context.getHeaders(),
        accept: incoming.headers.accept ?? "application/json",
      };
      if (incoming.headers["content-type"]) headers["content-type"] = incoming.headers["content-type"];
      rewrite?.({ query: url.searchParams, headers });
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const answer = await fetch(url, {
        method: incoming.method ?? "GET",
        headers,
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
        ...(dispatcher ? { dispatcher } : {}),
      });
      answers.push(answer.status);
      const body = Buffer.from(await answer.arrayBuffer());
      response
        .writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
        .end(body);
    } catch (error) {
      response.destroy(error as Error);
    }
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const folder = await mkdtemp(join(tmpdir(), "arpeggio-go-between-"));
  const file = join(folder, "config");
  const { port } = between.address() as AddressInfo;
  await writeKubeconfig({
    url: `https://127.0.0.1:${port}`,
    caPem: pems.cert,
    token: "go-between",
    cluster: "go-between",
    file,
  });
  return {
    kubeconfig: file,
    answers,
    get: async (path) => {
      const answer = await fetch(server + path, {
        headers: { ...context.getHeaders(), accept: "application/json" },
        ...(dispatcher ? { dispatcher } : {}),
      });
      return { status: answer.status, body: await answer.text() };
    },
    rewrite: (next) => {
      rewrite = next;
    },
    close: async () => {
      await new Promise<void>((resolve) => {
        between.close(() => resolve());
        between.closeAllConnections();
      });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
