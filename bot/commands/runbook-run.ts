import * as z from "zod";
import { aboutKey } from "#shared/incidents/about-key.ts";
import {
  appendIncident,
  findOrOpenIncident,
  type NewIncident,
  updateIncident,
} from "#shared/incidents/incident-log.ts";
import { incidentName } from "#shared/incidents/incident-reply.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { Reply } from "#shared/reply.ts";
import { code, person, text } from "#shared/text.ts";
import { isReply, openIncidentDesk } from "../incidents/desk.ts";
import { diagnoseOnce } from "../incidents/diagnose-once.ts";
import { refTo } from "../runs/run-people.ts";
import { type Caller, type Context, defineVerb } from "./command.ts";
import { everyDoor, isRunbook, runbookNamed, runbooksOf, subjectOf } from "./runbook-words.ts";

type Asked = Readonly<{ name: string; args: string[] }>;

/** Where others see it: what is asked in a direct message stands in the report channel. */
const channelOf = ({ door, channel }: Caller): string | undefined =>
  door === "slack" && channel?.startsWith("D") === false ? channel : undefined;

async function open(
  context: Context<Asked>,
  runbook: IncidentRunbook,
  subject: string | null,
): Promise<Reply> {
  const { deps, caller } = context;
  const desk = openIncidentDesk(context);
  if (isReply(desk)) return desk;
  const wanted: NewIncident = {
    cluster: desk.name,
    runbook: runbook.id,
    subject,
    title: runbook.title,
    by: { person: desk.by },
    key: aboutKey(runbook.id, subject),
    ...(channelOf(caller) !== undefined && { channel: channelOf(caller) }),
    steps: runbook.steps.map(({ ...step }) => ({ ...step }) as NewIncident["steps"][number]),
  };
  const { state: found, isNew } = await findOrOpenIncident(desk.ledger, wanted);
  if (isNew) {
    const state = await desk.goOn(found.id, text`${found.id} is open`, true);
    const { looked, alerts } = state;
    // An alert about it may have come meanwhile: it is told, whatever the word names.
    const isAlone = alerts.length === 0;
    if (
      isAlone &&
      looked !== undefined &&
      "noSuch" in looked &&
      looked.noSuch !== undefined &&
      looked.number === 1
    ) {
      await appendIncident(
        desk.ledger,
        state,
        { type: "closed", by: desk.by, reason: looked.fault.detail },
        deps.clock.now(),
      );
      return noSuch(desk.name, looked.fault.detail, looked.noSuch);
    }
    return desk.drawn(
      state,
      text`${incidentName(state)} is open: its message says what was found, its thread why`,
    );
  }
  await updateIncident(desk.ledger, found.id, deps.clock.now, (state) =>
    state.closed !== undefined || state.asked !== undefined || state.diagnosing !== undefined
      ? undefined
      : { type: "diagnosis-asked", by: desk.by },
  );
  const opener =
    "person" in found.openedBy ? text` by ${person(refTo(deps)(found.openedBy.person))}` : text` by an alert`;
  const said = text`was opened about this${opener} before, and is looked at again`;
  return desk.drawn(await desk.goOn(found.id, said), said);
}

const noSuch = (cluster: string, said: string, next: Reply["next"]): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: [said] },
  cluster,
  findings: [],
  blocks: [],
  ...(next !== undefined && { next }),
  actions: [],
});

/** `/runbook run NAME [ARGS]`: a diagnosis; for an operator of the bot also the incident that it belongs to. */
export const run = defineVerb({
  path: ["run"],
  usage: "NAME [ARGS]",
  summary:
    "Diagnose now. With the bot, an operator's run opens an incident with its thread; it changes nothing.",
  examples: ["service-unreachable httpbin", "node-lost karstark"],
  positionals: ["name", "args..."],
  options: [],
  input: z.object({ name: z.string(), args: z.array(z.string()).default([]) }),
  role: "viewer",
  effect: "probe",
  slow: true,
  cluster: "one",
  doors: everyDoor,
  handle: async (context) => {
    const { deps, caller, cluster, input } = context;
    if (cluster === undefined) throw new Error("runbook run needs a cluster");
    const runbook = runbookNamed(await runbooksOf(deps), input.name);
    if (!isRunbook(runbook)) return { ...runbook, cluster: cluster.config.name };
    const subject = subjectOf(runbook, input.args);
    if (subject !== null && typeof subject === "object") return { ...subject, cluster: cluster.config.name };
    const keeps = deps.ledger !== undefined && caller.door !== "cli";
    if (keeps && caller.roles.includes("operator")) return open(context, runbook, subject);
    const once = await diagnoseOnce(context, cluster, runbook, subject);
    return keeps
      ? {
          ...once,
          next: [
            ...(once.next ?? []),
            text`This was looked at for you alone; an operator's ${code("/runbook run")} opens an incident.`,
          ],
        }
      : once;
  },
});
