import * as z from "zod";
import { currentStep } from "#shared/runs/next-move.ts";
import { type Asked, breakGlass, done as donePort, goOn } from "#shared/runs/people.ts";
import { stepNumber } from "#shared/runs/run-notes.ts";
import { code, person, strong, text } from "#shared/text.ts";
import { type Desk, isReply, openDesk, refusal } from "../runs/desk.ts";
import { type Context, defineVerb } from "./command.ts";
import { actingDoors, run, said } from "./migrate-words.ts";

const goingOn = {
  positionals: ["run"],
  role: "operator",
  effect: "change",
  slow: true,
  cluster: "one",
  doors: actingDoors,
} as const;

/** Asks something of the run, and drives it on unless that was refused. */
async function ask(
  context: Context<{ run?: string | undefined }>,
  wish: (desk: Desk, run: string) => Promise<Asked>,
) {
  const desk = await openDesk(context);
  if (isReply(desk)) return desk;
  const state = await desk.find(context.input.run);
  if (isReply(state)) return state;
  const asked = await wish(desk, state.id);
  return asked.ok ? desk.goOn(state.id) : desk.refused(asked);
}

/** Told in the channel, not only where the run stands: somebody alone decided what takes two. */
async function shout(context: Context<unknown>, desk: Desk, asked: Asked, reason: string): Promise<void> {
  const { board } = context.deps;
  // The step it was asked for: an earlier one may have been let through so as well.
  const step = currentStep(asked.state);
  if (board === undefined || step?.approved?.how !== "break-glass") return;
  const { id, cluster } = asked.state;
  await board.put(
    `break-glass/${id}-${step.id}-${asked.state.version}`,
    {
      verdict: {
        word: "BREAK-GLASS",
        outcome: "failed",
        text: text`${person(desk.ref(desk.by))} lets step ${stepNumber(asked.state, step.id)} of ${id} (${step.title}) through without a second person`,
      },
      cluster,
      why: text`Reason: ${reason}`,
      findings: [],
      blocks: step.planned?.plan.deeds.map(({ title }) => ({ kind: "prose" as const, text: [title] })) ?? [],
      next: [text`It can be taken back: ${code(`/migrate rollback ${step.id} --run ${id}`)}`],
      actions: [],
    },
    context.caller.channel === undefined ? undefined : { channel: context.caller.channel },
  );
}

/** `/migrate next [RUN]`: goes on where it stands. With `--break-glass`, without a second person. */
export const next = defineVerb({
  ...goingOn,
  path: ["next"],
  usage: "[RUN] [--break-glass --reason TEXT]",
  summary: "Go on with the open run: look, plan, ask; acts wait for their approval.",
  examples: ["", 'R-17 --break-glass --reason "site is down"'],
  options: [
    {
      name: "break-glass",
      about: "do what waits for approval alone; only where there is a way back; shouted and audited",
    },
    { name: "reason", value: "TEXT", about: "why; needed for --break-glass" },
  ],
  input: z
    .object({ run, breakGlass: z.literal(true).optional(), reason: said.optional() })
    .refine(({ breakGlass: broken, reason }) => broken === undefined || reason !== undefined, {
      path: ["reason"],
      message: "is needed for --break-glass",
    }),
  handle: async (context) => {
    const { breakGlass: broken, reason } = context.input;
    if (broken === undefined || reason === undefined)
      return ask(context, (desk, id) => goOn(desk.runner, id, desk.by));
    return ask(context, async (desk, id) => {
      const asked = await breakGlass(desk.runner, id, desk.by, reason);
      if (asked.ok) await shout(context, desk, asked, reason);
      return asked;
    });
  },
});

/** `/migrate retry [RUN]`: looks again where it stopped. */
export const retry = defineVerb({
  ...goingOn,
  path: ["retry"],
  usage: "[RUN]",
  summary: "Look again where the run stopped, and go on if that is cured. What changed is approved anew.",
  examples: [""],
  options: [],
  input: z.object({ run }),
  handle: (context) => ask(context, (desk, id) => goOn(desk.runner, id, desk.by)),
});

/** `/migrate done [RUN] --said TEXT`: a person has done what the step asks of them. */
export const done = defineVerb({
  ...goingOn,
  path: ["done"],
  usage: "[RUN] [--said TEXT]",
  summary: "Say that you have done what a manual step asks; what can be seen of it is then judged.",
  examples: ['--said "router answers on 10.4.11.0/24"'],
  options: [{ name: "said", value: "TEXT", about: "what you did, for the record" }],
  input: z.object({ run, said: said.default("done") }),
  handle: (context) => ask(context, (desk, id) => donePort(desk.runner, id, desk.by, context.input.said)),
});

export const notInTerminal = (cluster: string) =>
  refusal(
    cluster,
    text`approving in a terminal is for a lab (${strong("migration.approvals.local")}); an approval needs a person whom Slack knows`,
    text`Approve in Slack, with the button of the run's message.`,
  );
