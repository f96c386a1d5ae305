import { isDeepStrictEqual } from "node:util";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import { mergePatch } from "../kubernetes/merge-patch.ts";
import { checkMetadata, checkMetadataShape } from "../kubernetes/metadata.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import {
  alreadyExists,
  apiVersionOf,
  badRequest,
  conflict,
  invalid,
  invalidValue,
  modified,
  notFound,
  otherUid,
  qualifiedKind,
} from "../kubernetes/refusals.ts";
import type {
  Admit,
  ObjectStore,
  Operation,
  Refusal,
  StoreEvent,
  StoreResult,
  WriteOptions,
} from "./object-store.ts";

export type ObjectStoreOptions = Readonly<{
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Every call another one; generated names are drawn from it too. */
  newUid: () => string;
  admit?: Admit;
  /** Events kept for `since`; older ones answer `gone`. 1,000 when left out. */
  historyLimit?: number;
}>;

type Draft = Record<string, unknown> & { metadata: Record<string, unknown> };
type Fields = Readonly<Record<string, unknown>>;

const freeze = <T>(value: T): T => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
};

/** A copy that holds JSON only, as etcd would: functions and undefined members are gone, nothing is shared. */
const copy = (object: unknown): Draft => {
  const draft: unknown = JSON.parse(JSON.stringify(object ?? {}));
  const fields = typeof draft === "object" && draft !== null && !Array.isArray(draft) ? draft : {};
  const metadata = "metadata" in fields ? fields.metadata : undefined;
  return {
    ...fields,
    metadata:
      typeof metadata === "object" && metadata !== null ? { ...(metadata as Record<string, unknown>) } : {},
  };
};

