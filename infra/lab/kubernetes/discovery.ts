import { pluralOf, type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";

type Document = Readonly<Record<string, unknown>>;

const shortNames: Partial<Record<ResourceKind, readonly string[]>> = {
  namespaces: ["ns"],
  nodes: ["no"],
  pods: ["po"],
  services: ["svc"],
  configmaps: ["cm"],
  events: ["ev"],
  daemonsets: ["ds"],
  deployments: ["deploy"],
};

const inAll: readonly ResourceKind[] = ["pods", "services", "daemonsets", "deployments"];

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

const kindsOf = (kinds: readonly ResourceKind[], group: string, version: string): ResourceKind[] =>
  kinds.filter((kind) => resourceKinds[kind].group === group && resourceKinds[kind].version === version);

const reviews: Readonly<Record<string, readonly Readonly<{ plural: string; kind: string }>[]>> = {
  "authorization.k8s.io": [
    { plural: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview" },
    { plural: "selfsubjectrulesreviews", kind: "SelfSubjectRulesReview" },
  ],
  "authentication.k8s.io": [{ plural: "selfsubjectreviews", kind: "SelfSubjectReview" }],
};

/** Versions of each group, newest first: what the newest is, clients prefer. */
function groupsOf(kinds: readonly ResourceKind[]): Map<string, string[]> {
  const groups = new Map<string, string[]>(Object.keys(reviews).map((group) => [group, ["v1"]]));
  for (const kind of kinds) {
    const { group, version } = resourceKinds[kind];
    if (group === "") continue;
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) groups.set(group, [...versions, version].sort());
  }
  return groups;
}

const groupDocument = (name: string, versions: readonly string[]): Document => {
  const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: listed, preferredVersion: listed[0] };
};

const resourceList = (
  kinds: readonly ResourceKind[],
  group: string,
  version: string,
): Document | undefined => {
  const known = kindsOf(kinds, group, version);
  const others = version === "v1" ? (reviews[group] ?? []) : [];
  if (known.length === 0 && others.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: [
      ...known.map((kind) => ({
        name: pluralOf(kind),
        singularName: resourceKinds[kind].kind.toLowerCase(),
        namespaced: resourceKinds[kind].namespaced,
        kind: resourceKinds[kind].kind,
        verbs,
        ...(shortNames[kind] ? { shortNames: shortNames[kind] } : {}),
        ...(inAll.includes(kind) ? { categories: ["all"] } : {}),
      })),
      ...others.map(({ plural, kind }) => ({
        name: plural,
        singularName: kind.toLowerCase(),
        namespaced: false,
        kind,
        verbs: ["create"],
      })),
    ],
  };
};

const openapiPaths = (kinds: readonly ResourceKind[]): readonly string[] => [
  "api/v1",
  ...[...groupsOf(kinds)].flatMap(([group, versions]) =>
    versions.map((version) => `apis/${group}/${version}`),
  ),
];

/**
 * An OpenAPI v3 document of one group: paths and the PATCH operations with `fieldValidation`, which is what kubectl looks
 * for before `apply`. It names no strategic merge patches, so kubectl computes those of built-in kinds from its own tables.
 */
function openapi(kinds: readonly ResourceKind[], path: string): Document {
  const [group = "", version = ""] = path.startsWith("apis/") ? path.split("/").slice(1) : ["", "v1"];
  const query = (name: string): Document => ({
    name,
    in: "query",
    schema: { type: "string", uniqueItems: true },
  });
  const paths = kindsOf(kinds, group, version).map((kind) => {
    const { namespaced, kind: kindName } = resourceKinds[kind];
    const gvk = { group, version, kind: kindName };
    const parameters = [query("dryRun"), query("fieldManager"), query("fieldValidation")];
    return [
      `/${path}/${namespaced ? "namespaces/{namespace}/" : ""}${pluralOf(kind)}/{name}`,
      {
        get: { responses: {}, "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": gvk },
        patch: {
          parameters,
          requestBody: {
            content: {
              "application/apply-patch+yaml": {},
              "application/json-patch+json": {},
              "application/merge-patch+json": {},
            },
          },
          responses: {},
          "x-kubernetes-action": "patch",
          "x-kubernetes-group-version-kind": gvk,
        },
      },
    ] as const;
  });
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "lab" },
    paths: Object.fromEntries(paths),
    components: { schemas: {} },
  };
}

/** The documents that say what this API serves; undefined when the path names none of them. */
export function discovery(
  kinds: readonly ResourceKind[],
  pathname: string,
  address: string,
): Document | undefined {
  const path = pathname.replace(/^\/|\/$/g, "");
  if (path === "api")
    return {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
    };
  if (path === "apis")
    return {
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: [...groupsOf(kinds)].map(([name, versions]) => groupDocument(name, versions)),
    };
  if (path === "api/v1") return resourceList(kinds, "", "v1");
  const [root, group = "", version, ...rest] = path.split("/");
  if (root === "apis" && rest.length === 0) {
    const versions = groupsOf(kinds).get(group);
    if (!versions) return undefined;
    if (version === undefined)
      return { kind: "APIGroup", apiVersion: "v1", ...groupDocument(group, versions) };
    return resourceList(kinds, group, version);
  }
  if (path === "openapi/v3")
    return {
      paths: Object.fromEntries(
        openapiPaths(kinds).map((served) => [
          served,
          { serverRelativeURL: `/openapi/v3/${served}?hash=lab` },
        ]),
      ),
    };
  if (path.startsWith("openapi/v3/")) {
    const served = path.slice("openapi/v3/".length);
    return openapiPaths(kinds).includes(served) ? openapi(kinds, served) : undefined;
  }
  return undefined;
}
