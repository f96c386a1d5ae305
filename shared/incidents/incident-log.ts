import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Ledger, NewEvent } from "../ledger/ledger.ts";
import {
  type IncidentEvent,
  type Opened,
  readIncidentEvent,
  writtenIncidentEvent,
} from "./incident-events.ts";
import { afterIncidentEvent, foldIncident, type IncidentState } from "./incident-state.ts";

/** `incident/I-7`: the stream of an incident, and its message on the board. */
export const incidentKey = (id: string): string => `incident/${id}`;
const indexKey = (cluster: string): string => `cluster-incidents/${cluster}`;

/** What opens one: the event without its type. */
export type NewIncident = Omit<Opened, "type">;

const attempts = 200;

/** Versions read so far, so that a stream is read once and then only onwards. Values, never changed in place. */
type Known = { last: number; states: Map<string, IncidentState>; indexes: Map<string, Index> };
type Index = Readonly<{ version: number; open: ReadonlyMap<string, Opened>; all: readonly string[] }>;
const known = new WeakMap<Ledger, Known>();
/** Of incidents; each may hold a whole diagnosis. */
const mostKept = 200;

const knownOf = (ledger: Ledger): Known => {
  const found = known.get(ledger) ?? { last: 0, states: new Map(), indexes: new Map() };
  known.set(ledger, found);
  return found;
};

function keep(ledger: Ledger, state: IncidentState): IncidentState {
  const { states } = knownOf(ledger);
  const newest = states.get(state.id);
  if (newest !== undefined && newest.version >= state.version) return state;
  states.delete(state.id);
  states.set(state.id, state);
  const [oldest] = states.keys();
  if (states.size > mostKept && oldest !== undefined) states.delete(oldest);
  return state;
}

/** An incident as its stream has it; undefined when there is none of that id. Throws FaultError. */
export async function readIncident(ledger: Ledger, id: string): Promise<IncidentState | undefined> {
  const before = knownOf(ledger).states.get(id);
  const state = foldIncident(id, await ledger.read(incidentKey(id), before?.version), before);
  return state === undefined ? undefined : keep(ledger, state);
}

/** Counted in the ledger, so that two processes never give the same id twice. Throws FaultError. */
async function takeId(ledger: Ledger): Promise<string> {
  const mine = knownOf(ledger);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const taken = await ledger.append("counter/incident", mine.last, { type: "taken", data: null });
    mine.last = Math.max(mine.last, taken.version);
    if (taken.ok) return `I-${taken.version}`;
  }
  throw new FaultError({
    kind: "refused",
    what: "ledger",
    detail: `no incident id could be taken in ${attempts} tries`,
  });
}

const listed = z.strictObject({
  incident: z.string().min(1),
  opened: z.looseObject({ type: z.literal("opened") }),
});
const named = z.strictObject({ incident: z.string().min(1) });

/** Which incidents of a cluster may be open: one marked as closed is, one that is not may be closed all the same. */
async function readIndex(ledger: Ledger, cluster: string): Promise<Index> {
  const { indexes } = knownOf(ledger);
  const before = indexes.get(cluster) ?? { version: 0, open: new Map<string, Opened>(), all: [] };
  const more = await ledger.read(indexKey(cluster), before.version);
  if (more.length === 0) return before;
  const open = new Map(before.open);
  const all = new Set(before.all);
  for (const event of more) {
    const adds = listed.safeParse(event.data);
    const takes = named.safeParse(event.data);
    if (event.type === "opened" && adds.success) {
      const { event: opened } = readIncidentEvent({ ...event, ...typed(adds.data.opened) });
      if (opened?.type === "opened") open.set(adds.data.incident, opened);
      all.add(adds.data.incident);
    } else if (event.type === "closed" && takes.success) open.delete(takes.data.incident);
  }
  const index = { version: more.at(-1)?.version ?? before.version, open, all: [...all] };
  if ((indexes.get(cluster)?.version ?? 0) < index.version) indexes.set(cluster, index);
  return index;
}

const typed = ({ type, ...data }: { type: string }): NewEvent => ({ type, data: data as NewEvent["data"] });

/** It begins with what the cluster's list says of it, also when a process died between the two writes. */
async function readListed(ledger: Ledger, id: string, opened: Opened): Promise<IncidentState> {
  const state = await readIncident(ledger, id);
  if (state !== undefined) return state;
  await ledger.append(incidentKey(id), 0, writtenIncidentEvent(opened));
  const again = await readIncident(ledger, id);
  if (again !== undefined) return again;
  throw new FaultError({
    kind: "unreadable",
    what: incidentKey(id),
    detail: "what was written is not there",
  });
}

async function amongOpen(ledger: Ledger, index: Index): Promise<readonly IncidentState[]> {
  const states = await Promise.all([...index.open].map(([id, opened]) => readListed(ledger, id, opened)));
  return states.filter(({ closed }) => closed === undefined);
}

