import { pluralOf, type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";

/** Path of a collection, or of one object of it. Without a namespace, all of them. */
export function pathOf(
  kind: ResourceKind,
  at: Readonly<{ namespace?: string | undefined; name?: string }> = {},
): string {
  const { group, version, namespaced } = resourceKinds[kind];
  const part = (text: string) => `/${encodeURIComponent(text)}`;
  return [
    group === "" ? `/api/${version}` : `/apis/${group}/${version}`,
    namespaced && at.namespace !== undefined ? `/namespaces${part(at.namespace)}` : "",
    part(pluralOf(kind)),
    at.name === undefined ? "" : part(at.name),
  ].join("");
}
