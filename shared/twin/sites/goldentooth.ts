import type { SiteSpec } from "../site-spec.ts";
import { buildSite } from "./build-site.ts";
import { goldentoothPlan } from "./goldentooth-plan.ts";

/** The home lab before its switch, with its faults: BGP to a router that is gone, two dual-homed nodes, the old domain. */
export const goldentooth = (): SiteSpec => buildSite(goldentoothPlan);
