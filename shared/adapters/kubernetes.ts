import { HttpMethod, RequestContext } from "@kubernetes/client-node";
import { type Dispatcher, fetch } from "undici";
import * as z from "zod";
import { type Fault, FaultError } from "../fault.ts";
import { pluralOf, type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed, ReadCluster } from "../kubernetes/read.ts";
import { apiVersionOf, qualifiedResource } from "../kubernetes/refusals.ts";
import {
  type Connection,
  harmless,
  type LoadedConfig,
  loadConfig,
  messageOf,
  secretsOf,
} from "./kubeconfig.ts";

export type ConnectOptions = Readonly<{
  /** A kubeconfig file; left out, `KUBECONFIG`, `~/.kube/config` and the pod's service account are tried in that order. */
  kubeconfig?: string;
  /** A context of it; left out, its current one. */
  context?: string;
  /** For each page of each list, in milliseconds. */
  requestTimeoutMs: number;
}>;

export type ClusterConnection = Readonly<{
  /** Ends the connections that reads share. A later read opens new ones. */
  close: () => void;
  /** Never throws for what went wrong outside: each kind gets its own fault. */
  read: ReadCluster;
  describeConnection: () => Connection | Fault;
}>;

const pageSize = 500;
/** Lists that expired between two pages are begun again this often before we give up. */
const restarts = 2;
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
      detail: `the server does not know ${pluralOf(kind)} in ${group === "" ? version : `${group}/${version}`} (404)`,
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

/** What lies deepest says why; what stands around it is only "fetch failed". */
function reasonOf(error: unknown): unknown {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at;
}

function transportFault(error: unknown, server: string): Omit<Fault, "what"> {
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return { kind: "refused", detail: `${server} refuses connections` };
  if (code === "ETIMEDOUT" || /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code))
    return { kind: "timed-out", detail: `no answer from ${server}` };
  if (untrusted.test(code))
    return { kind: "unreachable", detail: `the certificate of ${server} is not trusted (${code})` };
  return {
    kind: "unreachable",
    detail: `${server}: ${unreachable[code] ?? (code || messageOf(reasonOf(error)))}`,
  };
}

type Authentication = Readonly<{ headers: Record<string, string>; dispatcher: Dispatcher | undefined }>;

/** Credentials and connections that several reads share. */
type Session = {
  readonly from: LoadedConfig;
  readonly authentication: Authentication;
  readonly since: number;
  readers: number;
  retired: boolean;
};

/** Tokens from plugins and files change; after this long they are asked for anew. */
const sessionMs = 60_000;

/** Headers and TLS, once for all kinds: a credential plugin runs once, not once a kind. */
async function authenticate({ config, connection }: LoadedConfig, server: string): Promise<Authentication> {
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
  const plural = pluralOf(kind);
  return group === "" ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`;
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
  let loaded: LoadedConfig | undefined;
  const connection = (): LoadedConfig => {
    loaded ??= loadConfig(options);
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
    { config, connection: { user } }: LoadedConfig,
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
        // Credentials that the server no longer takes are not used again.
        if (status === 401) retire();
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

  let current: Session | undefined;

  /** Reads within a minute share credentials and open connections: a handshake for every list costs more than the list. */
  async function join(signal: AbortSignal | undefined): Promise<Session> {
    if (current !== undefined && Date.now() - current.since > sessionMs) retire();
    const session = current ?? (await begin(signal));
    session.readers += 1;
    return session;
  }

  async function begin(signal: AbortSignal | undefined): Promise<Session> {
    const from = connection();
    const { server } = from.connection;
    const authentication = await timed("connection to the cluster", signal, () => authenticate(from, server));
    const session: Session = { from, authentication, since: Date.now(), readers: 0, retired: false };
    // Another read may have begun one meanwhile; the later one stays.
    retire();
    current = session;
    return session;
  }

  function retire(): void {
    if (current === undefined) return;
    current.retired = true;
    if (current.readers === 0) void current.authentication.dispatcher?.destroy();
    current = undefined;
  }

  function leave(session: Session): void {
    session.readers -= 1;
    if (session.retired && session.readers === 0) void session.authentication.dispatcher?.destroy();
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
    let session: Session;
    try {
      session = await join(signal);
    } catch (error) {
      return all(() => Promise.reject(error));
    }
    try {
      return await all((kind) => list(kind, session.from, session.authentication, signal));
    } finally {
      leave(session);
    }
  };

  return {
    read: read as ReadCluster,
    close: retire,
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
