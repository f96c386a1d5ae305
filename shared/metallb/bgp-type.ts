import * as z from "zod";
import type { KubeObject } from "../kubernetes/read.ts";

const shape = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(
          z.object({
            name: z.string(),
            env: z.array(z.object({ name: z.string(), value: z.string().nullish() })).nullish(),
          }),
        ),
      }),
    }),
  }),
});

/**
 * How the speakers of a namespace speak BGP: `native`, `frr`, `frr-k8s`. Without METALLB_BGP_TYPE a speaker is native
 * (speaker/main.go). Undefined where no DaemonSet of the namespace has a container `speaker`.
 */
export function bgpType(daemonSets: readonly KubeObject[], namespace: string): string | undefined {
  for (const daemonSet of daemonSets) {
    if (daemonSet.metadata.namespace !== namespace) continue;
    const containers = shape.safeParse(daemonSet).data?.spec.template.spec.containers;
    const speaker = containers?.find(({ name }) => name === "speaker");
    if (speaker !== undefined)
      return speaker.env?.find(({ name }) => name === "METALLB_BGP_TYPE")?.value || "native";
  }
  return undefined;
}

/** Fields of a BGPPeer that native mode rejects, with the whole configuration (internal/config/validation.go, v0.16.1). */
const frrOnly = [
  "bfdProfile",
  "keepaliveTime",
  "connectTime",
  "vrf",
  "enableGracefulRestart",
  "disableMP",
  "dualStackAddressFamily",
  "dynamicASN",
  "interface",
  "localASN",
];

/** Those of them that a BGPPeer sets; an empty text and false count as not set. */
export function frrOnlyFields(peer: KubeObject): readonly string[] {
  const spec = (peer.spec ?? {}) as Readonly<Record<string, unknown>>;
  return frrOnly.filter((field) => Boolean(spec[field]));
}