const without = (object: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** RFC 3339 in whole seconds, as `metav1.Time` is written. */
const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");

// Names the API server generates use no vowels and no digits that read like letters (apimachinery, util/rand).
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

function suffix(seed: string): string {
  let hash = 2166136261;
  for (const character of seed) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0;
  let out = "";
  for (let i = 0; i < 5; i++) {
    out += alphabet[hash % alphabet.length];
    hash = Math.floor(hash / alphabet.length);
  }
  return out;
}

// Services, Nodes, Pods, Namespaces, ConfigMaps and Events carry no generation; the other groups count it.
const countsGeneration = (kind: ResourceKind): boolean => resourceKinds[kind].group !== "";

const wanted = (object: Fields): Fields => without(object, "apiVersion", "kind", "metadata", "status");

const finalizers = (object: Draft | KubeObject): readonly unknown[] =>
  Array.isArray(object.metadata.finalizers) ? object.metadata.finalizers : [];

/**
 * An object store with the API server's habits: one decimal `resourceVersion` that grows by one a write, refusals in its
 * words, a write that changes nothing is none. Objects come out deeply frozen. What it does not know: schemas of kinds
 * (that is admission's job), garbage collection by owner, and the content of a namespace that is deleted.
 */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { now, newUid, admit } = options;
  const historyLimit = Math.max(1, options.historyLimit ?? 1_000);
  const objects = new Map<ResourceKind, Map<string, KubeObject>>();
  const sorted = new Map<ResourceKind, readonly KubeObject[]>();
  const listeners = new Set<(event: StoreEvent) => void>();
  let version = 1;
  /** Event `i` of the history has resourceVersion `forgotten + 1 + i`, because each write makes one event. */
  let history: StoreEvent[] = [];
  let forgotten = version;
  const undelivered: StoreEvent[] = [];
  let delivering = false;

  const shelf = (kind: ResourceKind): Map<string, KubeObject> => {
    const found = objects.get(kind);
    if (found) return found;
    const made = new Map<string, KubeObject>();
    objects.set(kind, made);
    return made;
  };

  const keyOf = (kind: ResourceKind, namespace: unknown, name: unknown): string =>
    resourceKinds[kind].namespaced ? `${String(namespace ?? "")}/${String(name)}` : String(name);

  const all = (kind: ResourceKind): readonly KubeObject[] => {
    const known = sorted.get(kind);
    if (known) return known;
    const items = Object.freeze(
      [...shelf(kind)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, object]) => object),
    );
    sorted.set(kind, items);
    return items;
  };

  /** Listeners that write again must not overtake: their events wait until this one has reached everybody. */
  function deliver(event: StoreEvent): void {
    undelivered.push(event);
    if (delivering) return;
    delivering = true;
    const failures: unknown[] = [];
    try {
      for (let next = undelivered.shift(); next; next = undelivered.shift())
        for (const listener of [...listeners])
          try {
            if (listeners.has(listener)) listener(next);
          } catch (error) {
            failures.push(error);
          }
    } finally {
      delivering = false;
    }
    if (failures.length > 0) throw failures[0];
  }

  function commit(type: StoreEvent["type"], kind: ResourceKind, draft: Draft): StoreResult {
    version += 1;
    draft.metadata.resourceVersion = String(version);
    const object = freeze(draft) as unknown as KubeObject;
    const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
    if (type === "DELETED") shelf(kind).delete(key);
    else shelf(kind).set(key, object);
    sorted.delete(kind);
    const event = freeze({ type, kind, object });
    history.push(event);
    if (history.length >= historyLimit * 2) {
      forgotten += history.length - historyLimit;
      history = history.slice(-historyLimit);
    }
    deliver(event);
    return { ok: true, object };
  }

  const refuse = (refusal: Refusal): StoreResult => ({ ok: false, refusal });

  const preview = (draft: Draft): StoreResult => ({
    ok: true,
    object: freeze(draft) as unknown as KubeObject,
  });

  const admitted = (
    operation: Operation,
    kind: ResourceKind,
    object: Draft | KubeObject,
    old: KubeObject | undefined,
  ): Refusal | undefined => admit?.(operation, kind, object as KubeObject, old, all);

  /** The type meta and the shape, which are read before anything else is judged. */
  function readable(kind: ResourceKind, given: unknown): Refusal | undefined {
    if (typeof given !== "object" || given === null || Array.isArray(given))
      return badRequest(`the object provided is unrecognized (must be of type ${resourceKinds[kind].kind})`);
    const { apiVersion, kind: kindName, metadata } = given as Fields;
    if (kindName !== undefined && kindName !== resourceKinds[kind].kind)
      return badRequest(
        `${String(kindName)} in version "${String(apiVersion ?? "")}" cannot be handled as a ${resourceKinds[kind].kind}`,
      );
    if (apiVersion !== undefined && apiVersion !== apiVersionOf(kind))
      return badRequest(
        `the API version in the data (${String(apiVersion)}) does not match the expected API version (${apiVersionOf(kind)})`,
      );
    const misshapen = checkMetadataShape(metadata);
    return misshapen === undefined ? undefined : badRequest(misshapen);
  }

  function recordManager(kind: ResourceKind, draft: Draft, before: unknown, write: WriteOptions): void {
    const { manager = "unknown", appliedFields } = write;
    const operation = appliedFields === undefined ? "Update" : "Apply";
    const others = (Array.isArray(before) ? (before as readonly Fields[]) : []).filter(
      (entry) => entry.manager !== manager || entry.operation !== operation,
    );
    draft.metadata.managedFields = [
      ...others,
      {
        manager,
        operation,
        apiVersion: apiVersionOf(kind),
        time: write.seed === true ? draft.metadata.creationTimestamp : timestamp(now()),
        fieldsType: "FieldsV1",
        fieldsV1: appliedFields ?? {},
      },
    ];
  }

  function generatedName(kind: ResourceKind, metadata: Draft["metadata"]): string {
    // 63 is the longest generated name: 58 characters of prefix and five of suffix (apiserver, names.SimpleNameGenerator).
    const prefix = String(metadata.generateName).slice(0, 58);
    let name = "";
    for (let attempt = 0; attempt < 8; attempt++) {
      name = `${prefix}${suffix(newUid())}`;
      if (!shelf(kind).has(keyOf(kind, metadata.namespace, name))) break;
    }
    return name;
  }

  const create: ObjectStore["create"] = (kind, given, write = {}) => {
    const unreadable = readable(kind, given);
    if (unreadable) return refuse(unreadable);
    const draft = copy(given);
    const { metadata } = draft;
    if (!metadata.name && metadata.generateName) metadata.name = generatedName(kind, metadata);
    const name = String(metadata.name ?? "");
    if (resourceKinds[kind].namespaced && !metadata.namespace)
      return refuse(badRequest("Namespace parameter required."));
    // The storage layer says this without a reason, so clients see a bare 500.
    if (metadata.resourceVersion)
      return refuse({
        code: 500,
        reason: "",
        message: "resourceVersion should not be set on objects to be created",
      });
    draft.apiVersion = apiVersionOf(kind);
    draft.kind = resourceKinds[kind].kind;
    delete metadata.resourceVersion;
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    metadata.uid = newUid();
    metadata.creationTimestamp =
      (write?.seed === true ? metadata.creationTimestamp : undefined) ?? timestamp(now());
    if (countsGeneration(kind)) metadata.generation = 1;
    else delete metadata.generation;
    const errors = checkMetadata(kind, metadata);
    if (errors.length > 0) return refuse(invalid(kind, name, errors));
    recordManager(kind, draft, undefined, write);
    if (shelf(kind).has(keyOf(kind, metadata.namespace, name))) return refuse(alreadyExists(kind, name));
    const refusal = admitted("CREATE", kind, draft, undefined);
    if (refusal) return refuse(refusal);
    return write.dryRun ? preview(draft) : commit("ADDED", kind, draft);
  };

  function replace(kind: ResourceKind, old: KubeObject, given: unknown, write: WriteOptions): StoreResult {
    const { name } = old.metadata;
    const draft = copy(given);
    const { metadata } = draft;
    if (metadata.uid && metadata.uid !== old.metadata.uid)
      return refuse(
        conflict(
          kind,
          name,
          `Precondition failed: UID in precondition: ${String(metadata.uid)}, UID in object meta: ${String(old.metadata.uid)}`,
        ),
      );
    if (metadata.resourceVersion && metadata.resourceVersion !== old.metadata.resourceVersion)
      return refuse(modified(kind, name));
    const errors = (["name", "namespace", "creationTimestamp", "deletionTimestamp"] as const)
      .filter((field) => metadata[field] && metadata[field] !== old.metadata[field])
      .map((field) => invalidValue(`metadata.${field}`, metadata[field], "field is immutable"));
    draft.apiVersion = apiVersionOf(kind);
    draft.kind = resourceKinds[kind].kind;
    for (const field of [
      "name",
      "namespace",
      "uid",
      "creationTimestamp",
      "deletionTimestamp",
      "deletionGracePeriodSeconds",
      "generation",
      "managedFields",
      "resourceVersion",
    ])
      if (old.metadata[field] === undefined) delete metadata[field];
      else if (errors.length === 0 || !metadata[field]) metadata[field] = old.metadata[field];
    errors.push(
      ...checkMetadata(kind, metadata).filter((e) => !errors.some((known) => known.field === e.field)),
    );
    if (errors.length > 0) return refuse(invalid(kind, name, errors));
    const changed = !isDeepStrictEqual(draft, old);
    if (changed && countsGeneration(kind) && !isDeepStrictEqual(wanted(draft), wanted(old)))
      metadata.generation = Number(old.metadata.generation ?? 0) + 1;
    if (changed || write.appliedFields !== undefined)
      recordManager(kind, draft, old.metadata.managedFields, write);
    const refusal = admitted("UPDATE", kind, draft, old);
    if (refusal) return refuse(refusal);
    if (write.dryRun) return preview(draft);
    if (!changed && sameManagers(draft.metadata.managedFields, old.metadata.managedFields))
      return { ok: true, object: old };
    if (draft.metadata.deletionTimestamp && finalizers(draft).length === 0)
      return commit("DELETED", kind, draft);
    return commit("MODIFIED", kind, draft);
  }

  const find = (kind: ResourceKind, namespace: unknown, name: unknown): KubeObject | undefined =>
    objects.get(kind)?.get(keyOf(kind, namespace, name));

  const located = (
    kind: ResourceKind,
    namespace: unknown,
    name: unknown,
  ): Readonly<{ old: KubeObject } | { refusal: Refusal }> => {
    if (resourceKinds[kind].namespaced && !namespace)
      return { refusal: badRequest("Namespace parameter required.") };
    const old = find(kind, namespace, name);
    return old ? { old } : { refusal: notFound(kind, String(name ?? "")) };
  };

  const update: ObjectStore["update"] = (kind, given, write = {}) => {
    const unreadable = readable(kind, given);
    if (unreadable) return refuse(unreadable);
    const target = located(kind, given.metadata?.namespace, given.metadata?.name);
    return "refusal" in target ? refuse(target.refusal) : replace(kind, target.old, given, write);
  };

  const patched: ObjectStore["mergePatch"] = (kind, namespace, name, patch, write = {}) => {
    const target = located(kind, namespace, name);
    if ("refusal" in target) return refuse(target.refusal);
    if (typeof patch !== "object" || patch === null || Array.isArray(patch))
      return refuse(badRequest("error decoding patch: a merge patch of an object must be a JSON object"));
    const given = mergePatch(target.old, patch);
    const unreadable = readable(kind, given);
    if (unreadable) return refuse(unreadable);
    const { uid } = copy(given).metadata;
    if (uid !== undefined && uid !== target.old.metadata.uid)
      return refuse(otherUid(kind, String(name), uid));
    return replace(kind, target.old, given, write);
  };

  const remove: ObjectStore["remove"] = (kind, namespace, name, preconditions = {}, write = {}) => {
    const target = located(kind, namespace, name);
    if ("refusal" in target) return refuse(target.refusal);
    const { old } = target;
    const refused = (why: string): StoreResult =>
      refuse({
        ...conflict(kind, name, why),
        message: `Operation cannot be fulfilled on ${qualifiedKind(kind)} "${name}": ${why}`,
      });
    if (preconditions.uid !== undefined && preconditions.uid !== old.metadata.uid)
      return refused(
        `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${old.metadata.uid}). The object might have been deleted and then recreated`,
      );
    if (
      preconditions.resourceVersion !== undefined &&
      preconditions.resourceVersion !== old.metadata.resourceVersion
    )
      return refused(
        `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${old.metadata.resourceVersion}). The object might have been modified`,
      );
    const refusal = admitted("DELETE", kind, old, old);
    if (refusal) return refuse(refusal);
    const draft = copy(old);
    if (finalizers(old).length > 0) {
      if (old.metadata.deletionTimestamp) return { ok: true, object: old };
      draft.metadata.deletionTimestamp = timestamp(now());
      draft.metadata.deletionGracePeriodSeconds = 0;
      return write.dryRun ? preview(draft) : commit("MODIFIED", kind, draft);
    }
    return write.dryRun ? preview(draft) : commit("DELETED", kind, draft);
  };

  return {
    list: (kind, namespace) => ({
      items:
        namespace === undefined
          ? all(kind)
          : Object.freeze(all(kind).filter((object) => object.metadata.namespace === namespace)),
      resourceVersion: String(version),
    }),
    get: find,
    create,
    update,
    mergePatch: patched,
    remove,
    subscribe: (listener) => {
      const own = (event: StoreEvent): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    since: (resourceVersion) => {
      const after = /^\d+$/.test(resourceVersion) ? Number(resourceVersion) : Number.NaN;
      const oldest = Math.max(forgotten, version - historyLimit);
      // A version this store has not reached comes from another store's life: nothing we hold can continue it.
      if (!(after >= oldest && after <= version)) return "gone";
      return history.slice(after - forgotten);
    },
    compact: () => {
      forgotten = version;
      history = [];
    },
  };
}

const sameManagers = (a: unknown, b: unknown): boolean => {
  const plain = (entries: unknown): unknown =>
    Array.isArray(entries) ? entries.map((entry: Fields) => JSON.stringify(without(entry, "time"))) : [];
  return isDeepStrictEqual(plain(a), plain(b));
};
