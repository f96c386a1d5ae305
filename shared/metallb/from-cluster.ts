import type { Fault } from "../fault.ts";
import { isFault } from "../fault.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed } from "../kubernetes/read.ts";
import { type MetalLbObjects, parseMetalLbObjects } from "./resources.ts";

export type FromCluster = Readonly<{
  objects: MetalLbObjects;
  /** Objects that were there and could not be read. */
  problems: readonly string[];
  /** Kinds that could not be listed: their part of `objects` is empty because nobody could look. */
  faults: ReadonlyMap<ResourceKind, Fault>;
}>;

/** What a cluster read gave, as MetalLB's objects. List calls leave `kind` out of the items, so it is put back. */
export function fromCluster(lists: Readonly<Partial<Record<ResourceKind, Listed>>>): FromCluster {
  const items: KubeObject[] = [];
  const faults = new Map<ResourceKind, Fault>();
  for (const [name, listed] of Object.entries(lists) as [ResourceKind, Listed][]) {
    if (isFault(listed)) {
      faults.set(name, listed);
      continue;
    }
    const { group, version, kind } = resourceKinds[name];
    const apiVersion = group === "" ? version : `${group}/${version}`;
    for (const item of listed) items.push({ ...item, kind, apiVersion: item.apiVersion ?? apiVersion });
  }
  return { ...parseMetalLbObjects(items), faults };
}
