import type { SiteSpec } from "../site-spec.ts";
import { buildSite } from "./build-site.ts";
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
  });
