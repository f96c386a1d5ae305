import type { KubeObject } from "../kubernetes/read.ts";
import type { ObjectStore } from "./object-store.ts";

/** Addresses that a Service (`namespace/name`) got, none when there is no such Service. */
export function addressesOfService(store: ObjectStore, key: string): readonly string[] {
  const at = key.indexOf("/");
  const service = store.get("services", key.slice(0, at), key.slice(at + 1));
  const status = service?.status as { loadBalancer?: { ingress?: readonly { ip?: string }[] } } | undefined;
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}

/** The list of Services is the same array until one of them changes. */
const byAddress = new WeakMap<readonly KubeObject[], Map<string, string[]>>();

/** Services (`namespace/name`) that have an address. */
export function servicesWith(store: ObjectStore, ip: string): readonly string[] {
  const { items } = store.list("services");
  let known = byAddress.get(items);
  if (known === undefined) {
    known = new Map();
    for (const { metadata } of items) {
      const key = `${metadata.namespace}/${metadata.name}`;
      for (const address of addressesOfService(store, key))
        known.set(address, [...(known.get(address) ?? []), key]);
    }
    byAddress.set(items, known);
  }
  return known.get(ip) ?? [];
}
