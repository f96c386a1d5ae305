import { text } from "../../text.ts";
import { diagnoseTwo, twoCodes } from "../path/diagnose-two.ts";
import type { IncidentRunbook } from "../runbook.ts";

export const twoAnnouncers: IncidentRunbook = {
  id: "two-announcers",
  title: "More than one MAC answers for an address",
  summary: text`Who answers for an address: one node twice, two nodes, a stranger or proxy ARP, and why.`,
  argument: { usage: "IP", kinds: ["address", "service"], example: "10.4.11.1" },
  codes: twoCodes,
  diagnose: diagnoseTwo,
  steps: [{ kind: "diagnose", id: "diagnose", title: "Look at who answers" }],
};
