import type { SiteSpec } from "../site-spec.ts";
import { buildSite } from "./build-site.ts";
import { goldentoothPlan } from "./goldentooth-plan.ts";

/** The seed's site with the seed's faults: BGP to a router that is gone, two dual-homed nodes, the old domain. */
export const goldentooth = (): SiteSpec => buildSite(goldentoothPlan);
