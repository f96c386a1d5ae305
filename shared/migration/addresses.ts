import type { KubeObject } from "../kubernetes/read.ts";
import { parseIp } from "../metallb/ip.ts";
import type { MetalLbView } from "./metallb-view.ts";

/** An address that MetalLB gave to a Service, and a TCP port that clients connect to. */
export type ServedAddress = Readonly<{
  ip: string;
  /** `namespace/name`. */
  service: string;
  /** The first TCP port; undefined where the Service has none, then no client can be imitated. */
  port: number | undefined;
  object: KubeObject;
}>;

type ServiceShape = Readonly<{
  spec?: Readonly<{
    type?: string;
    loadBalancerClass?: string;
    ports?: readonly Readonly<{ port?: number; protocol?: string }>[];
  }>;
  status?: Readonly<{ loadBalancer?: Readonly<{ ingress?: readonly Readonly<{ ip?: string }>[] }> }>;
}>;

/** Every IPv4 address of a Service that MetalLB serves, lowest first. */
export function servedAddresses(view: MetalLbView): readonly ServedAddress[] {
  const lbClass = view.own.speakers.loadBalancerClass ?? "";
  return view.lists.services
    .flatMap((object): readonly ServedAddress[] => {
      const { spec, status } = object as KubeObject & ServiceShape;
      if (spec?.type !== "LoadBalancer" || (spec.loadBalancerClass ?? "") !== lbClass) return [];
      const port = spec.ports?.find(({ protocol = "TCP" }) => protocol === "TCP")?.port;
      const service = `${object.metadata.namespace ?? "default"}/${object.metadata.name}`;
      return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
        ip === undefined || parseIp(ip)?.family !== 4 ? [] : [{ ip, service, port, object }],
      );
    })
    .toSorted((a, b) => ((parseIp(a.ip)?.value ?? 0n) < (parseIp(b.ip)?.value ?? 0n) ? -1 : 1));
}
