import { parse } from "yaml";
import * as z from "zod";
import type { Fault } from "../fault.ts";
import type { KubeObject } from "./read.ts";

/** The part of kube-proxy's configuration that decides who answers ARP. */
export type KubeProxyConfig = Readonly<{ mode: string; strictArp: boolean }>;

const shape = z.object({
  mode: z.string().nullish(),
  ipvs: z.object({ strictARP: z.boolean().nullish() }).nullish(),
});

/**
 * Reads `config.conf` of ConfigMap kube-system/kube-proxy, as kubeadm writes it. Undefined where there is none: k3s and
 * others start kube-proxy without it.
 */
export function kubeProxyConfig(configMaps: readonly KubeObject[]): KubeProxyConfig | Fault | undefined {
  const map = configMaps.find(
    ({ metadata }) => metadata.namespace === "kube-system" && metadata.name === "kube-proxy",
  );
  const text = (map?.data as Readonly<Record<string, unknown>> | undefined)?.["config.conf"];
  if (typeof text !== "string") return undefined;
  const unreadable = (detail: string): Fault => ({
    kind: "unreadable",
    what: "config.conf of ConfigMap kube-system/kube-proxy",
    detail,
  });
  try {
    const parsed = shape.safeParse(parse(text));
    if (!parsed.success) return unreadable(parsed.error.issues[0]?.message ?? "not a configuration");
    return { mode: parsed.data.mode || "iptables", strictArp: parsed.data.ipvs?.strictARP ?? false };
  } catch (error) {
    return unreadable(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}
