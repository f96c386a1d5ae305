import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";

export type StoreEvent = Readonly<{
  type: "ADDED" | "MODIFIED" | "DELETED";
  kind: ResourceKind;
  object: KubeObject;
}>;

/** A Kubernetes `Status` failure: HTTP code, reason, message in the API server's wording. */
export type Refusal = Readonly<{
  code: number;
  reason: string;
  message: string;
  details?: Readonly<Record<string, unknown>>;
}>;

export type StoreResult =
  | Readonly<{ ok: true; object: KubeObject }>
  | Readonly<{ ok: false; refusal: Refusal }>;

export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** An admission webhook: a message refuses the write, undefined lets it pass. `all` is the store before the write. */
export type Admit = (
  operation: Operation,
  kind: ResourceKind,
  object: KubeObject,
  old: KubeObject | undefined,
  all: (kind: ResourceKind) => readonly KubeObject[],
) => Refusal | undefined;

export type WriteOptions = Readonly<{
  dryRun?: boolean;
  manager?: string;
  /** The `fieldsV1` of a server-side apply: the manager is then recorded as having applied them, not as an updater. */
  appliedFields?: Readonly<Record<string, unknown>>;
  /** For what existed before the model began: keeps the object's own creationTimestamp. */
  seed?: boolean;
}>;

export type Preconditions = Readonly<{ uid?: string; resourceVersion?: string }>;

/** The cluster's objects: the one source of truth that speakers watch, that the API edge serves, that tests fill. */
export type ObjectStore = Readonly<{
  list: (
    kind: ResourceKind,
    namespace?: string,
  ) => Readonly<{ items: readonly KubeObject[]; resourceVersion: string }>;
  get: (kind: ResourceKind, namespace: string | undefined, name: string) => KubeObject | undefined;
  create: (kind: ResourceKind, object: KubeObject, options?: WriteOptions) => StoreResult;
  /** Optimistic: a `metadata.resourceVersion` that is not the current one is refused with 409 Conflict. */
  update: (kind: ResourceKind, object: KubeObject, options?: WriteOptions) => StoreResult;
  /** JSON merge patch (RFC 7386). */
  mergePatch: (
    kind: ResourceKind,
    namespace: string | undefined,
    name: string,
    patch: unknown,
    options?: WriteOptions,
  ) => StoreResult;
  remove: (
    kind: ResourceKind,
    namespace: string | undefined,
    name: string,
    preconditions?: Preconditions,
    options?: WriteOptions,
  ) => StoreResult;
  /** Called synchronously after every write. Returns the way to stop. */
  subscribe: (listener: (event: StoreEvent) => void) => () => void;
  /** Events after a resourceVersion, or `gone` when the history no longer reaches back that far. */
  since: (resourceVersion: string) => readonly StoreEvent[] | "gone";
  /** Forgets the history up to now, so that older watches get 410. */
  compact: () => void;
}>;
