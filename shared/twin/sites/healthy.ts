import type { SiteSpec } from "../site-spec.ts";
import { buildSite } from "./build-site.ts";
import { goldentoothZone, netRegistry, obedientResolver, publicResolvers } from "./goldentooth-dns.ts";
import { goldentoothPlan, goldentoothServices, withoutWifi } from "./goldentooth-plan.ts";
import type { SitePlan } from "./site-plan.ts";
import { object } from "./stored-object.ts";

/** Layer 2 on eth0 with MetalLB 0.16.1 in native mode, ExternalDNS for the new domain. */
export const healthyPlan: SitePlan = {
  ...goldentoothPlan,
  name: "healthy",
  nodes: withoutWifi(goldentoothPlan.nodes),
  // Some gear drops addresses that end in .0.
  services: goldentoothServices("services.k8s.goldentooth.net", "60").map((service) =>
    service.ip.endsWith(".0") ? { ...service, ip: "10.4.11.13" } : service,
  ),
  metallb: { ...goldentoothPlan.metallb, version: "0.16.1" },
  frr: false,
  externalDns: { version: "0.21.0", domains: ["goldentooth.net"], policy: "upsert-only" },
  extra: [
    object(
      "l2advertisements",
      { name: "primary", namespace: "metallb" },
      {
        spec: { ipAddressPools: ["primary"], interfaces: ["eth0"] },
      },
    ),
  ],
  dns: {
    zones: [goldentoothZone],
    parents: [netRegistry(goldentoothZone)],
    resolvers: [obedientResolver, ...publicResolvers],
  },
};

/** The site with nothing wrong. */
export const healthy = (): SiteSpec => buildSite(healthyPlan);
