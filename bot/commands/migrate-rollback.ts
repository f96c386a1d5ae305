import * as z from "zod";
import { comeBack } from "#shared/runs/people.ts";
import { isReply, openDesk } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { actingDoors, run, runOption } from "./migrate-words.ts";

/** `/migrate rollback [STEP]`: takes back what was done, last first; needs no second person. */
export const rollback = defineVerb({
  path: ["rollback"],
  usage: "[STEP] [--run R-17]",
  summary: "Take back what the run changed, last first: down to and including STEP, or everything.",
  examples: ["", "canary"],
  positionals: ["step"],
  options: [runOption],
  input: z.object({ step: z.string().optional(), run }),
  role: "operator",
  effect: "change",
  slow: true,
  cluster: "one",
  doors: actingDoors,
  handle: async (context) => {
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const state = await desk.find(context.input.run);
    if (isReply(state)) return state;
    const asked = await comeBack(desk.runner, state.id, desk.by, context.input.step);
    return asked.ok ? desk.goOn(state.id) : desk.refused(asked);
  },
});