/** The incidents of a cluster that are not closed, oldest first. Throws FaultError. */
export const openIncidents = async (ledger: Ledger, cluster: string): Promise<readonly IncidentState[]> =>
  amongOpen(ledger, await readIndex(ledger, cluster));

/** Ids of all incidents of a cluster, oldest first. Throws FaultError. */
export const incidentsOf = async (ledger: Ledger, cluster: string): Promise<readonly string[]> =>
  (await readIndex(ledger, cluster)).all;

export type Found = Readonly<{ state: IncidentState; isNew: boolean }>;

/**
 * Opens an incident, or finds the open one with the same key: of many who open it at once, exactly one does. Throws
 * FaultError.
 */
export async function findOrOpenIncident(ledger: Ledger, wanted: NewIncident): Promise<Found> {
  const opened: Opened = { type: "opened", ...wanted };
  const { type, data } = writtenIncidentEvent(opened);
  let id: string | undefined;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const index = await readIndex(ledger, wanted.cluster);
    const same =
      wanted.key === undefined
        ? undefined
        : (
            await amongOpen(ledger, {
              ...index,
              open: new Map([...index.open].filter(([, each]) => each.key === wanted.key)),
            })
          ).at(0);
    if (same !== undefined) return { state: same, isNew: false };
    id ??= await takeId(ledger);
    const appended = await ledger.append(indexKey(wanted.cluster), index.version, {
      type: "opened",
      data: { incident: id, opened: { type, ...(data as object) } },
    });
    if (appended.ok) return { state: await readListed(ledger, id, opened), isNew: true };
  }
  throw new FaultError({
    kind: "timed-out",
    what: indexKey(wanted.cluster),
    detail: `others kept writing through ${attempts} tries`,
  });
}

/** The new incident, or the open one with the same key. Throws FaultError. */
export const openIncident = async (ledger: Ledger, wanted: NewIncident): Promise<IncidentState> =>
  (await findOrOpenIncident(ledger, wanted)).state;

/** Adds to the cluster's list; that it stands there is what counts, not who wrote it. */
async function list(ledger: Ledger, cluster: string, event: NewEvent, isIn: (index: Index) => boolean) {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const index = await readIndex(ledger, cluster);
    if (isIn(index)) return;
    if ((await ledger.append(indexKey(cluster), index.version, event)).ok) return;
  }
  throw new FaultError({
    kind: "timed-out",
    what: indexKey(cluster),
    detail: `others kept writing through ${attempts} tries`,
  });
}

const openedOf = ({
  cluster,
  runbook,
  subject,
  title,
  openedBy,
  key,
  channel,
  steps,
}: IncidentState): Opened => ({
  type: "opened",
  cluster,
  runbook,
  subject,
  title,
  by: openedBy,
  ...(key !== undefined && { key }),
  ...(channel !== undefined && { channel }),
  steps: steps.map(
    ({ status: _, since: __, token: ___, ended: ____, nudged: _____, checked: ______, ...step }) => step,
  ),
});

/**
 * Appends to an incident that is as `state` says; undefined when somebody else wrote to it first. The cluster's list
 * follows: what is closed leaves it, what is opened again is back on it before it is open. Throws FaultError.
 */
export async function appendIncident(
  ledger: Ledger,
  state: IncidentState,
  event: IncidentEvent,
  now: number,
): Promise<IncidentState | undefined> {
  const { id, cluster } = state;
  if (event.type === "reopened") {
    const { type, data } = writtenIncidentEvent(openedOf(state));
    const again = { type: "opened", data: { incident: id, opened: { type, ...(data as object) } } };
    await list(ledger, cluster, again, ({ open }) => open.has(id));
  }
  const appended = await ledger.append(incidentKey(id), state.version, writtenIncidentEvent(event));
  if (!appended.ok) return undefined;
  const next = afterIncidentEvent(state, { event, type: event.type, version: appended.version, at: now });
  if (event.type === "closed")
    await list(ledger, cluster, { type: "closed", data: { incident: id } }, ({ open }) => !open.has(id));
  return keep(ledger, next);
}

/**
 * Decides on the newest state, and again when somebody else wrote meanwhile; nothing is written when it decides on
 * nothing. Throws FaultError, also when there is no such incident.
 */
export async function updateIncident(
  ledger: Ledger,
  id: string,
  now: () => number,
  decide: (state: IncidentState) => IncidentEvent | undefined,
): Promise<Readonly<{ state: IncidentState; written: boolean }>> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const state = await readIncident(ledger, id);
    if (state === undefined)
      throw new FaultError({
        kind: "unreadable",
        what: incidentKey(id),
        detail: "the ledger has no such incident",
      });
    const event = decide(state);
    if (event === undefined) return { state, written: false };
    const next = await appendIncident(ledger, state, event, now());
    if (next !== undefined) return { state: next, written: true };
  }
  throw new FaultError({
    kind: "timed-out",
    what: incidentKey(id),
    detail: `others kept writing through ${attempts} tries`,
  });
}
