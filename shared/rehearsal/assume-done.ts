import { parseAllDocuments } from "yaml";
import type { Json } from "../json.ts";
import { asMergePatch } from "../kubernetes/named-lists.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { bgpType } from "../metallb/bgp-type.ts";
import { hiddenPassword, titleOf } from "../migration/objects.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { StepPlan } from "../steps/step.ts";
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

const issued = {
  conditions: [{ type: "Ready", status: "True", message: "taken for issued in a rehearsal" }],
};

/** Certificates of a file that was handed over, issued at once: whether the issuer can is judged before. */
function withCertificates(twin: Twin, { deeds }: StepPlan): void {
  for (const deed of deeds)
    if (deed.kind === "document")
      for (const document of parseAllDocuments(deed.text)) {
        const certificate = document.toJS() as KubeObject;
        const { namespace, name } = certificate.metadata;
        if (twin.store.get("certificates", namespace, name) === undefined)
          twin.store.create("certificates", { ...certificate, status: issued });
      }
}

/**
 * Values that were handed over for a chart, applied: the Deployments then are as the plan says. What the plan hides stays
 * as it is.
 */
export function applyValues(twin: Twin, { diffs }: StepPlan): void {
  for (const { object, after } of diffs) {
    if (after === null || JSON.stringify(after).includes(hiddenPassword)) continue;
    const found = twin.store
      .list("deployments")
      .items.find((each) => titleOf("deployments", each) === object);
    if (found === undefined) continue;
    const { spec } = after as { spec?: Json };
    if (spec === undefined) continue;
    const patch = asMergePatch({ spec }, found);
    twin.store.mergePatch("deployments", found.metadata.namespace, found.metadata.name, patch);
  }
}

/** What a person is told to do in a step, done to the model. Steps that ask for nothing the model has are left alone. */
export function assumeDone(step: string, twin: Twin, { site }: ClusterConfig, plan: StepPlan): void {
  if (step === "wildcard-certificate") withCertificates(twin, plan);
  if (step === "frr-off") withoutFrr(twin);
  if (step === "router" && site.routerIp !== undefined)
    twin.setRouterLan(`${site.routerIp}/${site.lanPrefix.split("/")[1]}`);
}
