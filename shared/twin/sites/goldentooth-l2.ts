import type { SiteSpec } from "../site-spec.ts";
import { buildSite } from "./build-site.ts";
import { goldentooth } from "./goldentooth.ts";
import {
  goldentoothZone,
  hellholtZone,
  netRegistry,
  publicResolvers,
  stubbornResolver,
} from "./goldentooth-dns.ts";
import {
  bgpObjects,
  goldentoothPlan,
  goldentoothServices,
  unrestrictedL2Advertisement,
} from "./goldentooth-plan.ts";

/** The home lab after its switch: layer 2 without limits, so the dual-homed nodes answer with two MACs. */
export const goldentoothL2 = (): SiteSpec =>
  buildSite({
    ...goldentoothPlan,
    name: "goldentooth-l2",
    services: goldentoothServices("services.k8s.goldentooth.net", "60"),
    externalDns: { ...goldentoothPlan.externalDns, domains: ["goldentooth.net"] },
    extra: [...bgpObjects.filter(({ kind }) => kind !== "bgpadvertisements"), unrestrictedL2Advertisement],
    dns: {
      // What the old domain held when the filter was replaced: nobody looks after it any more.
      zones: [
        ...(goldentooth().dns?.zones ?? []).filter(({ id }) => id === hellholtZone.id),
        goldentoothZone,
      ],
      parents: [netRegistry(hellholtZone, goldentoothZone)],
      resolvers: [stubbornResolver, ...publicResolvers],
    },
  });
