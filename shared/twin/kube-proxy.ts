import { parse } from "yaml";
import type { ObjectStore } from "./object-store.ts";

export type KubeProxyMode = Readonly<{ ipvs: boolean; strictArp: boolean }>;

/** Mode and `strictARP` from ConfigMap kube-system/kube-proxy; iptables when it says nothing. */
export function kubeProxyMode(store: ObjectStore): KubeProxyMode {
  const data = store.get("configmaps", "kube-system", "kube-proxy")?.data as
    | Readonly<Record<string, string>>
    | undefined;
  const config = parse(data?.["config.conf"] ?? "{}") as {
    mode?: string;
    ipvs?: { strictARP?: boolean };
  } | null;
  return { ipvs: config?.mode === "ipvs", strictArp: config?.ipvs?.strictARP === true };
}

/** Every address of a LoadBalancer: with IPVS each node has them all on `kube-ipvs0`. */
export const loadBalancerAddresses = (store: ObjectStore): readonly string[] =>
  store.list("services").items.flatMap((service) => {
    const status = service.status as { loadBalancer?: { ingress?: readonly { ip?: string }[] } } | undefined;
    return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  });
