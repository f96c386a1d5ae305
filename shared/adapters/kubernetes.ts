import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { findHomeDir, HttpMethod, KubeConfig, RequestContext } from "@kubernetes/client-node";
import { type Dispatcher, fetch } from "undici";
import { parse } from "yaml";
import * as z from "zod";
import { type Fault, FaultError } from "../fault.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed, ReadCluster } from "../kubernetes/read.ts";
import { apiVersionOf, qualifiedResource } from "../kubernetes/refusals.ts";

export type ConnectOptions = Readonly<{
  /** A kubeconfig file; left out, `KUBECONFIG`, `~/.kube/config` and the pod's service account are tried in that order. */
  kubeconfig?: string;
  /** A context of it; left out, its current one. */
  context?: string;
  /** For each page of each list, in milliseconds. */
  requestTimeoutMs: number;
}>;

/** Where a connection goes and as whom, without anything secret. */
export type Connection = Readonly<{
  server: string;
  context: string;
  user: string;
  /** The files it was read from, or the service account of the pod. */
  from: readonly string[];
}>;

export type ClusterConnection = Readonly<{
  /** Never throws for what went wrong outside: each kind gets its own fault. */
  read: ReadCluster;
  describeConnection: () => Connection | Fault;
}>;

const pageSize = 500;
/** Lists that expired between two pages are begun again this often before we give up. */
const restarts = 2;
// Where the kubelet puts a pod's credentials.
const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

type Loaded = Readonly<{ config: KubeConfig; connection: Connection }>;

const notConfigured = (detail: string, cause?: unknown): FaultError =>
  new FaultError({ kind: "not-configured", what: "connection to the cluster", detail }, { cause });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One line, without user names in URLs and without anything that looks like a credential. */
function harmless(words: string, secrets: readonly string[]): string {
  let out = words;
  for (const secret of secrets) out = out.replaceAll(secret, "[secret]");
  out = out
    .replace(/\/\/[^/@\s]+@/g, "//")
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 [secret]")
    // JSON web tokens, which service accounts and most plugins use.
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[secret]")
    .replace(/\s+/g, " ")
    .trim();
  return out.length > 400 ? `${out.slice(0, 399)}…` : out;
}

function secretsOf(config: KubeConfig): string[] {
  const user = config.getCurrentUser();
  return [user?.token, user?.password, user?.keyData].filter(
    (secret): secret is string => typeof secret === "string" && secret.length >= 4,
  );
}

const fileShape = z.looseObject({
  clusters: z.array(z.unknown()).nullish(),
  contexts: z.array(z.unknown()).nullish(),
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z.looseObject({ tokenFile: z.string().optional() }).nullish(),
      }),
    )
    .nullish(),
});

/** One kubeconfig file, with relative paths in it meant from where it lies, as kubectl means them. */
function loadFile(file: string): KubeConfig {
  const config = new KubeConfig();
  const from = (path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));
  let tokenFiles: ReadonlyMap<string, string>;
  try {
    config.loadFromFile(file);
    const { users } = fileShape.parse(parse(readFileSync(file, "utf8")));
    tokenFiles = new Map(
      (users ?? []).flatMap(({ name, user }) => (user?.tokenFile ? [[name, from(user.tokenFile)]] : [])),
    );
  } catch (error) {
    // A parser quotes the line it stopped at, and that line may hold a token.
    const { code } = error as NodeJS.ErrnoException;
    throw notConfigured(
      code === "ENOENT"
        ? `there is no kubeconfig at ${file}`
        : code !== undefined && /^E[A-Z]+$/.test(code)
          ? `${file} cannot be read (${code})`
          : `${file} is not a kubeconfig that can be read (expected YAML with clusters, users and contexts)`,
    );
  }
  config.users = config.users.map((user) => {
    const exec = user.exec as { command?: string } | null | undefined;
    const tokenFile = tokenFiles.get(user.name);
    return {
      ...user,
      ...(exec?.command?.includes("/") ? { exec: { ...exec, command: from(exec.command) } } : {}),
      // The client reads such a file itself, again and again, under this name of its own.
      ...(tokenFile === undefined || user.token
        ? {}
        : { authProvider: { name: "tokenFile", config: { tokenFile } } }),
    };
  });
  return config;
}

/** The first file that names a cluster, user, context or current context wins, as kubectl merges `KUBECONFIG`. */
function merge(files: readonly string[]): KubeConfig {
  const merged = new KubeConfig();
  const addMissing = <T extends { name: string }>(into: T[], from: readonly T[]): T[] => [
    ...into,
    ...from.filter((item) => !into.some((known) => known.name === item.name)),
  ];
  merged.clusters = [];
  merged.users = [];
  merged.contexts = [];
  for (const file of files) {
    const config = loadFile(file);
    merged.clusters = addMissing(merged.clusters, config.clusters);
    merged.users = addMissing(merged.users, config.users);
    merged.contexts = addMissing(merged.contexts, config.contexts);
    if (!merged.currentContext && config.currentContext) merged.currentContext = config.currentContext;
  }
  return merged;
}

