import type { Json } from "../json.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import { mergePatch } from "../kubernetes/merge-patch.ts";
import { asMergePatch } from "../kubernetes/named-lists.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { withoutSecrets } from "../kubernetes/secret-words.ts";
import type { ObjectRef } from "../kubernetes/write.ts";
import type { Deed } from "../steps/deed.ts";
import { uidMadeBy } from "../steps/deed.ts";
import type { Diff } from "../steps/step.ts";

/** What only the server writes; an object without it can be created again. */
const serverFields = [
  "uid",
  "resourceVersion",
  "managedFields",
  "creationTimestamp",
  "generation",
  "selfLink",
] as const;

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

type Spec = Readonly<Record<string, unknown>>;
const specOf = (object: KubeObject): Spec => (object.spec ?? {}) as Spec;

/** How a password reads where people and the ledger may see it. */
export const hiddenPassword = "[secret]";

/** A BGPPeer that carries its password as plain text. */
export const hasInlinePassword = (kind: ResourceKind, object: KubeObject): boolean => {
  const { password } = specOf(object);
  return kind === "bgppeers" && typeof password === "string" && password !== "";
};

/** `BGPAdvertisement metallb/primary`. */
export const titleOf = (kind: ResourceKind, { metadata }: KubeObject): string =>
  `${resourceKinds[kind].kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;

export const refOf = (kind: ResourceKind, { metadata }: KubeObject): ObjectRef => ({
  kind,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  name: metadata.name,
});

/** The object as it can be created again: without status and what only the server writes. */
export function withoutServerFields(kind: ResourceKind, object: KubeObject): KubeObject {
  const { group, version, kind: name } = resourceKinds[kind];
  const { status: _, ...rest } = object;
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([key]) => !(serverFields as readonly string[]).includes(key)),
  ) as KubeObject["metadata"];
  return { ...rest, apiVersion: group === "" ? version : `${group}/${version}`, kind: name, metadata };
}

/** What of an Application, Kustomization or HelmRelease a pause is about; the rest may hold values with secrets. */
const shownOfSync: Partial<Record<ResourceKind, string>> = {
  applications: "syncPolicy",
  kustomizations: "suspend",
  helmreleases: "suspend",
};

type Container = Readonly<{
  name?: string;
  image?: string;
  command?: readonly string[];
  args?: readonly string[];
  env?: readonly Readonly<{ name: string; value?: string; valueFrom?: Json }>[];
}>;

/** Variables with the filters of an ExternalDNS, which are changed and hold no secret. */
const shownVariables = /^EXTERNAL_DNS_(?:[A-Z_]*DOMAINS?(?:_[A-Z_]+)?|ZONE_ID_FILTER)$/;

/** What a Service asks ExternalDNS for, which a domain move changes; other annotations may hold anything. */
const shownAnnotations = /\/(?:internal-)?hostname$/;

/** What of a Deployment is changed here: the words of its containers. Its variables may hold secrets. */
function shownDeployment({ apiVersion = "", kind = "", metadata, spec }: KubeObject): KubeObject {
  const { template } = (spec ?? {}) as { template?: { spec?: { containers?: readonly Container[] } } };
  const { name, namespace } = metadata;
  const containers = (template?.spec?.containers ?? []).map((container) => ({
    name: container.name,
    ...(container.command === undefined
      ? {}
      : { command: withoutSecrets(container.command, hiddenPassword) }),
    ...(container.args === undefined ? {} : { args: withoutSecrets(container.args, hiddenPassword) }),
    ...(container.env === undefined
      ? {}
      : {
          env: container.env.map((each) =>
            each.value === undefined || shownVariables.test(each.name)
              ? each
              : { name: each.name, value: hiddenPassword },
          ),
        }),
  }));
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { template: { spec: { containers } } },
  };
}

/**
 * As people and the ledger may see it: a password reads `[secret]`, kubectl's copy of it is left out, and of what others
 * own only what this is about is kept.
 */
export function shown(kind: ResourceKind, object: KubeObject): KubeObject {
  const bare = withoutServerFields(kind, object);
  const { name, namespace, labels } = bare.metadata;
  const field = shownOfSync[kind];
  if (field !== undefined || kind === "services") {
    const names = Object.entries(bare.metadata.annotations ?? {}).filter(([key]) =>
      shownAnnotations.test(key),
    );
    const metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(kind !== "services" || labels === undefined ? {} : { labels }),
      ...(kind !== "services" || names.length === 0 ? {} : { annotations: Object.fromEntries(names) }),
    };
    const spec = specOf(bare);
    const { apiVersion = "", kind: word = "" } = bare;
    if (field === undefined) return { apiVersion, kind: word, metadata, spec };
    return { apiVersion, kind: word, metadata, spec: field in spec ? { [field]: spec[field] } : {} };
  }
  if (kind === "deployments") return shownDeployment(bare);
  if (kind !== "bgppeers") return bare;
  const { [lastApplied]: _, ...annotations } = bare.metadata.annotations ?? {};
  return {
    ...bare,
    metadata: { ...bare.metadata, ...(bare.metadata.annotations === undefined ? {} : { annotations }) },
    ...(hasInlinePassword(kind, object) ? { spec: { ...specOf(object), password: hiddenPassword } } : {}),
  };
}

export const asJson = (object: KubeObject): Json => JSON.parse(JSON.stringify(object)) as Json;

export const diffOf = (kind: ResourceKind, before: KubeObject | null, after: KubeObject | null): Diff => ({
  object: titleOf(kind, (before ?? after) as KubeObject),
  uid: before?.metadata.uid ?? null,
  before: before === null ? null : asJson(shown(kind, before)),
  after: after === null ? null : asJson(shown(kind, after)),
});

/** What a step does to one object, with the way back. */
export type ObjectChange = Readonly<{
  kind: ResourceKind;
  before: KubeObject | null;
  after: KubeObject | null;
  deed: Extract<Deed, { kind: "kube" }>;
  undo: Extract<Deed, { kind: "kube" }>;
}>;

const lower = (kind: ResourceKind): string => resourceKinds[kind].kind.toLowerCase();

const idOf = (verb: string, kind: ResourceKind, { metadata }: KubeObject): string =>
  `${verb}-${lower(kind)}-${metadata.name}`;

const precondition = ({ metadata: { uid, resourceVersion } }: KubeObject) => ({
  uid: uid ?? "",
  ...(resourceVersion === undefined ? {} : { resourceVersion }),
});

export function creation(kind: ResourceKind, object: KubeObject): ObjectChange {
  const id = idOf("create", kind, object);
  const title = titleOf(kind, object);
  return {
    kind,
    before: null,
    after: object,
    deed: { id, title: `create ${title}`, kind: "kube", write: { verb: "create", kind, object } },
    undo: {
      id: `undo-${id}`,
      title: `delete ${title}`,
      kind: "kube",
      write: { verb: "delete", ref: refOf(kind, object), is: { uid: uidMadeBy(id) } },
    },
  };
}

export function deletion(kind: ResourceKind, object: KubeObject): ObjectChange {
  const id = idOf("delete", kind, object);
  const title = titleOf(kind, object);
  return {
    kind,
    before: object,
    after: null,
    deed: {
      id,
      title: `delete ${title}`,
      kind: "kube",
      write: { verb: "delete", ref: refOf(kind, object), is: precondition(object) },
    },
    undo: {
      id: `undo-${id}`,
      title: `create ${title} again`,
      kind: "kube",
      write: { verb: "create", kind, object: withoutServerFields(kind, object), restored: true },
    },
  };
}

/** The patch that takes back another: members that were not there become null, others what they were. */
export function inversePatch(before: unknown, patch: unknown): Json {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch))
    return (before === undefined ? null : before) as Json;
  if (typeof before !== "object" || before === null || Array.isArray(before))
    return (before === undefined ? null : before) as Json;
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => {
      const old = (before as Spec)[key];
      return [key, old === undefined ? null : value === null ? (old as Json) : inversePatch(old, value)];
    }),
  );
}

/** A merge patch. `what` names it in the list of steps: "leave httpbin out of". */
export function patching(kind: ResourceKind, object: KubeObject, patch: Json, what: string): ObjectChange {
  const id = idOf("patch", kind, object);
  const title = titleOf(kind, object);
  // Fields, not a version of the object: whoever else writes another field of it is in nobody's way.
  const is = { uid: object.metadata.uid ?? "" };
  const inverse = inversePatch(object, patch);
  return {
    kind,
    before: object,
    after: mergePatch(object, patch) as KubeObject,
    deed: {
      id,
      title: `${what} ${title}`,
      kind: "kube",
      write: { verb: "patch", ref: refOf(kind, object), patch, is, before: inverse },
    },
    undo: {
      id: `undo-${id}`,
      title: `put ${title} back`,
      kind: "kube",
      write: { verb: "patch", ref: refOf(kind, object), patch: inverse, is, before: patch },
    },
  };
}

/** The same for lists whose items are meant by name; what the patch does not name is no part of the deed. */
export function patchingByName(
  kind: ResourceKind,
  object: KubeObject,
  patch: Json,
  inverse: Json,
  what: string,
): ObjectChange {
  const change = patching(kind, object, asMergePatch(patch, object), what);
  const { deed, undo } = change;
  const named = { verb: "patch", ref: refOf(kind, object), is: { uid: object.metadata.uid ?? "" } } as const;
  return {
    ...change,
    deed: { ...deed, write: { ...named, byName: true, patch, before: inverse } },
    undo: { ...undo, write: { ...named, byName: true, patch: inverse, before: patch } },
  };
}

export const diffsOf = (changes: readonly ObjectChange[]): readonly Diff[] =>
  changes.map(({ kind, before, after }) => diffOf(kind, before, after));
