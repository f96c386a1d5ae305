import * as z from "zod";
import type { Block } from "#shared/reply.ts";
import { planBlocks, stepNumber } from "#shared/runs/run-notes.ts";
import { runReply } from "#shared/runs/run-reply.ts";
import { changesWorld, currentAct, type RunState, type StepRun } from "#shared/runs/run-state.ts";
import { utcTime } from "#shared/runs/utc-time.ts";
import { strong, text } from "#shared/text.ts";
import { isReply, openDesk } from "../runs/desk.ts";
import { replyOptions } from "../runs/telling.ts";
import { defineVerb } from "./command.ts";
import { everyDoor, run } from "./migrate-words.ts";

function evidenceOf(state: RunState, step: StepRun): readonly Block[] {
  const plan = currentAct(step)?.plan ?? step.acts.at(-1)?.plan ?? step.planned?.plan;
  const deeds = step.acts.flatMap((act) =>
    act.plan.deeds.map((deed) => {
      const { status, refusal } = act.deeds[deed.id] ?? { status: "pending" };
      return `${status}  ${deed.title}${refusal === undefined ? "" : `: ${refusal.because} ${refusal.message}`}`;
    }),
  );
  const files = (plan?.deeds ?? []).flatMap((deed): readonly Block[] =>
    deed.kind === "document"
      ? [{ kind: "evidence", title: deed.name, lines: deed.text.trimEnd().split("\n") }]
      : [],
  );
  const approved =
    step.approved === undefined
      ? []
      : [text`Approved by @${step.approved.by} at ${utcTime(step.approved.at)} (${step.approved.how})`];
  const blocks: readonly Block[] = [
    ...approved.map((said): Block => ({ kind: "prose", text: said })),
    ...(deeds.length === 0 ? [] : [{ kind: "evidence" as const, title: "What was done", lines: deeds }]),
    ...(plan === undefined || (!changesWorld(plan) && plan.instructions.length === 0)
      ? []
      : planBlocks({ ...plan, blocks: [] })),
    ...files,
  ];
  if (blocks.length === 0) return [];
  return [
    { kind: "prose", text: text`${strong(`Step ${stepNumber(state, step.id)}, ${step.title}`)}` },
    ...blocks,
  ];
}

/** `/migrate status [RUN]`: where it stands; with `--evidence`, what each step planned, did and saw. */
export const runStatus = defineVerb({
  path: ["status"],
  usage: "[RUN] [--evidence]",
  summary: "Where a run stands: every step, who has to do what until when, the way back.",
  examples: [""],
  positionals: ["run"],
  options: [{ name: "evidence", about: "what each step planned and did, object by object" }],
  input: z.object({ run, evidence: z.literal(true).optional() }),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: everyDoor,
  handle: async (context) => {
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const state = await desk.find(context.input.run);
    if (isReply(state)) return state;
    const reply = runReply(state, replyOptions(context.deps, desk.name));
    if (context.input.evidence === undefined) return reply;
    return {
      ...reply,
      blocks: [...reply.blocks, ...state.steps.flatMap((step) => evidenceOf(state, step))],
      actions: [],
    };
  },
});
