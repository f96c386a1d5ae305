import * as z from "zod";
import { incidentsOf, openIncidents, readIncident } from "#shared/incidents/incident-log.ts";
import { incidentJson, incidentName, incidentReply } from "#shared/incidents/incident-reply.ts";
import { firingAlerts, type IncidentState } from "#shared/incidents/incident-state.ts";
import { lookNote } from "#shared/incidents/look-note.ts";
import type { Reply } from "#shared/reply.ts";
import { counted } from "#shared/report/wording.ts";
import { utcDateTime, utcTime } from "#shared/runs/utc-time.ts";
import { code, type Text, text } from "#shared/text.ts";
import { isReply, openIncidentDesk } from "../incidents/desk.ts";
import { incidentOptions } from "../incidents/telling.ts";
import { defineVerb } from "./command.ts";
import { everyDoor, incidentId } from "./runbook-words.ts";

const shown = 20;

const lookWord = ({ looked }: IncidentState): string =>
  looked === undefined ? "-" : "fault" in looked ? "UNKNOWN" : looked.diagnosis.conclusion.kind;

const row = (state: IncidentState): readonly Text[] => [
  [state.id],
  [incidentName(state)],
  [lookWord(state)],
  [state.owner === undefined ? "nobody" : `@${state.owner.name}`],
  [String(firingAlerts(state).length)],
  [utcTime(state.openedAt)],
];

function several(cluster: string, open: readonly IncidentState[], closed: IncidentState | undefined): Reply {
  const last = open.slice(-shown).toReversed();
  const [first] = last;
  return {
    verdict: {
      word: open.length === 0 ? "NOTHING OPEN" : "OPEN",
      outcome: "info",
      text: open.length === 0 ? text`no incident is open` : text`${counted(open.length, "incident")}`,
    },
    cluster,
    findings: [],
    blocks:
      first === undefined
        ? []
        : [
            {
              kind: "table",
              ...(open.length > shown && { title: `The last ${shown} of ${open.length}` }),
              columns: [
                { title: "id" },
                { title: "runbook" },
                { title: "last look" },
                { title: "who has it" },
                { title: "firing", align: "right" },
                { title: "since" },
              ],
              rows: last.map(row),
            },
          ],
    next: [
      first === undefined
        ? text`To look at something: ${code("/runbook run NAME")}; names: ${code("/runbook list")}`
        : text`One of them: ${code(`/runbook status ${first.id}`)}`,
      ...(first === undefined && closed !== undefined
        ? [
            text`The last one, ${closed.id}, was closed ${utcDateTime(closed.closed?.at ?? closed.updatedAt)}: ${code(`/runbook export ${closed.id}`)}`,
          ]
        : []),
    ],
    actions: [],
    data: { open: open.map(incidentJson) },
  };
}

/** `/runbook status [I-7]`: who has it since when, every step, what is firing, what the newest look came to. */
export const incidentStatus = defineVerb({
  path: ["status"],
  usage: "[I-7] [--evidence]",
  summary: "Where an incident stands: who has it, every step, what is firing, the next safe move.",
  examples: ["", "I-7 --evidence"],
  positionals: ["incident"],
  options: [{ name: "evidence", about: "the newest diagnosis in full" }],
  input: z.object({ incident: incidentId.optional(), evidence: z.literal(true).optional() }),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: everyDoor,
  handle: async (context) => {
    const { input, deps } = context;
    const desk = openIncidentDesk(context);
    if (isReply(desk)) return desk;
    if (input.incident === undefined) {
      const open = await openIncidents(desk.ledger, desk.name);
      const last = open.length > 0 ? undefined : (await incidentsOf(desk.ledger, desk.name)).at(-1);
      const closed = last === undefined ? undefined : await readIncident(desk.ledger, last);
      const [only] = open;
      if (only === undefined || open.length > 1) return several(desk.name, open, closed);
    }
    const state = await desk.find(input.incident);
    if (isReply(state)) return state;
    const reply = incidentReply(state, incidentOptions(deps));
    if (input.evidence === undefined || state.looked === undefined) return reply;
    const { findings, blocks } = lookNote(state, state.looked);
    return { ...reply, findings, blocks: [...reply.blocks, ...blocks], actions: [] };
  },
});
