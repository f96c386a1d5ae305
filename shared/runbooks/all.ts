import type { Migration } from "../steps/runbook.ts";
import { bgpToL2 } from "./bgp-to-l2.ts";

/** Every migration that `/migrate` knows. */
export const migrations: readonly Migration[] = [bgpToL2];
