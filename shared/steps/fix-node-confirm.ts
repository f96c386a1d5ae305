import { defineStep, verified } from "../migration/define-step.ts";
import { changeState, commandsOf, fixNoted } from "../migration/fix-node.ts";
import { text } from "../text.ts";
import { shellDeed } from "./fix-node-change.ts";
import { noDeeds } from "./step.ts";

export const fixNodeConfirm = defineStep({
  id: "fix-node-confirm",
  kind: "act",
  // What it takes back is the timer that this run armed.
  cleanUp: true,
  title: "Call the armed way back off",
  reversibleWhile: text`the node can be reached: the step before takes the change back`,
  ready: async () => [],
  plan: async (context) => {
    const { node } = fixNoted(context.run.notes);
    const does = commandsOf(context);
    return {
      ...noDeeds,
      deeds: [shellDeed("confirm", `confirm the change on ${node}`, node, does.confirm, does.isKept)],
      prediction: [text`the change stays`],
      predicted: { node },
    };
  },
  verify: async (context) => {
    const { node, lanAddress } = fixNoted(context.run.notes);
    const state = await changeState(context, node, lanAddress);
    return state.has(".kept") && !state.has(".reverted")
      ? verified("passed", text`confirmed on ${node}: its timer finds nothing to take back`)
      : verified("failed", text`${node} has taken the change back before it was confirmed`);
  },
});
