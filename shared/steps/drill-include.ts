import { defineStep, verified } from "../migration/define-step.ts";
import { drillVantage, labelOf } from "../migration/drill.ts";
import { labelDiff, labelNow, nodeNow, removeLabel } from "../migration/drill-label.ts";
import { handOverGap, handOverText } from "../migration/hand-over-gap.ts";
import { observeClients } from "../migration/observe-clients.ts";
import { code, text } from "../text.ts";
import { drillNoted } from "./drill-survey.ts";
import { noDeeds } from "./step.ts";

/** How long an API that is away is asked again, before a person has to. */
const patienceMs = 5 * 60_000;

export const drillInclude = defineStep({
  id: "drill-include",
  kind: "act",
  cleanUp: true,
  whenStopped: true,
  title: "Take the label off again",
  reversibleWhile: text`nothing of it needs a way back: it is the way back`,
  unneeded: async (context) => {
    const { node } = drillNoted(context.run.notes);
    const there = await nodeNow(context, node, patienceMs);
    const value = labelNow(there);
    if (there === undefined) return text`there is no Node ${node} any more`;
    if (value === undefined) return text`${node} has no such label any more: somebody else took it off`;
    return value === labelOf(context.run.id)
      ? undefined
      : text`the label on ${node} reads ${code(value)} now, which is not ours: it stays`;
  },
  ready: async () => [],
  plan: async (context) => {
    const { id, notes } = context.run;
    const { node } = drillNoted(notes);
    const uid = (await nodeNow(context, node, patienceMs))?.metadata.uid ?? "";
    return {
      ...noDeeds,
      deeds: [removeLabel(id, { name: node, uid })],
      diffs: [labelDiff({ name: node, uid }, labelOf(id), null)],
      prediction: [text`${node} takes its addresses back: it comes first in their order`],
      predicted: { node },
    };
  },
  observe: async (context) => {
    const { ip, port, service } = drillNoted(context.run.notes);
    return observeClients(context, "return", [{ ip, port, service }], drillVantage(context.ports.config));
  },
  verify: async (context, _, observed) => {
    const { ip, node } = drillNoted(context.run.notes);
    const value = labelNow(await nodeNow(context, node, patienceMs));
    const gap = handOverGap(observed?.facts, ip);
    return value === labelOf(context.run.id)
      ? verified("failed", text`the label is on ${node} still`)
      : verified("passed", text`the label is off ${node}; on the way back: ${handOverText(gap)}`, {
          blocks: observed?.blocks ?? [],
          findings: observed?.findings ?? [],
          notes: { gap: gap === undefined ? null : { ...gap } },
        });
  },
});
