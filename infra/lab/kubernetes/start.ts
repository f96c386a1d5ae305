import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { generate } from "selfsigned";
import { pluralOf, type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { LogRequest } from "#shared/kubernetes/logs.ts";
import { badRequest } from "#shared/kubernetes/refusals.ts";
import type { ObjectStore, Refusal } from "#shared/twin/object-store.ts";
import { actingAs, type Identity, mayAct, notAllowed, reviewAccess, reviewRules } from "./access.ts";
import { discovery } from "./discovery.ts";
import { log } from "./pod-log.ts";
import { get, list, type Snapshots, selection } from "./reads.ts";
import { failure, Refused } from "./refused.ts";
import { type Answer, type ApiRequest, flag, readBody } from "./request.ts";
import { readTarget, type Target } from "./target.ts";
import { type Predecessors, rememberPredecessors, watch } from "./watch.ts";
import { create, patch, remove, replace } from "./writes.ts";

/** What goes wrong on purpose: an answer of its own, no answer until the client gives up, or a cut connection. */
export type Trouble =
  | Readonly<{ status: number; message: string; reason?: string }>
  | Readonly<{ status: number; text: string; location?: string }>
  | "hang"
  | "reset";

export type Faults = Readonly<{
  respond?: (request: ApiRequest) => Trouble | undefined;
  delayMs?: (request: ApiRequest) => number;
}>;

export type KubernetesApiOptions = Readonly<{
  store: ObjectStore;
  /** Bearer tokens, and who they are. */
  tokens: Readonly<Record<string, Identity>>;
  host?: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** PEM; made anew when left out. */
  tls?: Readonly<{ key: string; cert: string }>;
  /** The kinds this cluster knows; all of ours when left out. An older MetalLB, or none, is a shorter list. */
  kinds?: readonly ResourceKind[];
  /** `gitVersion` of the API server. */
  version?: string;
  /** Milliseconds since the epoch, for the ages in tables. */
  now?: () => number;
  /** Milliseconds between bookmarks; 5,000 when left out, since the JavaScript client gives up after 30 s of silence. */
  bookmarkEveryMs?: number;
  faults?: Faults;
  /** What the kubelets would give for `pods/NAME/log`; left out, no pod has a log. */
  podLog?: PodLogs;
}>;

export type PodLogs = (
  request: Omit<LogRequest, "tailLines"> & Readonly<{ tailLines?: number }>,
) => Readonly<{ lines: readonly string[] }> | Readonly<{ refusal: Refusal }>;

export type KubernetesApi = Readonly<{ url: string; caPem: string; close: () => Promise<void> }>;

const largestBody = 3 * 1024 * 1024;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > largestBody)
      throw new Refused({
        code: 413,
        reason: "RequestEntityTooLarge",
        message: `Request entity too large: limit is ${largestBody}`,
      });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const unauthorized: Answer = {
  code: 401,
  body: failure({ code: 401, reason: "Unauthorized", message: "Unauthorized" }),
};

const nothingHere: Answer = { code: 404, text: "404 page not found\n" };

function verbOf(request: ApiRequest, target: Target): string {
  const one = target.name !== undefined;
  switch (request.method) {
    case "GET":
      return flag(request.query, "watch") ? "watch" : one ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return one ? "delete" : "deletecollection";
    default:
      return request.method.toLowerCase();
  }
}

const healthy = ["/healthz", "/livez", "/readyz"];

