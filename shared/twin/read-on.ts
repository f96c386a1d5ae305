import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { Listed, ReadCluster } from "../kubernetes/read.ts";
import type { ObjectStore } from "./object-store.ts";

/** Lists straight from a store, as the API would; `denied` kinds answer as an API does that forbids them. */
export const readOn =
  (store: ObjectStore, denied: readonly ResourceKind[] = []): ReadCluster =>
  async (kinds) => {
    const lists: Record<string, Listed> = {};
    for (const kind of kinds)
      lists[kind] = denied.includes(kind)
        ? { kind: "denied", what: `list of ${kind}`, detail: `${kind} is forbidden` }
        : store.list(kind).items;
    return lists as Awaited<ReturnType<ReadCluster>> as never;
  };
