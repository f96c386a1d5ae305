import {
  incidentKey,
  incidentsOf,
  openIncidents,
  readIncident,
  updateIncident,
} from "#shared/incidents/incident-log.ts";
import type { IncidentState } from "#shared/incidents/incident-state.ts";
import { nudgeDue } from "#shared/incidents/owner-notes.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { driverOf } from "#shared/runs/drivers.ts";
import type { Deps } from "../commands/command.ts";
import { faultWords } from "../runs/desk.ts";
import { driveIncident, isAtWork } from "./drive.ts";
import { tellingIncident } from "./telling.ts";

type Log = (entry: Readonly<Record<string, unknown>>) => void;
export type ResumeIncidents = Readonly<{ signal: AbortSignal; log: Log }>;

const roundMs = 5_000;
/** What was closed shortly before a process ended may not have been told. */
const closedMs = 24 * 60 * 60_000;
const mostClosed = 50;

async function safely(log: Log, incident: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log({ level: "error", msg: "an incident could not be gone on with", incident, error: faultWords(error) });
  }
}

async function lately(deps: Deps, ledger: Ledger, cluster: string): Promise<readonly IncidentState[]> {
  const ids = (await incidentsOf(ledger, cluster)).slice(-mostClosed);
  const states = await Promise.all(ids.map((id) => readIncident(ledger, id)));
  return states.filter(
    (state): state is IncidentState =>
      state?.closed !== undefined && deps.clock.now() - state.closed.at < closedMs,
  );
}

/** A closed one whose word named nothing was never told. */
const wasTold = ({ looked, looks }: IncidentState): boolean =>
  !(looks === 1 && looked !== undefined && "noSuch" in looked);

/**
 * At the start of a bot: every open incident's message and thread are brought up to date, and what was begun and has no
 * known end is made again, saying so. Nothing is posted twice. Never rejects.
 */
export async function resumeIncidents(deps: Deps, { signal, log }: ResumeIncidents): Promise<void> {
  const { ledger } = deps;
  if (ledger === undefined) return;
  const telling = tellingIncident(deps);
  for (const name of deps.clusters.keys())
    await safely(log, `all of ${name}`, async () => {
      const open = await openIncidents(ledger, name);
      for (const state of await lately(deps, ledger, name))
        if (wasTold(state)) await safely(log, state.id, () => telling.state(state));
      await Promise.all(
        open.map((state) => safely(log, state.id, () => driveIncident(deps, state.id, { signal, log }))),
      );
    });
}

/** Asks in the thread when a step waits for longer than its time-out. Exactly one process does. */
async function nudge(deps: Deps, ledger: Ledger, state: IncidentState): Promise<void> {
  const { clock } = deps;
  const isDue = (one: IncidentState) => {
    const due = nudgeDue(one);
    return due !== undefined && due.at <= clock.now() ? due : undefined;
  };
  if (isDue(state) === undefined) return;
  const { state: asked, written } = await updateIncident(ledger, state.id, clock.now, (one) => {
    const due = isDue(one);
    return due === undefined ? undefined : { type: "nudged", step: due.step };
  });
  if (written) await tellingIncident(deps).all(asked);
}

/** One look at every open incident: goes on where nobody does, asks where nobody seems to be. Never rejects. */
export async function tendIncidentsOnce(deps: Deps, { signal, log }: ResumeIncidents): Promise<void> {
  const { ledger } = deps;
  if (ledger === undefined) return;
  for (const name of deps.clusters.keys())
    await safely(log, `all of ${name}`, async () => {
      const open = await openIncidents(ledger, name);
      await Promise.all(
        open.map((state) =>
          safely(log, state.id, async () => {
            if (isAtWork(state)) {
              if (driverOf(ledger, incidentKey(state.id)) === undefined)
                await driveIncident(deps, state.id, { signal, log });
            } else await nudge(deps, ledger, state);
          }),
        ),
      );
    });
}

/** Until the signal aborts. Never rejects. */
export async function tendIncidents(deps: Deps, options: ResumeIncidents): Promise<void> {
  while (!options.signal.aborted) {
    await deps.clock.sleep(roundMs, options.signal);
    if (!options.signal.aborted) await tendIncidentsOnce(deps, options);
  }
}
