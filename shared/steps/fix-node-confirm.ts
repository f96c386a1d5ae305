import { defineStep, finding, verified } from "../migration/define-step.ts";
import { changeState, commandsOf, fixNoted } from "../migration/fix-node.ts";
import { code, type Text, text } from "../text.ts";
import { shellDeed, whyNot } from "./fix-node-change.ts";
import { noDeeds } from "./step.ts";

export const fixNodeConfirm = defineStep({
  id: "fix-node-confirm",
  kind: "act",
  // What it takes back is the timer that this run armed.
  cleanUp: true,
  title: "Call the armed way back off",
  reversibleWhile: text`the node can be reached: the step before takes the change back`,
  ready: async (context) => {
    const { node, lanAddress } = fixNoted(context.run.notes);
    const refuse = (said: Text) => [
      finding("change-not-proven", "error", { kind: "node", name: node }, said, {
        remedy: text`Let ${node} take the change back by itself, or take it back: ${code("/migrate rollback")}`,
      }),
    ];
    const changed = context.run.notes["fix-node-change"] as { proven?: boolean } | null | undefined;
    if (changed?.proven !== true)
      return refuse(
        text`nobody has seen the change on ${node} to be good, and the armed way back is all that can still help: it is not called off`,
      );
    const state = await changeState(context, node, lanAddress);
    if (state.has(".kept") && !state.has(".reverted")) return [];
    const not = await whyNot(context);
    if (not === undefined) return [];
    return refuse(not === "over" ? text`${node} has taken the change back already` : not);
  },
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
