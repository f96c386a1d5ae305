import * as z from "zod";
import { drilled } from "#shared/migration/drill.ts";
import type { Reply } from "#shared/reply.ts";
import { prepareStep } from "#shared/runs/prepare-step.ts";
import type { StepContext } from "#shared/steps/step.ts";
import { code, text } from "#shared/text.ts";
import { beginRun } from "../runs/begin-run.ts";
import { isReply, openDesk, refusal } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { actingDoors, said } from "./migrate-words.ts";

/** `/arping drill SERVICE`: hands an address over on purpose and back, as a run that a second person approves. */
export const drillVerb = defineVerb({
  path: ["drill"],
  usage: "SERVICE|IP [--reason TEXT]",
  summary:
    "Hand an address to the next node on purpose, measure the planned hand-over gap, and hand it back.",
  examples: ["httpbin"],
  positionals: ["service"],
  options: [{ name: "reason", value: "TEXT", about: "why, for whoever reads the run later" }],
  input: z.object({ service: z.string().min(1), reason: said.optional() }),
  role: "operator",
  effect: "change",
  slow: true,
  cluster: "one",
  doors: actingDoors,
  handle: async (context): Promise<Reply> => {
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const { service, reason } = context.input;
    const { drill } = await import("#shared/runbooks/drill.ts");
    const inputs = { service, ...(reason !== undefined && { reason }) };
    const [survey] = drill.steps;
    if (survey === undefined) return refusal(desk.name, text`a drill has no steps`);
    const about: StepContext = {
      run: { id: "plan", runbook: drill.id, cluster: desk.name, inputs, notes: {} },
      ports: desk.runner.ports,
      signal: context.signal,
      show: () => {},
    };
    // What must not be drilled opens no run.
    const prepared = await prepareStep(survey, about);
    if ("halt" in prepared) {
      const { because, findings } = prepared.halt;
      // Everything could be looked at, and there is nothing of that name to drill.
      const isSeen = findings.some(
        ({ severity, facts }) => severity !== "unknown" || facts.what === drilled(service),
      );
      return {
        verdict: {
          word: isSeen ? "REFUSED" : "UNKNOWN",
          outcome: isSeen ? "failed" : "unknown",
          text: text`${service} · no drill: ${because}`,
        },
        cluster: desk.name,
        why: text`Nothing was changed.`,
        findings,
        blocks: [],
        next: [text`Who announces what, and who is next: ${code("/nodes impact NODE")}`],
        actions: [],
        data: { refused: findings.map((finding) => finding.code) },
      };
    }
    return beginRun(desk, context.id, drill, inputs);
  },
});
