import { isDeepStrictEqual } from "node:util";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { Refused } from "./refused.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// Lists with keys of their own (listType=map); every other list is one value that belongs to whoever set it.
const listKeys: Partial<Record<ResourceKind, Readonly<Record<string, readonly string[]>>>> = {
  services: { "spec.ports": ["port", "protocol"] },
};

const keysAt = (kind: ResourceKind, path: string): readonly string[] | undefined => listKeys[kind]?.[path];

const itemKey = (keys: readonly string[], item: unknown): string =>
  `k:${JSON.stringify(
    Object.fromEntries(
      keys.map((key) => [
        key,
        isObject(item) ? (item[key] ?? (key === "protocol" ? "TCP" : undefined)) : undefined,
      ]),
    ),
  )}`;

const identity = new Set(["apiVersion", "kind", "metadata.name", "metadata.namespace"]);

/** The `fieldsV1` set of an applied configuration: what its manager now owns. */
export function fieldsOf(kind: ResourceKind, applied: unknown): Fields {
  const walk = (value: unknown, path: string): Fields => {
    const keys = keysAt(kind, path);
    if (Array.isArray(value) && keys)
      return Object.fromEntries(
        value.map((item) => [itemKey(keys, item), { ".": {}, ...walk(item, path) }] as const),
      );
    if (!isObject(value)) return {};
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, inner]) => [name, inner, path === "" ? name : `${path}.${name}`] as const)
        .filter(([, , at]) => !identity.has(at))
        .map(([name, inner, at]) => [`f:${name}`, walk(inner, at)] as const),
    );
  };
  return walk(applied, "");
}

type Owner = Readonly<{ manager: string; operation: string; fields: Fields }>;

const ownersOf = (object: KubeObject): Owner[] =>
  (Array.isArray(object.metadata.managedFields) ? (object.metadata.managedFields as Fields[]) : []).map(
    (entry) => ({
      manager: String(entry.manager),
      operation: String(entry.operation),
      fields: isObject(entry.fieldsV1) ? entry.fieldsV1 : {},
    }),
  );

const isLeaf = (fields: Fields): boolean => Object.keys(fields).every((name) => name === ".");

/**
 * Server-side apply: merges what is applied into the live object (or starts one), takes away what the same manager applied
 * before and no longer does, and refuses with 409 what another manager applied differently, unless forced. Ownership is
 * known for applied fields only: a field that an ordinary update wrote has no owner here and can be taken without a conflict,
 * and a field taken by force stays on its former owner's list until that one applies again.
 */
export function serverSideApply(
  kind: ResourceKind,
  live: KubeObject | undefined,
  applied: Fields,
  options: Readonly<{ manager: string; force: boolean }>,
): unknown {
  if (!live) return applied;
  const owners = ownersOf(live).filter((owner) => owner.operation === "Apply");
  const others = owners.filter((owner) => owner.manager !== options.manager);
  const conflicts: Readonly<{ manager: string; field: string }>[] = [];

  const merge = (before: unknown, after: unknown, path: string, held: readonly Owner[]): unknown => {
    const keys = keysAt(kind, path);
    const inside = (name: string): Owner[] =>
      held.flatMap((owner) => {
        const fields = owner.fields[name];
        return isObject(fields) ? [{ ...owner, fields }] : [];
      });
    if (keys && Array.isArray(after)) {
      const out = Array.isArray(before) ? [...(before as unknown[])] : [];
      for (const item of after) {
        const id = itemKey(keys, item);
        const at = out.findIndex((known) => itemKey(keys, known) === id);
        if (at < 0) out.push(item);
        else out[at] = merge(out[at], item, `${path}[]`, inside(id));
      }
      return out;
    }
    if (isObject(after)) {
      const out = new Map(isObject(before) ? Object.entries(before) : []);
      for (const [name, value] of Object.entries(after))
        out.set(
          name,
          merge(out.get(name), value, path === "" ? name : `${path}.${name}`, inside(`f:${name}`)),
        );
      return Object.fromEntries(out);
    }
    if (!isDeepStrictEqual(before, after) && !identity.has(path))
      conflicts.push(...held.map(({ manager }) => ({ manager, field: `.${path}` })));
    return after;
  };

  const prune = (
    value: unknown,
    had: Fields,
    has: Fields,
    shared: readonly Fields[],
    path: string,
  ): unknown => {
    const keys = keysAt(kind, path);
    const drop = (name: string): boolean =>
      isObject(had[name]) && has[name] === undefined && !shared.some((fields) => fields[name] !== undefined);
    const deeper = (name: string, inner: unknown, at: string): unknown => {
      const before = had[name];
      if (!isObject(before) || isLeaf(before)) return inner;
      const now = has[name];
      const rest = shared.flatMap((fields) => (isObject(fields[name]) ? [fields[name]] : []));
      return prune(inner, before, isObject(now) ? now : {}, rest, at);
    };
    if (keys && Array.isArray(value))
      return value
        .filter((item) => !drop(itemKey(keys, item)))
        .map((item) => deeper(itemKey(keys, item), item, path));
    if (!isObject(value)) return value;
    const out = new Map(Object.entries(value));
    for (const [name, inner] of out) {
      const field = `f:${name}`;
      const held = had[field];
      if (drop(field) && isObject(held) && isLeaf(held)) out.delete(name);
      else out.set(name, deeper(field, inner, path === "" ? name : `${path}.${name}`));
    }
    return Object.fromEntries(out);
  };

  const previous = owners.find((owner) => owner.manager === options.manager)?.fields ?? {};
  const kept = prune(
    live,
    previous,
    fieldsOf(kind, applied),
    others.map((owner) => owner.fields),
    "",
  );
  const merged = merge(kept, applied, "", others);
  if (conflicts.length > 0 && !options.force)
    throw new Refused({
      code: 409,
      reason: "Conflict",
      message: `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? "" : "s"}: ${conflicts
        .map(({ manager, field }) => `conflict with "${manager}": ${field}`)
        .join(", ")}`,
      details: {
        causes: conflicts.map(({ manager, field }) => ({
          reason: "FieldManagerConflict",
          message: `conflict with "${manager}"`,
          field,
        })),
      },
    });
  return merged;
}
