import * as z from "zod";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";

const labelled = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).nullish() }),
});
const containers = z.array(z.looseObject({ image: z.string().nullish() })).nullish();
const workload = z.looseObject({
  spec: z
    .looseObject({
      containers,
      template: z.looseObject({ spec: z.looseObject({ containers }).nullish() }).nullish(),
    })
    .nullish(),
});

/** What a Pod, DaemonSet or Deployment is to a MetalLB site: "speaker", "ExternalDNS"; undefined for all others. */
export function partOf(object: unknown): string | undefined {
  const labels = labelled.safeParse(object).data?.metadata.labels ?? {};
  const app = labels["app.kubernetes.io/name"] ?? labels.app;
  if (app === "metallb")
    return (
      { speaker: "speaker", controller: "MetalLB controller" }[
        labels["app.kubernetes.io/component"] ?? labels.component ?? ""
      ] ?? "MetalLB"
    );
  if (app === "frr-k8s") return "FRR-K8s";
  if (labels["k8s-app"] === "calico-node" || labels["k8s-app"] === "kube-proxy") return labels["k8s-app"];
  const spec = workload.safeParse(object).data?.spec;
  const images = [...(spec?.containers ?? []), ...(spec?.template?.spec?.containers ?? [])];
  return images.some(({ image }) => /external-dns/.test(image ?? "")) ? "ExternalDNS" : undefined;
}

/** DaemonSets and Deployments that carry no label of theirs themselves often have it on their pods' template. */
const partOfWorkload = (object: KubeObject): string | undefined => {
  const template = (object.spec as { template?: { metadata?: unknown } } | undefined)?.template;
  return partOf(object) ?? (template?.metadata ? partOf(template) : undefined);
};

const publishes = (object: KubeObject): boolean =>
  (object.spec as { type?: string } | undefined)?.type === "LoadBalancer" ||
  Object.keys(object.metadata.annotations ?? {}).some((key) => key.includes("external-dns"));

const siteConfigMaps = ["metallb-excludel2", "metallb-memberlist-config", "kube-proxy"];

const all = (): boolean => true;

/** The kinds whose objects make up a site, and which of their objects matter to it. */
export const watchedKinds = {
  nodes: all,
  services: publishes,
  pods: (object) => partOf(object) !== undefined,
  daemonsets: (object) => partOfWorkload(object) !== undefined,
  deployments: (object) => partOfWorkload(object) !== undefined,
  configmaps: ({ metadata }) => siteConfigMaps.includes(metadata.name),
  ipaddresspools: all,
  l2advertisements: all,
  bgpadvertisements: all,
  bgppeers: all,
  bfdprofiles: all,
  communities: all,
  servicel2statuses: all,
  configurationstates: all,
  applications: all,
  kustomizations: all,
  helmreleases: all,
} as const satisfies Partial<Record<ResourceKind, (object: KubeObject) => boolean>>;

export type WatchedKind = keyof typeof watchedKinds;
