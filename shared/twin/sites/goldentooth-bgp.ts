import type { SiteSpec } from "../site-spec.ts";
import { buildSite } from "./build-site.ts";
import { consumerRouter, goldentoothPlan, withoutWifi } from "./goldentooth-plan.ts";
import type { SitePlan } from "./site-plan.ts";

/** The home lab while its old router still spoke BGP: nodes cured of Wi-Fi, no Service on an address ending in .0. */
export const goldentoothBgpPlan: SitePlan = {
  ...goldentoothPlan,
  name: "goldentooth-bgp",
  nodes: withoutWifi(goldentoothPlan.nodes),
  router: { ...consumerRouter, speaksBgp: true },
  services: goldentoothPlan.services.map((service) =>
    service.ip.endsWith(".0") ? { ...service, ip: "10.4.11.13" } : service,
  ),
  pool: { name: "primary", addresses: ["10.4.11.1-10.4.11.250"] },
};

/** BGP carries every address: what a migration starts from. */
export const goldentoothBgp = (): SiteSpec => buildSite(goldentoothBgpPlan);

/** The same with MetalLB 0.16, whose BGPAdvertisement can leave one Service out. */
export const goldentoothBgp016 = (): SiteSpec =>
  buildSite({
    ...goldentoothBgpPlan,
    name: "goldentooth-bgp-0.16",
    metallb: { ...goldentoothBgpPlan.metallb, version: "0.16.1" },
  });
