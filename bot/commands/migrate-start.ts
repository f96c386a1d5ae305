import * as z from "zod";
import { openNewRun } from "#shared/runs/run-log.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { code, person, text } from "#shared/text.ts";
import { isReply, noLedger, openDesk } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { actingDoors, chosenRunbook, inputOptions, inputShape } from "./migrate-words.ts";

/** `/migrate start RUNBOOK`: opens a run, names all its steps, and goes as far as it goes without a person. */
export const start = defineVerb({
  path: ["start"],
  usage: "RUNBOOK [--from NAME] [--to NAME] [--with NAME=VALUE,...]",
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
    if (id === undefined) return noLedger(desk.name);
    const { migration, inputs } = chosen;
    const approvals = (desk.cluster.config.migration ?? defaultMigration).approvals.who;
    const opened = await openNewRun(desk.ledger, id, {
      type: "started",
      runbook: migration.id,
      title: migration.title,
      cluster: desk.name,
      inputs,
      by: desk.by,
      approvals,
      steps: migration.steps.map(({ id: step, kind, title, reversibleWhile, proof }) => ({
        id: step,
        kind,
        title,
        reversibleWhile,
        ...(proof !== undefined && { proof }),
      })),
    });
    if (opened.ok) return desk.goOn(id);
    const { state } = opened;
    return {
      verdict: {
        word: "Busy",
        outcome: "busy",
        text: text`${state.id} (${state.runbook}, ${person(desk.ref(state.by))}) is open on ${desk.name}; one run at a time.`,
      },
      cluster: desk.name,
      findings: [],
      blocks: [],
      next: [
        text`Go on with it: ${code(`/migrate next ${state.id}`)}`,
        text`End it: ${code(`/migrate abort ${state.id}`)}`,
      ],
      actions: [],
    };
  },
});
