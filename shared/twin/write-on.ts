import { FaultError } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import { asMergePatch } from "../kubernetes/named-lists.ts";
import { patchBody } from "../kubernetes/patch-body.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { KubeWrite, KubeWritten, WriteCluster } from "../kubernetes/write.ts";
import { refusedWrite } from "../kubernetes/written.ts";
import type { ObjectStore, StoreResult, WriteOptions } from "./object-store.ts";

/** Kinds without a status subresource: for the others the API server ignores `status` in writes to the object itself. */
const withoutStatus: readonly ResourceKind[] = ["configmaps", "events", "endpointslices"];

function withoutItsStatus<T extends object>(kind: ResourceKind, value: T): T {
  if (withoutStatus.includes(kind)) return value;
  const { status: _, ...rest } = value as T & { status?: unknown };
  return rest as T;
}

function store(objects: ObjectStore, write: KubeWrite, options: WriteOptions): StoreResult {
  switch (write.verb) {
    case "create":
      return objects.create(write.kind, withoutItsStatus(write.kind, write.object), options);
    case "patch": {
      const { kind, namespace, name } = write.ref;
      const wanted = write.byName
        ? asMergePatch(write.patch, objects.get(kind, namespace, name))
        : write.patch;
      const body = patchBody(wanted, write.is);
      const patch = typeof body === "object" && body !== null ? withoutItsStatus(kind, body) : body;
      return objects.mergePatch(kind, namespace, name, patch, options);
    }
    case "delete": {
      const { kind, namespace, name } = write.ref;
      return objects.remove(kind, namespace, name, write.is, options);
    }
  }
}

/** Writes straight to a store, as the API does it: admission judges dry runs too, and they store nothing. */
export const writeOn =
  (objects: ObjectStore): WriteCluster =>
  async (write, { dryRun = false, signal } = {}): Promise<KubeWritten> => {
    const kind = write.verb === "create" ? write.kind : write.ref.kind;
    if (signal?.aborted)
      throw new FaultError({
        kind: "cancelled",
        what: `${write.verb} of ${kind}`,
        detail: "cancelled before it started",
      });
    const result = store(objects, write, { manager: "arpeggio", dryRun });
    if (result.ok) {
      const gone: KubeObject | undefined =
        write.verb === "delete" && !result.object.metadata.deletionTimestamp ? undefined : result.object;
      return { ok: true, object: gone };
    }
    const refused = refusedWrite(result.refusal);
    if (refused !== undefined) return refused;
    throw new FaultError({
      kind: "refused",
      what: `${write.verb} of ${kind}`,
      detail: `the server answered ${result.refusal.code}: ${result.refusal.message}`,
    });
  };
