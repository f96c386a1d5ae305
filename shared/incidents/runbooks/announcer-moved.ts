import { text } from "../../text.ts";
import { diagnoseMove, moveCodes } from "../path/diagnose-move.ts";
import type { IncidentRunbook } from "../runbook.ts";

export const announcerMoved: IncidentRunbook = {
  id: "announcer-moved",
  title: "An address is announced by another node than before",
  summary: text`Who announced a Service before and who does now, why by MetalLB's rule, and who still holds the old MAC.`,
  argument: { usage: "SERVICE", kinds: ["service", "address"], example: "httpbin" },
  codes: moveCodes,
  diagnose: diagnoseMove,
  steps: [{ kind: "diagnose", id: "diagnose", title: "Look at who announces it" }],
};
