import type { IncidentRunbook } from "../runbook.ts";
import { announcerMoved } from "./announcer-moved.ts";
import { certificateExpiring } from "./certificate-expiring.ts";
import { dnsDrift } from "./dns-drift.ts";
import { nameDoesNotResolve } from "./name-does-not-resolve.ts";
import { newNode } from "./new-node.ts";
import { nodeLost } from "./node-lost.ts";
import { serviceUnreachable } from "./service-unreachable.ts";
import { twoAnnouncers } from "./two-announcers.ts";

/**
 * Every on-call runbook of ours, in the order people read them. A new one is a file beside this, a line here, a page
 * `docs/runbooks/ID.md` and a test of its name.
 */
export const incidentRunbooks: readonly IncidentRunbook[] = [
  serviceUnreachable,
  nameDoesNotResolve,
  announcerMoved,
  twoAnnouncers,
  nodeLost,
  dnsDrift,
  newNode,
  certificateExpiring,
];
