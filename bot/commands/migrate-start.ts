import * as z from "zod";
import { beginRun } from "../runs/begin-run.ts";
import { isReply, openDesk } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { actingDoors, chosenRunbook, inputOptions, inputShape, inputUsage } from "./migrate-words.ts";

/** `/migrate start RUNBOOK`: opens a run, names all its steps, and goes as far as it goes without a person. */
export const start = defineVerb({
  path: ["start"],
  usage: `RUNBOOK ${inputUsage}`,
  summary: "Start a run: it looks, plans, and stops where a second person has to approve.",
  examples: ["bgp-to-l2"],
  positionals: ["runbook"],
  options: inputOptions,
  input: z.object({ runbook: z.string(), ...inputShape }),
  role: "operator",
  effect: "change",
  slow: true,
  cluster: "one",
  doors: actingDoors,
  handle: async (context) => {
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const { input, id } = context;
    const chosen = chosenRunbook(desk.migrations, desk.name, input.runbook, input);
    if ("verdict" in chosen) return chosen;
    return beginRun(desk, id, chosen.migration, chosen.inputs);
  },
});
