import type { KubeObject } from "../kubernetes/read.ts";
import { bgpType } from "../metallb/bgp-type.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { Twin } from "../twin/twin.ts";

type Container = Readonly<{ name: string; env?: readonly Readonly<{ name: string; value?: string }>[] }>;

/** The speakers' DaemonSet as the chart writes it without FRR. */
function withoutFrr(twin: Twin): void {
  const { namespace } = twin.spec.metallb;
  const daemonSets = twin.store.list("daemonsets", namespace).items;
  if (bgpType(daemonSets, namespace) === "native") return;
  for (const { metadata, spec } of daemonSets as readonly (KubeObject & {
    spec: { template: { spec: { containers: readonly Container[] } } };
  })[]) {
    const speaker = spec.template.spec.containers.find(({ name }) => name === "speaker");
    if (speaker === undefined) continue;
    const env = [
      ...(speaker.env ?? []).filter(({ name }) => !/^(METALLB_BGP_TYPE|FRR_)/.test(name)),
      { name: "METALLB_BGP_TYPE", value: "native" },
    ];
    twin.store.mergePatch("daemonsets", namespace, metadata.name, {
      spec: { template: { spec: { containers: [{ ...speaker, env }] } } },
    });
  }
}

/** What a person is told to do in a step, done to the model. Steps that ask for nothing the model has are left alone. */
export function assumeDone(step: string, twin: Twin, { site }: ClusterConfig): void {
  if (step === "frr-off") withoutFrr(twin);
  if (step === "router" && site.routerIp !== undefined)
    twin.setRouterLan(`${site.routerIp}/${site.lanPrefix.split("/")[1]}`);
}
