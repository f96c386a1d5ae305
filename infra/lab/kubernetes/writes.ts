import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import { mergePatch } from "#shared/kubernetes/merge-patch.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import {
  apiVersionOf,
  badRequest,
  invalid,
  invalidValue,
  notFound,
  otherUid,
} from "#shared/kubernetes/refusals.ts";
import type { ObjectStore, StoreResult } from "#shared/twin/object-store.ts";
import { builtInErrors } from "./built-in-rules.ts";
import { withDefaults } from "./defaults.ts";
import { jsonPatch } from "./json-patch.ts";
import { Refused } from "./refused.ts";
import { type Answer, type ApiRequest, flag, readBody, writeOptions } from "./request.ts";
import { fieldsOf, serverSideApply } from "./server-side-apply.ts";
import { prune } from "./spec-fields.ts";
import { strategicMerge } from "./strategic-merge.ts";
import type { Target } from "./target.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const stored = (result: StoreResult): KubeObject => {
  if (!result.ok) throw new Refused(result.refusal);
  return result.object;
};

/** Kinds whose `status` a write to the object itself leaves alone. */
const keepsStatus = (kind: ResourceKind): boolean =>
  kind !== "configmaps" && kind !== "events" && kind !== "endpointslices";

function withStatus(kind: ResourceKind, object: Fields, status: unknown): Fields {
  if (!keepsStatus(kind)) return object;
  const { status: _, ...rest } = object;
  return status === undefined ? rest : { ...rest, status };
}

const builtInNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** The object of a request: what it says of itself must be what the path says, and what it leaves out the path fills in. */
function addressed(target: Target, given: unknown): Fields {
  if (!isObject(given))
    throw new Refused(
      badRequest(`the object provided is unrecognized (must be of type ${resourceKinds[target.kind].kind})`),
    );
  const metadata = isObject(given.metadata) ? given.metadata : {};
  if (
    target.namespace !== undefined &&
    metadata.namespace !== undefined &&
    metadata.namespace !== "" &&
    metadata.namespace !== target.namespace
  )
    throw new Refused(
      badRequest(`the namespace of the provided object does not match the namespace sent on the request`),
    );
  if (target.name !== undefined && metadata.name !== undefined && metadata.name !== target.name)
    throw new Refused(
      badRequest(
        `the name of the object (${String(metadata.name)}) does not match the name on the URL (${target.name})`,
      ),
    );
  return {
    ...given,
    metadata: {
      ...metadata,
      ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
      ...(target.name === undefined ? {} : { name: target.name }),
    },
  };
}

type Prepared = Readonly<{ object: KubeObject; warnings: readonly string[] }>;

function prepare(
  store: ObjectStore,
  target: Target,
  given: unknown,
  request: ApiRequest,
  live?: KubeObject,
): Prepared {
  const { kind } = target;
  const { object, warnings } = prune(
    kind,
    addressed(target, given),
    request.query.get("fieldValidation"),
    live,
  );
  const filled = withDefaults(kind, object, store.list("services").items) as KubeObject;
  // What the live object has already was not brought by this request.
  const known = live === undefined ? [] : builtInErrors(kind, live).map(({ field }) => field);
  const errors = builtInErrors(kind, filled).filter(({ field }) => !known.includes(field));
  if (errors.length > 0) throw new Refused(invalid(kind, filled.metadata.name, errors));
  return { object: filled, warnings };
}

const answer = (code: number, body: unknown, warnings: readonly string[]): Answer => ({
  code,
  body,
  ...(warnings.length > 0 ? { warnings } : {}),
});

export function create(store: ObjectStore, target: Target, request: ApiRequest, given?: unknown): Answer {
  const { kind, namespace } = target;
  if (
    namespace !== undefined &&
    !builtInNamespaces.includes(namespace) &&
    store.get("namespaces", undefined, namespace) === undefined
  )
    throw new Refused(notFound("namespaces", namespace));
  const { object, warnings } = prepare(store, target, given ?? readBody(request), request);
  const fresh = kind === "namespaces" ? object : withStatus(kind, object, undefined);
  return answer(201, stored(store.create(kind, fresh as KubeObject, writeOptions(request))), warnings);
}

function current(store: ObjectStore, { kind, namespace, name = "" }: Target): KubeObject {
  const object = store.get(kind, namespace, name);
  if (!object) throw new Refused(notFound(kind, name));
  return object;
}

export function replace(store: ObjectStore, target: Target, request: ApiRequest): Answer {
  const { kind, name = "" } = target;
  const old = current(store, target);
  const { object, warnings } = prepare(store, target, readBody(request), request, old);
  // Custom resources allow no unconditional update; built-in kinds do (apiextensions-apiserver, customResourceStrategy).
  if (resourceKinds[kind].group === "metallb.io" && !object.metadata.resourceVersion)
    throw new Refused(
      invalid(kind, name, [invalidValue("metadata.resourceVersion", 0, "must be specified for an update")]),
    );
  const next = withStatus(kind, object, old.status) as KubeObject;
  return answer(200, stored(store.update(kind, next, writeOptions(request))), warnings);
}

