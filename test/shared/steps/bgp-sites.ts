import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { consumerRouter, goldentoothPlan, withoutWifi } from "#shared/twin/sites/goldentooth-plan.ts";
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

/** The home lab while its old router still spoke BGP, its nodes cured of Wi-Fi, no Service on an address ending in .0. */
export const bgpPlan: SitePlan = {
  ...goldentoothPlan,
  name: "goldentooth-bgp",
  nodes: withoutWifi(goldentoothPlan.nodes).filter(({ name }) => nodes.includes(name)),
  router: { ...consumerRouter, speaksBgp: true },
  services: goldentoothPlan.services.flatMap((service) => {
    const on = services[service.name];
    return on === undefined ? [] : [{ ...service, on }];
  }),
  pool: { name: "primary", addresses: ["10.4.11.1-10.4.11.250"] },
};

export const bgpSite = (version: string, more: Partial<SitePlan> = {}): SiteSpec =>
  buildSite({ ...bgpPlan, metallb: { ...bgpPlan.metallb, version }, ...more });
