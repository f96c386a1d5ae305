import { pluralOf, type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";

/** What a request path names: a collection, an object, or a part of an object. */
export type Target = Readonly<{
  kind: ResourceKind;
  namespace?: string;
  name?: string;
  subresource?: string;
}>;

const kindIn = (group: string, version: string, plural: string | undefined): ResourceKind | undefined =>
  (Object.keys(resourceKinds) as ResourceKind[]).find(
    (kind) =>
      pluralOf(kind) === plural &&
      resourceKinds[kind].group === group &&
      resourceKinds[kind].version === version,
  );

/** Reads `/api/v1/…` and `/apis/GROUP/VERSION/…` paths of the kinds we know; undefined for anything else. */
export function readTarget(pathname: string): Target | undefined {
  const segments = pathname
    .split("/")
    .filter((segment) => segment !== "")
    .map(decodeURIComponent);
  const core = segments[0] === "api";
  if (!core && segments[0] !== "apis") return undefined;
  const [group, version] = core ? ["", segments[1] ?? ""] : [segments[1] ?? "", segments[2] ?? ""];
  const rest = segments.slice(core ? 2 : 3);
  const make = (
    plural: string | undefined,
    namespace: string | undefined,
    name: string | undefined,
    subresource: string | undefined,
  ): Target | undefined => {
    const kind = kindIn(group, version, plural);
    if (!kind) return undefined;
    return {
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
    };
  };
  if (rest[0] === "namespaces" && rest.length >= 3) {
    const inside = make(rest[2], rest[1], rest[3], rest[4]);
    if (inside && resourceKinds[inside.kind].namespaced) return inside;
  }
  const [plural, name, subresource, ...more] = rest;
  if (more.length > 0) return undefined;
  return make(plural, undefined, name, subresource);
}