function apply(store: ObjectStore, target: Target, request: ApiRequest): Answer {
  const { kind, namespace, name = "" } = target;
  const manager = request.query.get("fieldManager");
  if (!manager)
    throw new Refused({
      code: 422,
      reason: "Invalid",
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    });
  const given = addressed(target, readBody(request));
  if (given.apiVersion !== apiVersionOf(kind) || given.kind !== resourceKinds[kind].kind)
    throw new Refused(
      badRequest(`the applied object must be ${resourceKinds[kind].kind} of ${apiVersionOf(kind)}`),
    );
  if (isObject(given.metadata) && given.metadata.managedFields !== undefined)
    throw new Refused(badRequest("metadata.managedFields must be nil"));
  const live = store.get(kind, namespace, name);
  const pruned = prune(kind, given, request.query.get("fieldValidation"), live);
  const options = { ...writeOptions(request), appliedFields: fieldsOf(kind, pruned.object) };
  if (!live) {
    const { object, warnings } = prepare(store, target, pruned.object, request);
    const made = store.create(kind, withStatus(kind, object, undefined) as KubeObject, options);
    return answer(201, stored(made), [...pruned.warnings, ...warnings]);
  }
  const merged = serverSideApply(kind, live, pruned.object, {
    manager,
    force: flag(request.query, "force"),
  });
  const { object } = prepare(store, target, merged, request, live);
  const next = withStatus(kind, object, live.status) as KubeObject;
  return answer(200, stored(store.update(kind, next, options)), pruned.warnings);
}

export function patch(store: ObjectStore, target: Target, request: ApiRequest): Answer {
  const { kind } = target;
  const type = (request.headers["content-type"] ?? "").split(";")[0];
  if (type === "application/apply-patch+yaml" || type === "application/apply-patch+json")
    return apply(store, target, request);
  const merges: Readonly<Record<string, (old: unknown, change: unknown) => unknown>> = {
    "application/merge-patch+json": mergePatch,
    "application/json-patch+json": jsonPatch,
    ...(resourceKinds[kind].group === "metallb.io"
      ? {}
      : {
          "application/strategic-merge-patch+json": (old: unknown, change: unknown) =>
            strategicMerge(kind, old, change),
        }),
  };
  const merge = merges[type ?? ""];
  if (!merge)
    throw new Refused({
      code: 415,
      reason: "UnsupportedMediaType",
      message: `the body of the request was in an unknown format - accepted media types include: ${[...Object.keys(merges), "application/apply-patch+yaml"].join(", ")}`,
    });
  const old = current(store, target);
  const changed = merge(old, readBody(request));
  const uid = isObject(changed) && isObject(changed.metadata) ? changed.metadata.uid : undefined;
  if (uid !== undefined && uid !== old.metadata.uid)
    throw new Refused(otherUid(kind, old.metadata.name, uid));
  const { object, warnings } = prepare(store, target, changed, request, old);
  const next = withStatus(kind, object, old.status) as KubeObject;
  return answer(200, stored(store.update(kind, next, writeOptions(request))), warnings);
}

const policies = ["Background", "Foreground", "Orphan"];

/** Deletes one object. Dependents are not collected here: whoever models their owner does that. */
export function remove(store: ObjectStore, target: Target, request: ApiRequest): Answer {
  const { kind, namespace, name = "" } = target;
  const read = request.body.length === 0 ? {} : readBody(request);
  const options = isObject(read) ? read : {};
  const policy = options.propagationPolicy ?? request.query.get("propagationPolicy") ?? "Background";
  if (!policies.includes(String(policy)))
    throw new Refused({
      code: 422,
      reason: "Invalid",
      message: `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
    });
  const dryRun = Array.isArray(options.dryRun) && options.dryRun.includes("All");
  const preconditions = isObject(options.preconditions) ? options.preconditions : {};
  const wanted = (field: "uid" | "resourceVersion"): Readonly<Record<string, string>> =>
    typeof preconditions[field] === "string" ? { [field]: preconditions[field] } : {};
  const removed = stored(
    store.remove(
      kind,
      namespace,
      name,
      { ...wanted("uid"), ...wanted("resourceVersion") },
      { ...writeOptions(request), ...(dryRun ? { dryRun } : {}) },
    ),
  );
  if (removed.metadata.deletionTimestamp) return { code: 200, body: removed };
  return {
    code: 200,
    body: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: {
        name,
        ...(resourceKinds[kind].group === "" ? {} : { group: resourceKinds[kind].group }),
        kind,
        uid: removed.metadata.uid,
      },
    },
  };
}
