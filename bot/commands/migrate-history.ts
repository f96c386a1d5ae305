import * as z from "zod";
import type { Reply } from "#shared/reply.ts";
import { eventLine } from "#shared/runs/event-line.ts";
import { readRunEvent } from "#shared/runs/run-events.ts";
import { runKey, runsOn } from "#shared/runs/run-log.ts";
import { runJson } from "#shared/runs/run-reply.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { elapsed, utcDateTime } from "#shared/runs/utc-time.ts";
import { code, type Text, text } from "#shared/text.ts";
import { type Desk, isReply, openDesk } from "../runs/desk.ts";
import { defineVerb } from "./command.ts";
import { everyDoor, run } from "./migrate-words.ts";

const shown = 20;

const endOf = ({ ended, halted }: RunState): string =>
  ended !== undefined ? ended.how.replace("-", " ") : halted !== undefined ? "stopped" : "open";

function all(desk: Desk, runs: readonly RunState[]): Reply {
  const last = runs.slice(-shown).toReversed();
  return {
    verdict: {
      word: "HISTORY",
      outcome: "info",
      text:
        runs.length === 0
          ? text`nothing ran here yet`
          : text`${runs.length} run${runs.length === 1 ? "" : "s"}`,
    },
    cluster: desk.name,
    findings: [],
    blocks:
      last.length === 0
        ? []
        : [
            {
              kind: "table",
              ...(runs.length > shown && { title: `The last ${shown} of ${runs.length}` }),
              columns: [
                { title: "run" },
                { title: "runbook" },
                { title: "started" },
                { title: "by" },
                { title: "end" },
                { title: "took" },
              ],
              rows: last.map((state): readonly Text[] => [
                [state.id],
                [state.runbook],
                [utcDateTime(state.startedAt)],
                [`@${state.by}`],
                [endOf(state)],
                [state.ended === undefined ? "" : elapsed(state.ended.at - state.startedAt)],
              ]),
            },
          ],
    next:
      last[0] === undefined
        ? []
        : [text`One of them, event by event: ${code(`/migrate history ${last[0].id}`)}`],
    actions: [],
    data: { runs: runs.map(runJson) },
  };
}

/** `/migrate history [RUN]`: all runs of a cluster, or the whole record of one. */
export const history = defineVerb({
  path: ["history"],
  usage: "[RUN]",
  summary: "All runs of the cluster, or the record of one, event by event.",
  examples: ["", "R-17"],
  positionals: ["run"],
  options: [],
  input: z.object({ run }),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: everyDoor,
  handle: async (context) => {
    const desk = await openDesk(context);
    if (isReply(desk)) return desk;
    if (context.input.run === undefined) return all(desk, await runsOn(desk.ledger, desk.name));
    const state = await desk.find(context.input.run);
    if (isReply(state)) return state;
    const events = (await desk.ledger.read(runKey(state.id))).map(readRunEvent);
    return {
      verdict: {
        word: "HISTORY",
        outcome: "info",
        text: text`${state.id} · ${state.runbook} · ${endOf(state)} · ${events.length} events`,
      },
      cluster: desk.name,
      findings: [],
      blocks: [{ kind: "evidence", title: "The record, oldest first", lines: events.map(eventLine) }],
      next: [text`What each step planned and did: ${code(`/migrate status ${state.id} --evidence`)}`],
      actions: [],
      data: {
        ...runJson(state),
        events: events.map(({ event, at }) => ({ at: new Date(at).toISOString(), type: event.type })),
      },
    };
  },
});
