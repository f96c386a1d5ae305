import { FaultError } from "#shared/fault.ts";
import { readIncident, updateIncident } from "#shared/incidents/incident-log.ts";
import { readRun } from "#shared/runs/run-log.ts";
import type { Deps } from "./commands/command.ts";
import { tellingIncident } from "./incidents/telling.ts";

const incidents = "incident/";
const runs = "run/";

/**
 * An input that names no cluster means that of its thread; a ledger that cannot be asked leaves it open. An incident of
 * a cluster that is not configured, as an alert may name one, is kept with the rights on the first that is.
 */
export async function clusterOf(deps: Deps, about: string | undefined): Promise<string | undefined> {
  try {
    const found = await clusterIn(deps, about);
    if (found === undefined || deps.clusters.has(found)) return found;
    const [first] = deps.clusters.keys();
    return about?.startsWith(incidents) === true ? first : undefined;
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}

/**
 * The cluster of the thing in whose thread somebody asked, by the board's name of it. Undefined where it is not known.
 * Throws FaultError.
 */
async function clusterIn({ ledger }: Deps, about: string | undefined): Promise<string | undefined> {
  if (ledger === undefined || about === undefined) return undefined;
  if (about.startsWith(incidents))
    return (await readIncident(ledger, about.slice(incidents.length)))?.cluster;
  if (about.startsWith(runs)) return (await readRun(ledger, about.slice(runs.length)))?.cluster;
  return undefined;
}

/** Writes down that an act was begun from an incident, before it is begun. Throws FaultError. */
export async function linkAct(deps: Deps, about: string | undefined, run: string, by: string): Promise<void> {
  const { ledger, clock } = deps;
  if (ledger === undefined || about?.startsWith(incidents) !== true) return;
  const id = about.slice(incidents.length);
  const { state } = await updateIncident(ledger, id, clock.now, (now) =>
    now.runs.some((each) => each.run === run) ? undefined : { type: "run-linked", run, by },
  );
  await tellingIncident(deps).state(state);
}
