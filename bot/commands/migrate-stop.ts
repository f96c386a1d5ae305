import * as z from "zod";
import { denialReply } from "#shared/policy/denial.ts";
import type { Block } from "#shared/reply.ts";
import { abort as abortPort, hold as holdPort } from "#shared/runs/people.ts";
import { readRun, runKey } from "#shared/runs/run-log.ts";
import { stepNumber } from "#shared/runs/run-notes.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { doubtfulDeeds, standingActs, standingSteps } from "#shared/runs/standing.ts";
import { person, text } from "#shared/text.ts";
import { isReply, openDesk } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { actingDoors, run } from "./migrate-words.ts";

/** `/migrate hold [RUN]`: nothing more is begun. Whoever could start it or approve it may stop it. */
export const hold = defineVerb({
  path: ["hold"],
  usage: "[RUN]",
  summary: "Stop the open run before its next act; nothing can be approved until somebody says next.",
  examples: [""],
  positionals: ["run"],
  options: [],
  input: z.object({ run }),
  // Stopping is open to approvers too, who are no operators; it changes nothing on the cluster.
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: actingDoors,
  handle: async (context) => {
    const { caller, deps, input } = context;
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const mayStop = caller.roles.includes("operator") || caller.roles.includes("approver");
    const mayStopIt = [
      ...new Map(
        [...(deps.holders?.("operator", desk.name) ?? []), ...desk.approvers].map((ref) => [ref.name, ref]),
      ).values(),
    ];
    if (!mayStop || caller.person === undefined)
      return denialReply(
        {
          allowed: false,
          why: ["needs operator or approver."],
          whoCould: mayStopIt,
        },
        { words: "migrate hold", cluster: desk.name },
      );
    const state = await desk.find(input.run);
    if (isReply(state)) return state;
    const asked = await holdPort(desk.runner, state.id, desk.by);
    return asked.ok ? desk.settle(asked.state) : desk.refused(asked);
  },
});

/** What stays when a run is ended where it stands, and how each of it could be taken back by hand. */
export const staying = (state: RunState): readonly Block[] =>
  state.steps.flatMap((step): readonly Block[] => {
    const place = `Step ${stepNumber(state, step.id)}, ${step.title}`;
    const unknown = doubtfulDeeds(step).map(({ title }) => title);
    return [
      ...(standingSteps(state).includes(step) ? standingActs(step) : []).map(
        (act): Block => ({
          kind: "evidence",
          title: `${place}: stays; taken back by`,
          lines: act.plan.undo.map(({ title }, i) => `${i + 1}. ${title}`),
        }),
      ),
      ...(unknown.length === 0
        ? []
        : [
            { kind: "evidence" as const, title: `${place}: not known whether this was done`, lines: unknown },
          ]),
    ];
  });

/** `/migrate abort [RUN]`: ends it where it stands. */
export const abort = defineVerb({
  path: ["abort"],
  usage: "[RUN]",
  summary: "End the open run where it stands. What it changed stays; rollback first if it should not.",
  examples: [""],
  positionals: ["run"],
  options: [],
  input: z.object({ run }),
  role: "operator",
  effect: "change",
  slow: false,
  cluster: "one",
  doors: actingDoors,
  handle: async (context) => {
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    const state = await desk.find(context.input.run);
    if (isReply(state)) return state;
    const asked = await abortPort(desk.runner, state.id, desk.by);
    if (!asked.ok) return desk.refused(asked);
    const reply = await desk.settle(asked.state);
    const now = (await readRun(desk.ledger, state.id)) ?? asked.state;
    // What must not stay is taken away first; a thread is told once it has ended.
    const blocks = now.ended === undefined ? [] : staying(now);
    if (blocks.length > 0)
      await context.deps.board?.note(runKey(state.id), "aborted", {
        verdict: {
          word: "ABORTED",
          outcome: "info",
          text: text`${state.id} by ${person(desk.ref(desk.by))}: what it changed, and the way back by hand`,
        },
        cluster: desk.name,
        findings: [],
        blocks,
        actions: [],
      });
    return context.deps.board === undefined ? { ...reply, blocks: [...reply.blocks, ...blocks] } : reply;
  },
});
