import * as z from "zod";
import { skip as skipPort, stepNamed } from "#shared/runs/people.ts";
import { stepNumber } from "#shared/runs/run-notes.ts";
import { code, text } from "#shared/text.ts";
import { quoteWord } from "../quote-words.ts";
import { isReply, openDesk } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { actingDoors, run, runOption, said } from "./migrate-words.ts";

/** `/migrate skip STEP --reason TEXT`: leaves a step out; a proof only by who has seen what that means. */
export const skip = defineVerb({
  path: ["skip"],
  usage: "STEP --reason TEXT [--force] [--run R-17]",
  summary:
    "Leave a step out, with a reason. Leaving a proof out needs --force, after its consequence was shown.",
  examples: ['router --reason "no access tonight"'],
  positionals: ["step"],
  options: [
    { name: "reason", value: "TEXT", about: "why, for the record" },
    { name: "force", about: "leave a proof out; said once its consequence was shown" },
    runOption,
  ],
  input: z.object({ step: z.string(), reason: said, force: z.literal(true).optional(), run }),
  role: "operator",
  effect: "change",
  slow: true,
  cluster: "one",
  doors: actingDoors,
  handle: async (context) => {
    const { input } = context;
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const state = await desk.find(input.run);
    if (isReply(state)) return state;
    const asked = await skipPort(desk.runner, state.id, {
      by: desk.by,
      step: input.step,
      reason: input.reason,
      force: input.force === true,
    });
    if (!asked.ok) return desk.refused(asked);
    const step = stepNamed(state, input.step);
    if (asked.shown === undefined || step === undefined)
      return desk.goOn(
        state.id,
        step === undefined ? undefined : text`Step ${stepNumber(state, step.id)} is skipped, on record.`,
      );
    return {
      verdict: {
        word: "Not skipped",
        outcome: "denied",
        text: text`step ${stepNumber(state, step.id)} of ${state.id}, ${step.title}, proves something; this is what would stay unproven on ${desk.name}.`,
      },
      cluster: desk.name,
      why: asked.shown,
      findings: [],
      blocks: [],
      next: [
        text`To leave it out all the same, on record: ${code(`/migrate skip ${step.id} --reason ${quoteWord(input.reason)} --force --run ${state.id}`)}`,
        text`To go on with it: ${code(`/migrate next ${state.id}`)}`,
      ],
      actions: [],
    };
  },
});
