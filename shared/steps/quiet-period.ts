import { moveOf } from "../domain-move/move.ts";
import { oldTtl, quietSeconds, quietUntil } from "../domain-move/quiet.ts";
import { seconds } from "../domain-move/say.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { code, text } from "../text.ts";
import { noDeeds } from "./step.ts";

export const quietPeriod = defineStep({
  id: "quiet-period",
  kind: "check",
  title: "Let old names be forgotten",
  proof: text`that resolvers have forgotten the old names and people had time to change theirs`,
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async (context) => ({
    ...noDeeds,
    prediction: [
      text`old and new names stand beside each other for the old TTL (${seconds(await oldTtl(context))}) and ${seconds(quietSeconds(context))} more`,
    ],
    predicted: null,
    instructions: [
      text`Use the time: change bookmarks, configurations and certificates that name ${moveOf(context).from}`,
    ],
  }),
  verify: async (context) => {
    const { from } = moveOf(context);
    const until = await quietUntil(context);
    if (until === undefined)
      return verified(
        "unknown",
        text`since when the new names stand is not known: no step of this run has seen them stand. ${code("/migrate rollback add-hostnames")}, then ${code("/migrate next")}, adds them anew`,
      );
    const unseen = finding(
      "old-use-unseen",
      "info",
      { kind: "zone", name: from },
      text`who still asks for names below ${from} cannot be seen from here: Route 53 tells it only where query logging is on`,
    );
    return context.ports.clock.now() < until
      ? verified(
          "waiting",
          text`old and new names stand beside each other; who still uses the old ones cannot be seen from here`,
          { until, findings: [unseen] },
        )
      : verified(
          "passed",
          text`the old TTL and the quiet period are over; who still uses the old names cannot be seen from here`,
          { findings: [unseen], notes: { until } },
        );
  },
});
