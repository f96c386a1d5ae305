import { incidentKey } from "#shared/incidents/incident-log.ts";
import { incidentReply } from "#shared/incidents/incident-reply.ts";
import { currentIncidentStep, type IncidentState } from "#shared/incidents/incident-state.ts";
import { checksNote, lookNote } from "#shared/incidents/look-note.ts";
import { handoverNote, nudgeNote } from "#shared/incidents/owner-notes.ts";
import type { Reply } from "#shared/reply.ts";
import type { Text } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";
import { withPathPicture } from "../pictures.ts";
import { refTo } from "../runs/run-people.ts";

/** How an incident is told: its message, and its thread. What these promise is the board's. */
export type IncidentTelling = Readonly<{
  /** Latest wins; `doing` is a line of progress. */
  state: (state: IncidentState, doing?: Text) => Promise<void>;
  /** Once for each id, however often it is asked for. */
  note: (state: IncidentState, id: string, reply: Reply) => Promise<void>;
  /** Everything that should be in the message and the thread by now. */
  all: (state: IncidentState, doing?: Text) => Promise<void>;
}>;

export const incidentOptions = (deps: Deps, doing?: Text) => ({
  ref: refTo(deps),
  ...(doing !== undefined && { doing }),
});

/** Longer than any look takes to be told, and any restart. */
const freshMs = 15 * 60_000;

/** With `quietAtFirst` an incident is told from its first look on, and not at all when its word names nothing. */
export function tellingIncident(deps: Deps, quietAtFirst = false): IncidentTelling {
  const { board } = deps;
  const isQuiet = ({ looked }: IncidentState): boolean =>
    quietAtFirst && (looked === undefined || ("noSuch" in looked && looked.number === 1));
  const state: IncidentTelling["state"] = async (now, doing) => {
    if (isQuiet(now)) return;
    const place = now.channel === undefined ? undefined : { channel: now.channel };
    await board?.put(incidentKey(now.id), incidentReply(now, incidentOptions(deps, doing)), place);
  };
  const note: IncidentTelling["note"] = async (now, id, reply) => {
    if (!isQuiet(now)) await board?.note(incidentKey(now.id), id, reply);
  };
  return {
    state,
    note,
    all: async (now, doing) => {
      await state(now, doing);
      if (now.looked !== undefined) {
        const { looked } = now;
        const told = lookNote(now, looked);
        // A look is told once; pictures of old ones are drawn for nobody.
        const isFresh = deps.clock.now() - looked.at < freshMs;
        const reply =
          "diagnosis" in looked && isFresh && board !== undefined
            ? await withPathPicture(deps.drawPng, told, looked.diagnosis, now.cluster)
            : told;
        await note(now, `look/${looked.number}`, reply);
      }
      for (const step of now.steps)
        if (step.checked !== undefined) await note(now, `checks/${step.id}`, checksNote(now, step));
      if (now.owner?.handed !== undefined)
        await note(now, `handover/${now.owner.handed}`, handoverNote(now, now.owner, incidentOptions(deps)));
      const nudged = now.closed === undefined ? currentIncidentStep(now) : undefined;
      if (nudged?.nudged !== undefined)
        await note(now, `nudge/${nudged.nudged.version}`, nudgeNote(now, nudged, incidentOptions(deps)));
    },
  };
}
