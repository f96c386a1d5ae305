import * as z from "zod";
import { isReply, planName } from "../dns/dns-words.ts";
import { type Context, defineVerb } from "./command.ts";

const acting = {
  positionals: ["plan"],
  options: [],
  slow: true,
  cluster: "one",
  doors: ["slack", "console"],
} as const;

const digest = z
  .string()
  .regex(/^[0-9a-f]{4,64}$/, "must be at least the first four characters of a plan's digest")
  .optional();

const desks = async (context: Context<unknown>) => {
  const desk = await import("../dns/plan-desk.ts");
  return { ...desk, opened: desk.openPlanDesk(context) };
};

/** What "Approve and apply" asks: the plan of this digest is carried out with the presser's approval. */
export const dnsApply = defineVerb({
  ...acting,
  path: ["apply"],
  usage: "P-ID [DIGEST]",
  summary: "Approve a plan somebody else asked for and have it carried out; always two people.",
  examples: ["P-5d02a1c3"],
  positionals: ["plan", "digest"],
  input: z.object({ plan: planName, digest }),
  role: "approver",
  effect: "change",
  handle: async (context) => {
    const { opened, approveAndApply } = await desks(context);
    return isReply(opened) ? opened : approveAndApply(opened, context.input.plan, context.input.digest);
  },
});

/** Takes a request back, so that nobody approves it any more. */
export const dnsWithdraw = defineVerb({
  ...acting,
  path: ["withdraw"],
  usage: "P-ID",
  summary: "Take back the request for a plan; what has begun is not stopped by it.",
  examples: ["P-5d02a1c3"],
  input: z.object({ plan: planName }),
  role: "operator",
  effect: "change",
  handle: async (context) => {
    const { opened, withdraw } = await desks(context);
    return isReply(opened) ? opened : withdraw(opened, context.input.plan);
  },
});

/** The way back of an applied plan, as a plan of its own. */
export const dnsUndo = defineVerb({
  ...acting,
  path: ["undo"],
  usage: "P-ID",
  summary: "Plan the exact way back of an applied plan; it is approved like any other.",
  examples: ["P-5d02a1c3"],
  input: z.object({ plan: planName }),
  role: "operator",
  effect: "change",
  handle: async (context) => {
    const { opened, planUndo } = await desks(context);
    return isReply(opened) ? opened : planUndo(opened, context.input.plan);
  },
});
