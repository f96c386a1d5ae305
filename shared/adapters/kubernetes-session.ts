import { HttpMethod, RequestContext } from "@kubernetes/client-node";
import { type Dispatcher, fetch } from "undici";
import * as z from "zod";
import { type Fault, FaultError } from "../fault.ts";
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
  /** For each request, in milliseconds. */
  requestTimeoutMs: number;
}>;

export type ApiCall = Readonly<{
  /** For faults, as a noun phrase: "list of pods". */
  what: string;
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON; `type` is its media type. */
  body?: Readonly<{ type: string; value: unknown }>;
  /** Default: JSON. */
  accept?: string;
}>;

export type ApiAnswer = Readonly<{
  status: number;
  body: string;
  /** Who asked. */
  user: string;
  /** Words of the server without anything that looks like a credential. */
  clean: (words: string) => string;
}>;

/** One request. Throws FaultError when no answer came; what the answer says is the caller's business. */
export type CallApi = (call: ApiCall, signal?: AbortSignal) => Promise<ApiAnswer>;

export type KubernetesSession = Readonly<{
  /** Runs several calls with the same credentials and connections. */
  during: <T>(signal: AbortSignal | undefined, act: (call: CallApi) => Promise<T>) => Promise<T>;
  /** Ends the connections that calls share. A later call opens new ones. */
  close: () => void;
  describeConnection: () => Connection | Fault;
}>;

const statusShape = z.looseObject({
  kind: z.literal("Status"),
  message: z.string().default(""),
  reason: z.string().default(""),
});

export const readJson = (body: string): unknown => {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
};

/** A `Status` object: how the API server says no. */
export const readStatus = (body: string): Readonly<{ message: string; reason: string }> | undefined =>
  statusShape.safeParse(readJson(body)).data;

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

/** Credentials and connections that several calls share. */
type Session = {
  readonly from: LoadedConfig;
  readonly authentication: Authentication;
  readonly since: number;
  users: number;
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
 * server; without any configuration every call is `not-configured`. Credential plugins get no KUBERNETES_EXEC_INFO.
 */
export function openSession(options: ConnectOptions): KubernetesSession {
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

  let current: Session | undefined;

  /** Calls within a minute share credentials and open connections: a handshake for every list costs more than the list. */
  async function join(signal: AbortSignal | undefined): Promise<Session> {
    if (current !== undefined && Date.now() - current.since > sessionMs) retire();
    const session = current ?? (await begin(signal));
    session.users += 1;
    return session;
  }

  async function begin(signal: AbortSignal | undefined): Promise<Session> {
    const from = connection();
    const { server } = from.connection;
    const authentication = await timed("connection to the cluster", signal, () => authenticate(from, server));
    const session: Session = { from, authentication, since: Date.now(), users: 0, retired: false };
    // Another call may have begun one meanwhile; the later one stays.
    retire();
    current = session;
    return session;
  }

  function retire(): void {
    if (current === undefined) return;
    current.retired = true;
    if (current.users === 0) void current.authentication.dispatcher?.destroy();
    current = undefined;
  }

  function leave(session: Session): void {
    session.users -= 1;
    if (session.retired && session.users === 0) void session.authentication.dispatcher?.destroy();
  }

  const callOf =
    ({ from: { config, connection }, authentication: { headers, dispatcher } }: Session): CallApi =>
    async ({ what, method = "GET", path, query = {}, body, accept = "application/json" }, signal) => {
      const url = new URL((config.getCurrentCluster()?.server.replace(/\/+$/, "") ?? "") + path);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const answer = await timed(what, signal, async (either) => {
        const response = await fetch(url, {
          method,
          headers: {
            ...headers,
            accept,
            "user-agent": "arpeggio",
            ...(body === undefined ? {} : { "content-type": body.type }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body.value) }),
          signal: either,
          // A redirect would carry the credentials to another place.
          redirect: "manual",
          ...(dispatcher ? { dispatcher } : {}),
        });
        return { status: response.status, body: await response.text() };
      });
      // Credentials that the server no longer takes are not used again.
      if (answer.status === 401) retire();
      return { ...answer, user: connection.user, clean: (words) => harmless(words, secretsOf(config)) };
    };

  return {
    during: async (signal, act) => {
      const session = await join(signal);
      try {
        return await act(callOf(session));
      } finally {
        leave(session);
      }
    },
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
