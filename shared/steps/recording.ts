import { pluralOf, type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import type { KubeWrite, WriteCluster } from "../kubernetes/write.ts";

/** One request to the API as RBAC sees it. Lists go over all namespaces: they have none. */
export type AccessCall = Readonly<{
  verb: "list" | "get" | "create" | "patch" | "delete";
  group: string;
  /** Plural, with a subresource `pods/log`. */
  resource: string;
  namespace?: string;
}>;

const called = (
  verb: AccessCall["verb"],
  kind: ResourceKind,
  { namespace, subresource }: Readonly<{ namespace?: string | undefined; subresource?: string }> = {},
): AccessCall => ({
  verb,
  group: resourceKinds[kind].group,
  resource: subresource === undefined ? pluralOf(kind) : `${pluralOf(kind)}/${subresource}`,
  ...(namespace === undefined ? {} : { namespace }),
});

/** Dry runs need the same right as the write. */
export const callOfWrite = (write: KubeWrite): AccessCall =>
  write.verb === "create"
    ? called("create", write.kind, write.object.metadata)
    : called(write.verb, write.ref.kind, write.ref);

export type Recording = Readonly<{
  read: (inner: ReadCluster) => ReadCluster;
  write: (inner: WriteCluster) => WriteCluster;
  logs: (inner: ReadLogs) => ReadLogs;
  /** Each once, in the order of their first time. */
  calls: () => readonly AccessCall[];
}>;

/** Wraps the ports of a cluster's API and writes down what was asked of them, whatever came of it. */
export function recordCalls(): Recording {
  const seen = new Map<string, AccessCall>();
  const note = (call: AccessCall): void => {
    seen.set(JSON.stringify(call), call);
  };
  return {
    read: (inner) => (kinds, signal) => {
      for (const kind of kinds) note(called("list", kind));
      return inner(kinds, signal);
    },
    write: (inner) => (write, options) => {
      note(callOfWrite(write));
      return inner(write, options);
    },
    logs: (inner) => (request, signal) => {
      note(called("get", "pods", { namespace: request.namespace, subresource: "log" }));
      return inner(request, signal);
    },
    calls: () => [...seen.values()],
  };
}