function versionDocument(gitVersion: string): Readonly<Record<string, string>> {
  const [, major = "1", minor = "0"] = /^v?(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return { major, minor, gitVersion, platform: "linux/amd64", goVersion: "", compiler: "gc" };
}

type Context = Readonly<{
  store: ObjectStore;
  kinds: readonly ResourceKind[];
  version: string;
  now: () => number;
  bookmarkEveryMs: number;
  snapshots: Snapshots;
  predecessors: Predecessors;
  podLog: PodLogs | undefined;
}>;

function review(request: ApiRequest): Answer | undefined {
  if (request.method !== "POST") return undefined;
  const { identity } = request;
  switch (request.path) {
    case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
      return { code: 201, body: reviewAccess(identity, readBody(request)) };
    case "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews":
      return { code: 201, body: reviewRules(identity, readBody(request)) };
    case "/apis/authentication.k8s.io/v1/selfsubjectreviews":
      return {
        code: 201,
        body: {
          kind: "SelfSubjectReview",
          apiVersion: "authentication.k8s.io/v1",
          metadata: { creationTimestamp: null },
          status: { userInfo: { username: identity.user, groups: identity.groups } },
        },
      };
    default:
      return undefined;
  }
}

const unknownMethod = (): Refused =>
  new Refused({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
  });

function onObjects(context: Context, target: Target, request: ApiRequest): Answer {
  const { store } = context;
  const { kind } = target;
  const verb = verbOf(request, target);
  const attempt = {
    verb,
    group: resourceKinds[kind].group,
    resource: target.subresource === undefined ? pluralOf(kind) : `${pluralOf(kind)}/${target.subresource}`,
    ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
    ...(target.name === undefined ? {} : { name: target.name }),
  };
  if (!mayAct(request.identity, attempt)) throw new Refused(notAllowed(request.identity, kind, attempt));
  if (kind === "pods" && target.subresource === "log" && verb === "get" && context.podLog !== undefined)
    return log(context.podLog, target, request);
  if (target.subresource !== undefined && !(target.subresource === "status" && verb === "get"))
    throw new Refused({
      code: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
    });
  const inNamespace = !resourceKinds[kind].namespaced || target.namespace !== undefined;
  if (!inNamespace && verb !== "list" && verb !== "watch") throw unknownMethod();
  switch (verb) {
    case "get":
      return get(store, target, request, context.now);
    case "list":
      return list(store, target, request, context);
    case "watch":
      return watch(store, target, request, context);
    case "create":
      if (target.name !== undefined) throw unknownMethod();
      return create(store, target, request);
    case "update":
      if (target.name === undefined) throw unknownMethod();
      return replace(store, target, request);
    case "patch":
      if (target.name === undefined) throw unknownMethod();
      return patch(store, target, request);
    case "delete":
      return remove(store, target, request);
    case "deletecollection": {
      const selected = store.list(kind).items.filter(selection(target, request));
      for (const { metadata } of selected) remove(store, { ...target, name: metadata.name }, request);
      return {
        code: 200,
        body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" },
      };
    }
    default:
      throw unknownMethod();
  }
}

function answer(context: Context, request: ApiRequest, address: string): Answer {
  const { path, method } = request;
  if (healthy.includes(path)) return { code: 200, text: "ok" };
  if (path === "/version") return { code: 200, body: versionDocument(context.version) };
  const reviewed = review(request);
  if (reviewed) return reviewed;
  const target = readTarget(path);
  if (target && context.kinds.includes(target.kind)) return onObjects(context, target, request);
  const document = method === "GET" ? discovery(context.kinds, path, address) : undefined;
  return document ? { code: 200, body: document } : nothingHere;
}

/** Certificates of this server are their own authority and name the loopback address only. */
const loopbackCertificate = async (host: string): Promise<Readonly<{ key: string; cert: string }>> => {
  const made = await generate([{ name: "commonName", value: "kubernetes-lab" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: host },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
};

/**
 * A Kubernetes API over TLS on an object store: what kubectl and the official clients need for the kinds in `kinds.ts`.
 * Served: discovery, reads, tables, watches, every kind of patch, preconditions, dry runs, access reviews, container logs up
 * to now where the site has them. Not served: exec, scale, writes to subresources, garbage collection, protobuf, OpenAPI schemas (`kubectl explain`).
 */
export async function startKubernetesApi(options: KubernetesApiOptions): Promise<KubernetesApi> {
  const { store, tokens, host = "127.0.0.1", port = 0, faults = {} } = options;
  const tls = options.tls ?? (await loopbackCertificate(host));
  const predecessors = rememberPredecessors(store);
  const context: Context = {
    store,
    kinds: options.kinds ?? (Object.keys(resourceKinds) as ResourceKind[]),
    version: options.version ?? "v1.32.4",
    now: options.now ?? Date.now,
    bookmarkEveryMs: options.bookmarkEveryMs ?? 5_000,
    snapshots: new Map(),
    predecessors,
    podLog: options.podLog,
  };
  const streams = new Set<() => void>();
  let address = "";

  function send(response: ServerResponse, given: Answer): void {
    for (const warning of given.warnings ?? [])
      response.appendHeader("Warning", `299 - ${JSON.stringify(warning)}`);
    if ("text" in given) {
      response.writeHead(given.code, { "content-type": "text/plain; charset=utf-8" }).end(given.text);
      return;
    }
    if ("body" in given) {
      response.writeHead(given.code, { "content-type": "application/json" });
      response.end(JSON.stringify(given.body));
      return;
    }
    response.writeHead(given.code, { "content-type": "application/json", "cache-control": "no-cache" });
    response.flushHeaders();
    const end = (): void => void response.end();
    const stop = given.stream((line) => {
      if (!response.writableEnded) response.write(`${JSON.stringify(line)}\n`);
    }, end);
    streams.add(end);
    const over = (): void => {
      streams.delete(end);
      stop();
    };
    if (response.destroyed) over();
    else response.once("close", over);
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? "/", "https://kubernetes");
    const [, token] = /^Bearer (.+)$/i.exec(incoming.headers.authorization ?? "") ?? [];
    const owner = token !== undefined && Object.hasOwn(tokens, token) ? tokens[token] : undefined;
    const body = await bodyOf(incoming);
    if (!owner) return send(response, unauthorized);
    const identity = actingAs(owner, incoming.headers["impersonate-user"], Object.values(tokens));
    const request: ApiRequest = {
      method: incoming.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body,
      identity,
    };
    const delay = faults.delayMs?.(request) ?? 0;
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    const trouble = faults.respond?.(request);
    if (trouble === "hang") return undefined;
    if (trouble === "reset") return void incoming.socket.destroy();
    if (trouble && "text" in trouble) {
      if (trouble.location !== undefined) response.setHeader("location", trouble.location);
      return send(response, { code: trouble.status, text: trouble.text });
    }
    if (trouble) {
      const { status, message, reason = "" } = trouble;
      return send(response, { code: status, body: failure({ code: status, reason, message }) });
    }
    // kubectl reads this document as protobuf only; an empty message is a valid one without definitions.
    if (request.path === "/openapi/v2") {
      response
        .writeHead(200, { "content-type": "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" })
        .end();
      return undefined;
    }
    return send(response, answer(context, request, address));
  }

  const server = createServer({ ...tls, keepAlive: true }, (incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      const refusal =
        error instanceof Refused
          ? error.refusal
          : error instanceof URIError
            ? badRequest("the request path is not valid")
            : { code: 500, reason: "InternalError", message: `Internal error occurred: ${String(error)}` };
      if (response.headersSent) response.destroy();
      else send(response, { code: refusal.code, body: failure(refusal) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  address = `${host}:${(server.address() as AddressInfo).port}`;

  return {
    url: `https://${address}`,
    caPem: tls.cert,
    close: async () => {
      for (const end of streams) end();
      predecessors.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
