import * as z from "zod";
import { shortDigest } from "#shared/policy/approval.ts";
import { currentStep } from "#shared/runs/next-move.ts";
import { approve as approvePort } from "#shared/runs/people.ts";
import { runKey } from "#shared/runs/run-log.ts";
import { stepNumber } from "#shared/runs/run-notes.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { code, person, text } from "#shared/text.ts";
import { isReply, openDesk, refusal } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { notInTerminal } from "./migrate-go-on.ts";

/** What "Approve and run" asks: the act of this digest runs at once, with the presser's approval. */
export const approve = defineVerb({
  path: ["approve"],
  usage: "RUN DIGEST",
  summary: "Approve the plan of this digest and run it: for what somebody else asked for.",
  examples: ["R-17 7c1e"],
  positionals: ["run", "digest"],
  options: [],
  input: z.object({
    run: z.string().regex(/^R-\d+$/, "must be a run such as R-17"),
    digest: z
      .string()
      .regex(/^[0-9a-f]{4,64}$/, "must be at least the first four characters of a plan's digest"),
  }),
  role: "approver",
  effect: "change",
  slow: true,
  cluster: "one",
  doors: ["slack", "console"],
  handle: async (context) => {
    const { input, caller, deps } = context;
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const { approvals } = desk.cluster.config.migration ?? defaultMigration;
    if (caller.door !== "slack" && !approvals.local) return notInTerminal(desk.name);
    const state = await desk.find(input.run);
    if (isReply(state)) return state;
    // Somebody who types reads the first characters of what waits; a button carries it whole.
    const waiting = currentStep(state)?.planned?.digest;
    const digest = waiting?.startsWith(input.digest) === true ? waiting : input.digest;
    const asked = await approvePort(
      desk.runner,
      state.id,
      { by: desk.by, isApprover: caller.roles.includes("approver"), digest },
      { approvals: state.approvals },
      desk.approvers,
    );
    if (!asked.ok) return refusal(desk.name, asked.because, asked.next);
    const step = currentStep(asked.state);
    const requester = step?.asked?.requester;
    if (step !== undefined && requester !== undefined)
      await deps.board?.note(runKey(state.id), `approved/${asked.state.version}`, {
        verdict: {
          word: "APPROVED",
          outcome: "info",
          text: text`step ${stepNumber(state, step.id)} of ${state.id}, plan ${code(shortDigest(digest))}, by ${person(desk.ref(desk.by))}; it runs now (${person(desk.ref(requester))} asked for it)`,
        },
        cluster: desk.name,
        findings: [],
        blocks: [],
        actions: [],
      });
    return desk.goOn(state.id);
  },
});
