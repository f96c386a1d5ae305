import * as z from "zod";
import { defineVerb } from "./command.ts";

/** `/dns accept --reason TEXT`: a cluster that wants far fewer names than before is taken at its word. */
export const dnsAccept = defineVerb({
  path: ["accept"],
  usage: "--reason TEXT",
  summary: "Take what the cluster wants now for whole, where it wants far fewer names than before.",
  examples: ['--reason "the old shop is gone"'],
  positionals: [],
  options: [{ name: "reason", value: "TEXT", about: "why, for everybody who reads it later" }],
  input: z.object({
    reason: z.string().trim().min(1, "must not be empty").max(500, "must be at most 500 characters"),
  }),
  role: "approver",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console"],
  handle: async (context) => {
    const { acceptLive } = await import("../dns/live-accept.ts");
    return acceptLive(context, context.input.reason);
  },
});
