import { isDeepStrictEqual } from "node:util";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { badRequest } from "#shared/kubernetes/refusals.ts";
import { Refused } from "./refused.ts";

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// patchMergeKey tags of k8s.io/api for the built-in kinds we serve; a list that is not here is replaced whole.
const podSpec = "spec.template.spec";
const podLists = (at: string): readonly (readonly [string, string])[] => [
  [`${at}.containers`, "name"],
  [`${at}.containers.ports`, "containerPort"],
  [`${at}.containers.env`, "name"],
  [`${at}.containers.volumeMounts`, "mountPath"],
  [`${at}.initContainers`, "name"],
  [`${at}.initContainers.ports`, "containerPort"],
  [`${at}.initContainers.env`, "name"],
  [`${at}.initContainers.volumeMounts`, "mountPath"],
  [`${at}.volumes`, "name"],
  [`${at}.imagePullSecrets`, "name"],
  [`${at}.hostAliases`, "ip"],
  [`${at}.topologySpreadConstraints`, "topologyKey"],
];
const common: readonly (readonly [string, string])[] = [
  ["metadata.ownerReferences", "uid"],
  ["status.conditions", "type"],
];
const mergeKeys: Partial<Record<ResourceKind, ReadonlyMap<string, string>>> = {
  services: new Map([...common, ["spec.ports", "port"]]),
  nodes: new Map([...common, ["status.addresses", "type"]]),
  pods: new Map([...common, ...podLists("spec")]),
  daemonsets: new Map([...common, ...podLists(podSpec)]),
  deployments: new Map([...common, ...podLists(podSpec)]),
};
const primitiveSets = new Set(["metadata.finalizers", "spec.podCIDRs"]);

const directive = /^\$(patch|retainKeys|setElementOrder\/.+|deleteFromPrimitiveList\/.+)$/;

const badPatch = (why: string): Refused => new Refused(badRequest(`invalid strategic merge patch: ${why}`));

const listAt = (patch: Fields, name: string): readonly unknown[] => {
  const value = patch[name];
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badPatch(`${name} must be a list`);
  return value;
};

/** Puts items in the asked order; items it does not name keep their place among themselves, after those before them. */
function ordered<T>(items: readonly T[], order: readonly unknown[], keyOf: (item: unknown) => unknown): T[] {
  const rank = (item: T): number =>
    order.findIndex((wanted) => isDeepStrictEqual(keyOf(wanted), keyOf(item)));
  const named = items.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b));
  return items.map((item) => (rank(item) >= 0 ? (named.shift() as T) : item));
}

/**
 * Strategic merge patch, for the built-in kinds the API edge serves: merge keys of ports, conditions, containers and the
 * like, `$patch: delete|replace|merge`, `$retainKeys`, `$setElementOrder`, `$deleteFromPrimitiveList`. Not known: merge
 * keys of fields beyond this table (such lists are replaced). Custom resources take no strategic merge patches at all.
 */
export function strategicMerge(kind: ResourceKind, target: unknown, patch: unknown): unknown {
  const keys = mergeKeys[kind] ?? new Map(common);

  function mergeList(current: unknown, patched: readonly unknown[], order: readonly unknown[], path: string) {
    const key = keys.get(path);
    const before = Array.isArray(current) ? (current as readonly unknown[]) : [];
    if (key === undefined)
      return patched.map((item) => (isObject(item) ? mergeObject({}, item, path) : item));
    const keyOf = (item: unknown): unknown => (isObject(item) ? item[key] : undefined);
    let out = [...before];
    if (
      patched.some((item) => isObject(item) && item.$patch === "replace" && Object.keys(item).length === 1)
    ) {
      out = [];
    }
    for (const item of patched) {
      if (!isObject(item)) throw badPatch(`${path} must be a list of objects`);
      if (item.$patch === "replace" && Object.keys(item).length === 1) continue;
      const id = keyOf(item);
      if (id === undefined)
        throw badPatch(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
      const at = out.findIndex((known) => isDeepStrictEqual(keyOf(known), id));
      if (item.$patch === "delete") {
        if (at >= 0) out.splice(at, 1);
      } else if (at >= 0) out[at] = mergeObject(out[at], item, path);
      else out.push(mergeObject({}, item, path));
    }
    return ordered(out, order, keyOf);
  }

  function mergeObject(current: unknown, change: Fields, path: string): Fields {
    if (change.$patch === "replace")
      return Object.fromEntries(Object.entries(change).filter(([name]) => !directive.test(name)));
    if (change.$patch === "delete") return {};
    if (change.$patch !== undefined && change.$patch !== "merge")
      throw badPatch(`unknown $patch directive ${JSON.stringify(change.$patch)}`);
    const out = new Map(isObject(current) ? Object.entries(current) : []);
    if (change.$retainKeys !== undefined) {
      const retained = listAt(change, "$retainKeys");
      for (const name of [...out.keys()]) if (!retained.includes(name)) out.delete(name);
    }
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
    const isSet = (name: string): boolean => primitiveSets.has(at(name));
    for (const name of Object.keys(change)) {
      const list = /^\$deleteFromPrimitiveList\/(.+)$/.exec(name)?.[1];
      const before = list === undefined ? undefined : out.get(list);
      if (list !== undefined && Array.isArray(before))
        out.set(
          list,
          before.filter((item) => !listAt(change, name).includes(item)),
        );
    }
    for (const [name, value] of Object.entries(change)) {
      if (directive.test(name)) continue;
      if (value === null || (isObject(value) && value.$patch === "delete")) out.delete(name);
      else if (isObject(value)) out.set(name, mergeObject(out.get(name), value, at(name)));
      else if (!Array.isArray(value)) out.set(name, value);
      else if (isSet(name)) {
        const before = out.get(name);
        out.set(name, [...new Set([...(Array.isArray(before) ? before : []), ...value])]);
      } else
        out.set(name, mergeList(out.get(name), value, listAt(change, `$setElementOrder/${name}`), at(name)));
    }
    for (const name of Object.keys(change)) {
      const list = /^\$setElementOrder\/(.+)$/.exec(name)?.[1];
      const before = list === undefined ? undefined : out.get(list);
      if (list === undefined || !Array.isArray(before) || change[list] !== undefined) continue;
      const key = keys.get(at(list));
      const keyOf = (item: unknown): unknown => (key !== undefined && isObject(item) ? item[key] : item);
      out.set(list, ordered(before, listAt(change, name), keyOf));
    }
    return Object.fromEntries(out);
  }

  if (!isObject(patch)) throw badPatch("the patch must be a JSON object");
  return mergeObject(target, patch, "");
}
