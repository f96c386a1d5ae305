import type { SiteSpec } from "../site-spec.ts";
import { metallbObjects } from "./metallb-objects.ts";
import { nodeMachine, nodeObject } from "./node-objects.ts";
import { publishedZones } from "./published-zones.ts";
import { serviceObjects } from "./service-objects.ts";
import type { SitePlan } from "./site-plan.ts";
import { object } from "./stored-object.ts";
import { systemObjects } from "./system-objects.ts";

/** A site from its plan: machines and objects that agree with each other. */
export function buildSite(plan: SitePlan): SiteSpec {
  const namespaces = new Set([
    "default",
    "kube-system",
    "external-dns",
    plan.metallb.namespace,
    ...plan.services.map(({ namespace }) => namespace),
  ]);
  const client = plan.vantages[0]?.nics[0]?.addresses[0]?.split("/")[0];
  const objects = [
    ...[...namespaces].map((name) =>
      object(
        "namespaces",
        { name, labels: { "kubernetes.io/metadata.name": name } },
        { status: { phase: "Active" } },
      ),
    ),
    ...plan.nodes.map((node) => nodeObject(node, plan.lanPrefix)),
    ...metallbObjects(plan),
    ...systemObjects(plan),
    ...plan.services.flatMap((service, i) => serviceObjects(plan, service, i)),
    ...plan.extra,
  ];
  return {
    name: plan.name,
    lanPrefix: plan.lanPrefix,
    nodes: plan.nodes.map((node) => nodeMachine(node, plan.lanPrefix, plan.routerIp, client)),
    vantages: plan.vantages,
    router: plan.router,
    metallb: plan.metallb,
    unusedAddress: plan.unusedAddress,
    objects,
    ...(plan.dns === undefined
      ? {}
      : { dns: { ...plan.dns, zones: publishedZones(plan.dns.zones, objects) } }),
  };
}
