import { text } from "../../text.ts";
import { diagnoseName, nameCodes } from "../path/diagnose-name.ts";
import type { IncidentRunbook } from "../runbook.ts";

export const nameDoesNotResolve: IncidentRunbook = {
  id: "name-does-not-resolve",
  title: "A name does not resolve",
  summary: text`Which of sixteen reasons keeps a name from resolving: asked at its parent, its servers, outside and inside.`,
  argument: { usage: "NAME", kinds: ["name"], example: "httpbin.services.k8s.goldentooth.net" },
  codes: nameCodes,
  diagnose: diagnoseName,
  steps: [{ kind: "diagnose", id: "diagnose", title: "Ask everybody about the name" }],
};
