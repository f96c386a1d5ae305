import type { Migration } from "../steps/runbook.ts";
import { bgpToL2 } from "./bgp-to-l2.ts";
import { dnsDomainMove } from "./dns-domain-move.ts";
import { drill } from "./drill.ts";
import { fixNode } from "./fix-node.ts";
import { goldentooth } from "./goldentooth.ts";
import { wildcardTls } from "./wildcard-tls.ts";

/** Every migration that `/migrate` knows. */
export const migrations: readonly Migration[] = [
  bgpToL2,
  dnsDomainMove,
  wildcardTls,
  goldentooth,
  drill,
  fixNode,
];
