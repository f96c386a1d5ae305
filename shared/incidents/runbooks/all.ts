import type { IncidentRunbook } from "../runbook.ts";
import { certificateExpiring } from "./certificate-expiring.ts";
import { dnsDrift } from "./dns-drift.ts";
import { newNode } from "./new-node.ts";
import { nodeLost } from "./node-lost.ts";
import { serviceUnreachable } from "./service-unreachable.ts";

/**
 * Every on-call runbook of ours, in the order people read them. A new one is a file beside this, a line here, a page
 * `docs/runbooks/ID.md` and a test of its name.
 */
export const incidentRunbooks: readonly IncidentRunbook[] = [
  serviceUnreachable,
  nodeLost,
  dnsDrift,
  newNode,
  certificateExpiring,
];
