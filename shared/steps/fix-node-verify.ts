import { defineStep, verified } from "../migration/define-step.ts";
import { fixNoted, passesNow } from "../migration/fix-node.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";

export const fixNodeVerify = defineStep({
  id: "fix-node-verify",
  kind: "check",
  title: "The check passes",
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async () => ({ ...noDeeds, prediction: [], predicted: null }),
  verify: async (context) => {
    const { node, check } = fixNoted(context.run.notes);
    const passes = await passesNow(context);
    return passes === true
      ? verified("passed", text`${check} passes on ${node}`)
      : verified("failed", text`${check} does not pass on ${node}: ${passes}`);
  },
});
