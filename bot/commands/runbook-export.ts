import * as z from "zod";
import { incidentKey, readIncident } from "#shared/incidents/incident-log.ts";
import type { Timeline } from "#shared/incidents/timeline.ts";
import { timelineJson, timelineMarkdown, timelineReply } from "#shared/incidents/timeline-export.ts";
import { counted } from "#shared/report/wording.ts";
import { readRun, runKey } from "#shared/runs/run-log.ts";
import { code, type Text, text } from "#shared/text.ts";
import { isReply, openIncidentDesk, usageIn } from "../incidents/desk.ts";
import { timelineOfIncident, timelineOfRun } from "../incidents/gather-timeline.ts";
import { defineVerb } from "./command.ts";
import { everyDoor } from "./runbook-words.ts";

/** `/runbook export I-7|R-3`: the timeline as Markdown and JSON; in Slack two files in the thread. */
export const exportTimeline = defineVerb({
  path: ["export"],
  usage: "I-7|R-3",
  summary: "The timeline as Markdown and JSON: who did what when, commands, evidence, measured outage.",
  examples: ["I-7", "R-3"],
  positionals: ["incident"],
  options: [],
  input: z.object({
    incident: z
      .string()
      .regex(/^[IR]-\d+$/, "must be an incident such as I-7 or a run such as R-3")
      .optional(),
  }),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: everyDoor,
  handle: async (context) => {
    const { caller, cluster, deps, input } = context;
    const desk = openIncidentDesk(context);
    if (isReply(desk)) return desk;
    const { ledger, name } = desk;
    const id = input.incident;
    const now = deps.clock.now();
    let timeline: Timeline;
    let key: string;
    let version: number;
    if (id?.startsWith("R-")) {
      const run = await readRun(ledger, id);
      if (run === undefined || run.cluster !== name)
        return usageIn(name, text`there is no run ${code(id)} on ${name}`, [
          text`Runs: ${code("/migrate history")}`,
        ]);
      [timeline, key, version] = [await timelineOfRun(ledger, run, now), runKey(id), run.version];
    } else {
      const closed = id === undefined ? undefined : await readIncident(ledger, id);
      const state = closed?.cluster === name ? closed : await desk.find(id);
      if (isReply(state)) return state;
      timeline = await timelineOfIncident(ledger, state, now);
      [key, version] = [incidentKey(state.id), state.version];
    }
    const options = { timeZone: cluster?.config.site.timeZone, now };
    const outage: Text = text`outage ${timeline.outages.length === 0 ? "not measured" : `measured at ${counted(timeline.outages.length, "place")}`}`;
    const what = text`${timeline.id}: ${counted(timeline.entries.length, "entry", "entries")}, ${counted(timeline.commands.length, "command")}, ${counted(timeline.people.length, "person", "people")}; ${outage}`;
    const markdown = timelineMarkdown(timeline, options);
    if (caller.door !== "slack" || deps.board === undefined)
      return { ...timelineReply(timeline, options), document: markdown };
    const stamp = new Date(now).toISOString().slice(0, 16).replaceAll(/[-:]/g, "");
    const files = [
      { name: `${timeline.id}-timeline-${stamp}.md`, text: markdown },
      {
        name: `${timeline.id}-timeline-${stamp}.json`,
        text: `${JSON.stringify(timelineJson(timeline, options), null, 2)}\n`,
      },
    ];
    const verdict = { word: "EXPORTED", outcome: "info" as const, text: what };
    const bare = { verdict, cluster: name, findings: [], blocks: [], actions: [] };
    // The same export twice is one note: acts and what people asked may have grown without a new version.
    await deps.board.note(key, `export/${version}-${timeline.entries.length}`, bare, files);
    return {
      ...bare,
      verdict: { ...verdict, text: text`${timeline.id}: two files are in its thread` },
      data: timelineJson(timeline, options),
    };
  },
});
