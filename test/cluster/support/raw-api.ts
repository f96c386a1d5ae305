import { HttpMethod, RequestContext } from "@kubernetes/client-node";
import { type Dispatcher, fetch } from "undici";
import { loadConfig } from "#shared/adapters/kubeconfig.ts";

export type RawAnswer = Readonly<{ status: number; body: Record<string, unknown> }>;

/** The API itself, for what the product has no words for: Roles, tokens, reviews of rights. */
export type RawApi = Readonly<{
  server: string;
  caPem: string | undefined;
  call: (
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
    token?: string,
  ) => Promise<RawAnswer>;
  close: () => Promise<void>;
}>;

export async function openRawApi(kubeconfig: string | undefined): Promise<RawApi> {
  const { config } = loadConfig(kubeconfig === undefined ? {} : { kubeconfig });
  const cluster = config.getCurrentCluster();
  const server = cluster?.server.replace(/\/+$/, "") ?? "";
  const context = new RequestContext(server, HttpMethod.GET);
  await config.applySecurityAuthentication(context);
  const dispatcher = context.getDispatcher() as Dispatcher | undefined;
  return {
    server,
    caPem: cluster?.caData === undefined ? undefined : Buffer.from(cluster.caData, "base64").toString(),
    call: async (method, path, body, token) => {
      const own = Object.entries(context.getHeaders()).filter(
        ([name]) => token === undefined || name.toLowerCase() !== "authorization",
      );
      const answer = await fetch(server + path, {
        method,
        headers: {
          ...Object.fromEntries(own),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(dispatcher ? { dispatcher } : {}),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
    close: async () => void (await dispatcher?.destroy()),
  };
}
