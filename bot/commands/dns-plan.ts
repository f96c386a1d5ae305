import * as z from "zod";
import { isReply, planName, zoneOrName } from "../dns/dns-words.ts";
import { defineVerb } from "./command.ts";

const about = z.union([planName.transform((plan) => ({ plan })), zoneOrName], {
  error: "must be a zone, a name in one, or a plan such as P-5d02a1c3",
});

/** `/dns plan [ZONE]`: what we would repair in a zone, read afresh, and asked to be approved by somebody else. */
export const dnsPlan = defineVerb({
  path: ["plan"],
  usage: "[ZONE | P-ID]",
  summary: "What we will repair once somebody else approves: every change, what is left out, the way back.",
  examples: ["", "goldentooth.net", "P-5d02a1c3"],
  positionals: ["plan"],
  options: [],
  input: z.object({ plan: about.optional() }),
  role: "operator",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async (context) => {
    const { plan } = context.input;
    const [{ planLive }, { openPlanDesk }] = await Promise.all([
      import("../dns/live-plan.ts"),
      import("../dns/plan-desk.ts"),
    ]);
    if (plan === undefined || !("plan" in plan)) return planLive(context, plan);
    const desk = openPlanDesk(context);
    if (isReply(desk)) return desk;
    const state = await desk.find(plan.plan);
    return isReply(state) ? state : desk.tell(state);
  },
});
