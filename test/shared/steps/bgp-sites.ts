import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { goldentoothBgpPlan } from "#shared/twin/sites/goldentooth-bgp.ts";
import type { SitePlan } from "#shared/twin/sites/site-plan.ts";

/** Small, so that many tests of whole runs stay quick: five nodes, and the Services that differ from each other. */
const nodes = ["bettley", "cargyll", "dalt", "erenford", "fenn"];
const services: Readonly<Record<string, readonly string[]>> = {
  httpbin: ["dalt"],
  prometheus: ["dalt"],
  // Policy Local: only who hosts it may announce it.
  "ingress-nginx-controller": ["erenford", "fenn"],
  minio: ["cargyll", "fenn"],
  ntfy: ["bettley"],
};

/** `goldentooth-bgp`, small. */
export const bgpPlan: SitePlan = {
  ...goldentoothBgpPlan,
  nodes: goldentoothBgpPlan.nodes.filter(({ name }) => nodes.includes(name)),
  services: goldentoothBgpPlan.services.flatMap((service) => {
    const on = services[service.name];
    return on === undefined ? [] : [{ ...service, on }];
  }),
};

export const bgpSite = (version: string, more: Partial<SitePlan> = {}): SiteSpec =>
  buildSite({ ...bgpPlan, metallb: { ...bgpPlan.metallb, version }, ...more });
