import type { ObjectStore } from "./object-store.ts";

/** Addresses that a Service (`namespace/name`) got, none when there is no such Service. */
export function addressesOfService(store: ObjectStore, key: string): readonly string[] {
  const at = key.indexOf("/");
  const service = store.get("services", key.slice(0, at), key.slice(at + 1));
  const status = service?.status as { loadBalancer?: { ingress?: readonly { ip?: string }[] } } | undefined;
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}
