import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { consumerRouter, goldentoothPlan, withoutWifi } from "#shared/twin/sites/goldentooth-plan.ts";
import type { SitePlan } from "#shared/twin/sites/site-plan.ts";

/** The home lab while its old router still spoke BGP, its nodes cured of Wi-Fi, no Service on an address ending in .0. */
export const bgpPlan: SitePlan = {
  ...goldentoothPlan,
  name: "goldentooth-bgp",
  nodes: withoutWifi(goldentoothPlan.nodes),
  router: { ...consumerRouter, speaksBgp: true },
  services: goldentoothPlan.services.map((service) =>
    service.ip.endsWith(".0") ? { ...service, ip: "10.4.11.13" } : service,
  ),
  pool: { name: "primary", addresses: ["10.4.11.1-10.4.11.250"] },
};

export const bgpSite = (version: string, more: Partial<SitePlan> = {}): SiteSpec =>
  buildSite({ ...bgpPlan, metallb: { ...bgpPlan.metallb, version }, ...more });