function findConfig(
  kubeconfig: string | undefined,
): Readonly<{ config: KubeConfig; from: readonly string[] }> {
  if (kubeconfig !== undefined) return { config: loadFile(kubeconfig), from: [kubeconfig] };
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  const there = named.filter((file) => existsSync(file));
  if (named.length > 0 && there.length === 0)
    throw notConfigured(`KUBECONFIG names ${named.join(", ")}, and nothing is there`);
  if (there.length > 0) return { config: merge(there), from: there };
  const home = findHomeDir();
  const usual = home === null ? undefined : join(home, ".kube", "config");
  if (usual !== undefined && existsSync(usual)) return { config: loadFile(usual), from: [usual] };
  if (existsSync(serviceAccountToken)) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return { config, from: ["the service account of this pod"] };
  }
  throw notConfigured(
    "no kubeconfig: neither KUBECONFIG nor ~/.kube/config nor a pod's service account is there",
  );
}

function load({ kubeconfig, context }: ConnectOptions): Loaded {
  const { config, from } = findConfig(kubeconfig);
  const contexts = config.getContexts().map(({ name }) => name);
  const where = from.join(", ");
  const wanted = context ?? config.getCurrentContext();
  if (!wanted) throw notConfigured(`${where} has no current-context; name one of ${contexts.join(", ")}`);
  if (!contexts.includes(wanted))
    throw notConfigured(
      `${where} has no context "${wanted}"${contexts.length === 0 ? "" : `; it has ${contexts.join(", ")}`}`,
    );
  config.setCurrentContext(wanted);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw notConfigured(`context "${wanted}" of ${where} names a cluster that is not in it`);
  if (!URL.canParse(cluster.server))
    throw notConfigured(`the server of context "${wanted}" of ${where} is not an address`);
  if (!/^https:\/\//.test(cluster.server))
    throw notConfigured(
      `the server of context "${wanted}" is not an https:// address; credentials are not sent in the clear`,
    );
  const user = config.getContextObject(wanted)?.user ?? "";
  if (!config.getCurrentUser())
    throw notConfigured(`context "${wanted}" of ${where} names a user that is not in it`);
  return {
    config,
    connection: { server: harmless(cluster.server, []), context: wanted, user, from },
  };
}

const listShape = z.object({
  metadata: z.looseObject({ continue: z.string().optional() }),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});

const statusShape = z.looseObject({ kind: z.literal("Status"), message: z.string().default("") });

const json = (body: string): unknown => {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
};

/** What a response that is no list means; the API server's own words where it has any. */
function faultOf(kind: ResourceKind, status: number, body: string, user: string): Omit<Fault, "what"> {
  const said = statusShape.safeParse(json(body)).data?.message ?? "";
  const { group, version } = resourceKinds[kind];
  if (status === 401)
    return { kind: "denied", detail: `the cluster does not accept the credentials of ${user} (401)` };
  if (status === 403)
    return { kind: "denied", detail: said || `${user} may not list ${qualifiedResource(kind)} (403)` };
  if (status === 404)
    return {
      kind: "not-configured",
      detail: `the server does not know ${kind} in ${group === "" ? version : `${group}/${version}`} (404)`,
    };
  const words = `the server answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 429 || status >= 500) return { kind: "refused", detail: words };
  return { kind: "unreadable", detail: words };
}

const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name does not resolve now",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no route to its network",
  ECONNRESET: "it cut the connection",
  EPIPE: "it cut the connection",
  UND_ERR_SOCKET: "it cut the connection",
};

const untrusted =
  /^(ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|HOSTNAME_MISMATCH|ERR_SSL)/;

function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
  }
  return "";
}

function transportFault(error: unknown, server: string): Omit<Fault, "what"> {
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return { kind: "refused", detail: `${server} refuses connections` };
  if (code === "ETIMEDOUT" || /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code))
    return { kind: "timed-out", detail: `no answer from ${server}` };
  if (untrusted.test(code))
    return { kind: "unreachable", detail: `the certificate of ${server} is not trusted (${code})` };
  return { kind: "unreachable", detail: `${server}: ${unreachable[code] ?? (code || messageOf(error))}` };
}

type Authentication = Readonly<{ headers: Record<string, string>; dispatcher: Dispatcher | undefined }>;

/** Headers and TLS for this read, once for all kinds: a credential plugin runs once, not once a kind. */
async function authenticate({ config, connection }: Loaded, server: string): Promise<Authentication> {
  const context = new RequestContext(server, HttpMethod.GET);
  try {
    await config.applySecurityAuthentication(context);
  } catch (error) {
    const plugin = (config.getCurrentUser()?.exec as { command?: string } | undefined)?.command;
    const why = harmless(messageOf(error), secretsOf(config));
    // A certificate that is not where the kubeconfig says is not the plugin's failure.
    const unreadFile = (error as NodeJS.ErrnoException).syscall === "open";
    throw new FaultError(
      plugin === undefined || unreadFile
        ? { kind: "not-configured", what: "connection to the cluster", detail: why }
        : {
            kind: "denied",
            what: "connection to the cluster",
            detail: `the credential plugin ${plugin} of ${connection.user} failed${why === "" ? "" : `: ${why}`}`,
          },
    );
  }
  return { headers: context.getHeaders(), dispatcher: context.getDispatcher() as Dispatcher | undefined };
}

const pathOf = (kind: ResourceKind): string => {
  const { group, version } = resourceKinds[kind];
  return group === "" ? `/api/${version}/${kind}` : `/apis/${group}/${version}/${kind}`;
};

/** Resolves or rejects with the promise, but not later than the signal. */
const notAfter = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const give = (): void => reject(new DOMException("aborted", "AbortError"));
    if (signal.aborted) give();
    signal.addEventListener("abort", give, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });

/**
 * Connects nothing yet: the kubeconfig is read at the first use, and again as long as it cannot be read. There is no default
 * server; without any configuration every kind is `not-configured`. Credential plugins get no KUBERNETES_EXEC_INFO.
 */
export function connectCluster(options: ConnectOptions): ClusterConnection {
  let loaded: Loaded | undefined;
  const connection = (): Loaded => {
    loaded ??= load(options);
    return loaded;
  };

  /** Runs one exchange under the time limit and tells whose end of patience stopped it. */
  async function timed<T>(
    what: string,
    signal: AbortSignal | undefined,
    act: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limit = AbortSignal.timeout(options.requestTimeoutMs);
    try {
      const either = signal ? AbortSignal.any([limit, signal]) : limit;
      return await notAfter(act(either), either);
    } catch (error) {
      if (error instanceof FaultError) throw error;
      const { server } = connection().connection;
      if (signal?.aborted) throw new FaultError({ kind: "cancelled", what, detail: "it was cancelled" });
      if (limit.aborted)
        throw new FaultError({
          kind: "timed-out",
          what,
          detail: `no answer from ${server} in ${options.requestTimeoutMs / 1_000} s`,
        });
      throw new FaultError({ ...transportFault(error, server), what });
    }
  }

  async function list(
    kind: ResourceKind,
    { config, connection: { user } }: Loaded,
    { headers, dispatcher }: Authentication,
    signal: AbortSignal | undefined,
  ): Promise<readonly KubeObject[]> {
    const what = `list of ${kind}`;
    const server = config.getCurrentCluster()?.server.replace(/\/+$/, "") ?? "";
    const items: KubeObject[] = [];
    let next: string | undefined;
    let begun = 0;
    for (;;) {
      const url = new URL(server + pathOf(kind));
      url.searchParams.set("limit", String(pageSize));
      if (next !== undefined) url.searchParams.set("continue", next);
      const { status, body } = await timed(what, signal, async (either) => {
        const response = await fetch(url, {
          headers: { ...headers, accept: "application/json", "user-agent": "arpeggio" },
          signal: either,
          // A redirect would carry the credentials to another place.
          redirect: "manual",
          ...(dispatcher ? { dispatcher } : {}),
        });
        return { status: response.status, body: await response.text() };
      });
      if (status === 410 && next !== undefined && begun < restarts) {
        begun += 1;
        items.length = 0;
        next = undefined;
        continue;
      }
      if (status !== 200) {
        const { kind: faultKind, detail } = faultOf(kind, status, body, user);
        throw new FaultError({ kind: faultKind, what, detail: harmless(detail, secretsOf(config)) });
      }
      const page = listShape.safeParse(json(body));
      if (!page.success)
        throw new FaultError({
          kind: "unreadable",
          what,
          detail: "the answer is not a list of Kubernetes objects",
        });
      // Items of built-in lists come without their own type.
      for (const item of page.data.items)
        items.push({ apiVersion: apiVersionOf(kind), kind: resourceKinds[kind].kind, ...item } as KubeObject);
      next = page.data.metadata.continue || undefined;
      if (next === undefined) return items;
    }
  }

  const read = async (
    kinds: readonly ResourceKind[],
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, Listed>>> => {
    const all = async (lists: (kind: ResourceKind) => Promise<readonly KubeObject[]>) =>
      Object.fromEntries(
        await Promise.all(
          kinds.map(async (kind): Promise<readonly [string, Listed]> => {
            try {
              return [kind, await lists(kind)];
            } catch (error) {
              if (!(error instanceof FaultError)) throw error;
              return [kind, { ...error.fault, what: `list of ${kind}` }];
            }
          }),
        ),
      );
    let authentication: Authentication;
    let from: Loaded;
    try {
      from = connection();
      const { server } = from.connection;
      authentication = await timed("connection to the cluster", signal, () => authenticate(from, server));
    } catch (error) {
      return all(() => Promise.reject(error));
    }
    try {
      return await all((kind) => list(kind, from, authentication, signal));
    } finally {
      await authentication.dispatcher?.destroy();
    }
  };

  return {
    read: read as ReadCluster,
    describeConnection: () => {
      try {
        return connection().connection;
      } catch (error) {
        if (error instanceof FaultError) return error.fault;
        throw error;
      }
    },
  };
}
