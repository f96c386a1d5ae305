import type { Json } from "../json.ts";
import { defineStep, verified } from "../migration/define-step.ts";
import { readied } from "../migration/fix-node.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";

export const fixNodeSurvey = defineStep({
  id: "fix-node-survey",
  kind: "check",
  title: "What would be changed, and what it must not cut off",
  reversibleWhile: text`nothing is changed`,
  ready: async (context) => (await readied(context)).findings,
  plan: async () => ({ ...noDeeds, prediction: [], predicted: null }),
  verify: async (context) => {
    const { findings, notes } = await readied(context);
    if (notes === undefined)
      return verified("failed", findings[0]?.text ?? text`nothing can be changed`, { findings });
    return verified("passed", text`${notes.title}`, {
      notes: JSON.parse(JSON.stringify(notes)) as Json,
    });
  },
});
