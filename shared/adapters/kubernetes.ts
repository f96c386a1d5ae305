import * as z from "zod";
import { type Fault, FaultError } from "../fault.ts";
import { pluralOf, type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import type { KubeObject, Listed, ReadCluster } from "../kubernetes/read.ts";
import { apiVersionOf, qualifiedResource } from "../kubernetes/refusals.ts";
import type { WriteCluster } from "../kubernetes/write.ts";
import type { Connection } from "./kubeconfig.ts";
import { readLogsThrough } from "./kubernetes-logs.ts";
import { pathOf } from "./kubernetes-path.ts";
import {
  type ApiAnswer,
  type CallApi,
  type ConnectOptions,
  openSession,
  readJson,
  readStatus,
} from "./kubernetes-session.ts";
import { writeThrough } from "./kubernetes-write.ts";

export type ClusterConnection = Readonly<{
  /** Ends the connections that calls share. A later call opens new ones. */
  close: () => void;
  /** Never throws for what went wrong outside: each kind gets its own fault. */
  read: ReadCluster;
  write: WriteCluster;
  logs: ReadLogs;
  describeConnection: () => Connection | Fault;
}>;

const pageSize = 500;
/** Lists that expired between two pages are begun again this often before we give up. */
const restarts = 2;
const listShape = z.object({
  metadata: z.looseObject({ continue: z.string().optional() }),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});

/** What a response that is no list means; the API server's own words where it has any. */
function faultOf(kind: ResourceKind, { status, body, user }: ApiAnswer): Omit<Fault, "what"> {
  const said = readStatus(body)?.message ?? "";
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

async function list(
  call: CallApi,
  kind: ResourceKind,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const what = `list of ${kind}`;
  const items: KubeObject[] = [];
  let next: string | undefined;
  let begun = 0;
  for (;;) {
    const query = { limit: String(pageSize), ...(next === undefined ? {} : { continue: next }) };
    const answer = await call({ what, path: pathOf(kind), query }, signal);
    if (answer.status === 410 && next !== undefined && begun < restarts) {
      begun += 1;
      items.length = 0;
      next = undefined;
      continue;
    }
    if (answer.status !== 200) {
      const { kind: faultKind, detail } = faultOf(kind, answer);
      throw new FaultError({ kind: faultKind, what, detail: answer.clean(detail) });
    }
    const page = listShape.safeParse(readJson(answer.body));
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

/** The ports of one cluster's API. Reads, writes and logs share credentials and connections. */
export function connectCluster(options: ConnectOptions): ClusterConnection {
  const session = openSession(options);

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
    try {
      return await session.during(signal, (call) => all((kind) => list(call, kind, signal)));
    } catch (error) {
      return all(() => Promise.reject(error));
    }
  };

  return {
    read: read as ReadCluster,
    write: writeThrough(session),
    logs: readLogsThrough(session),
    close: session.close,
    describeConnection: session.describeConnection,
  };
}
