import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import { qualifiedResource } from "#shared/kubernetes/refusals.ts";
import type { Refusal } from "#shared/twin/object-store.ts";
import { Refused } from "./refused.ts";

/** A rule of a Role or ClusterRole; `namespaces` stands for the bindings (left out: bound for the whole cluster). */
export type AccessRule = Readonly<{
  verbs: readonly string[];
  apiGroups?: readonly string[];
  resources?: readonly string[];
  resourceNames?: readonly string[];
  nonResourceURLs?: readonly string[];
  namespaces?: readonly string[];
}>;

/** Who a token is. Without `rules` everything is allowed, as for `system:masters`. */
export type Identity = Readonly<{
  user: string;
  groups: readonly string[];
  rules?: readonly AccessRule[];
}>;

export type Attempt = Readonly<{
  verb: string;
  group: string;
  /** `services`, or with a subresource `pods/log`. */
  resource: string;
  namespace?: string;
  name?: string;
}>;

const covers = (list: readonly string[] | undefined, value: string): boolean =>
  list?.some((item) => item === "*" || item === value) ?? false;

export const mayAct = ({ rules }: Identity, { verb, group, resource, namespace, name }: Attempt): boolean =>
  rules === undefined ||
  rules.some(
    (rule) =>
      covers(rule.verbs, verb) &&
      covers(rule.apiGroups, group) &&
      covers(rule.resources, resource) &&
      (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))) &&
      (rule.namespaces === undefined || (namespace !== undefined && rule.namespaces.includes(namespace))),
  );

export const mayVisit = ({ rules }: Identity, verb: string, path: string): boolean =>
  rules === undefined ||
  rules.some(
    (rule) =>
      covers(rule.verbs, verb) &&
      (rule.nonResourceURLs ?? []).some(
        (url) => url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1))),
      ),
  );

/** 403 in the words of the API server's RBAC authorizer. */
export function notAllowed(identity: Identity, kind: ResourceKind, attempt: Attempt): Refusal {
  const { group } = resourceKinds[kind];
  const { verb, resource, namespace, name } = attempt;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const what = name === undefined ? qualifiedResource(kind) : `${qualifiedResource(kind)} "${name}"`;
  return {
    code: 403,
    reason: "Forbidden",
    message: `${what} is forbidden: User "${identity.user}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
    details: { ...(name === undefined ? {} : { name }), ...(group === "" ? {} : { group }), kind },
  };
}

/**
 * `Impersonate-User`: whoever may impersonate acts as that user, with the rights of the user of that name or with none.
 */
export function actingAs(
  owner: Identity,
  user: string | readonly string[] | undefined,
  known: readonly Identity[],
): Identity {
  if (user === undefined) return owner;
  const name = String(user);
  if (!mayAct(owner, { verb: "impersonate", group: "", resource: "users", name }))
    throw new Refused({
      code: 403,
      reason: "Forbidden",
      message: `users "${name}" is forbidden: User "${owner.user}" cannot impersonate resource "users" in API group "" at the cluster scope`,
      details: { name, kind: "users" },
    });
  return known.find((identity) => identity.user === name) ?? { user: name, groups: [], rules: [] };
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Answers a SelfSubjectAccessReview: the same object with `status.allowed`. */
export function reviewAccess(identity: Identity, review: unknown): Fields {
  const spec = fieldsOf(fieldsOf(review).spec);
  const allowed = (): boolean => {
    if (spec.nonResourceAttributes !== undefined) {
      const { verb, path } = fieldsOf(spec.nonResourceAttributes);
      return mayVisit(identity, text(verb), text(path));
    }
    const asked = fieldsOf(spec.resourceAttributes);
    const subresource = text(asked.subresource);
    return mayAct(identity, {
      verb: text(asked.verb),
      group: text(asked.group),
      resource: subresource === "" ? text(asked.resource) : `${text(asked.resource)}/${subresource}`,
      ...(text(asked.namespace) === "" ? {} : { namespace: text(asked.namespace) }),
      ...(text(asked.name) === "" ? {} : { name: text(asked.name) }),
    });
  };
  return {
    kind: "SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: { creationTimestamp: null },
    spec,
    status: { allowed: allowed() },
  };
}

/** Answers a SelfSubjectRulesReview for one namespace. */
export function reviewRules(identity: Identity, review: unknown): Fields {
  const namespace = text(fieldsOf(fieldsOf(review).spec).namespace);
  const rules = identity.rules ?? [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ];
  const here = rules.filter((rule) => rule.namespaces === undefined || rule.namespaces.includes(namespace));
  return {
    kind: "SelfSubjectRulesReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: { creationTimestamp: null },
    spec: {},
    status: {
      incomplete: false,
      resourceRules: here
        .filter((rule) => rule.resources)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...(resourceNames ? { resourceNames } : {}),
        })),
      nonResourceRules: here
        .filter((rule) => rule.nonResourceURLs)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    },
  };
}
