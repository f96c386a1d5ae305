import { text } from "../../text.ts";
import { diagnosePath, pathCodes } from "../path/diagnose-path.ts";
import type { IncidentRunbook } from "../runbook.ts";

export const serviceUnreachable: IncidentRunbook = {
  id: "service-unreachable",
  title: "A Service cannot be reached",
  summary: text`Every link from the name to the pods, the first broken one and all the rest, seen from inside and outside.`,
  argument: { usage: "SERVICE|IP|HOSTNAME", kinds: ["service", "address", "name"], example: "httpbin" },
  codes: pathCodes,
  diagnose: diagnosePath,
  steps: [{ kind: "diagnose", id: "diagnose", title: "Look at the whole path" }],
};
