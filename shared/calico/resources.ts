import * as z from "zod";
import { type Fault, isFault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";

/* Fields of Calico's objects in crd.projectcalico.org/v1 that decide who routes announced addresses. */

const bgpConfiguration = z.object({
  serviceLoadBalancerIPs: z.array(z.object({ cidr: z.string() })).nullish(),
});
const bgpPeer = z.object({ peerIP: z.string().nullish(), peerSelector: z.string().nullish() });
const felixConfiguration = z.object({
  bpfEnabled: z.boolean().nullish(),
  bpfExternalServiceMode: z.string().nullish(),
  bpfDataIfacePattern: z.string().nullish(),
});
const ipPool = z.object({ cidr: z.string() });

const schemas = {
  bgpconfigurations: bgpConfiguration,
  calicobgppeers: bgpPeer,
  felixconfigurations: felixConfiguration,
  ippools: ipPool,
} as const satisfies Partial<Record<ResourceKind, z.ZodType>>;

type Schemas = typeof schemas;

export type CalicoObject<K extends keyof Schemas> = Readonly<{ name: string; spec: z.output<Schemas[K]> }>;

/** Objects of one kind, or the fault of the first that cannot be read. An absent spec reads as an empty one. */
export function calicoObjects<K extends keyof Schemas>(
  kind: K,
  objects: readonly KubeObject[],
): readonly CalicoObject<K>[] | Fault {
  const read = objects.map((object): CalicoObject<K> | Fault => {
    const parsed = schemas[kind].safeParse(object.spec ?? {});
    if (parsed.success) return { name: object.metadata.name, spec: parsed.data as z.output<Schemas[K]> };
    const issue = parsed.error.issues[0];
    return {
      kind: "unreadable",
      what: `${kind} ${object.metadata.name}`,
      detail: `spec.${issue?.path.join(".")}: ${issue?.message}`,
    };
  });
  return read.find((each) => isFault(each)) ?? (read as readonly CalicoObject<K>[]);
}

/** The address of a peer without its port: `10.4.0.1:179`, `[fd00::1]:179`. */
export const peerAddress = (peerIP: string): string =>
  /^\[(.*)\]/.exec(peerIP)?.[1] ?? (/^[^:]+:\d+$/.test(peerIP) ? (peerIP.split(":")[0] ?? "") : peerIP);
