import type { Migration } from "../steps/runbook.ts";
import { bgpToL2 } from "./bgp-to-l2.ts";
import { drill } from "./drill.ts";

/** Every migration that `/migrate` knows. */
export const migrations: readonly Migration[] = [bgpToL2, drill];
