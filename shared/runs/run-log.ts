import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type RunEvent, readRunEvent, writtenEvent } from "./run-events.ts";
import { afterEvent, foldRun, type RunState } from "./run-state.ts";

/** `run/R-17`: the key of a run's stream, and of its message on the board. */
export const runKey = (id: string): string => `run/${id}`;
const clusterKey = (cluster: string): string => `cluster-runs/${cluster}`;

/** Two processes that take at once see each other's counts; so many times in a row nobody loses. */
const attempts = 50;

/** `R-17`: counted in the ledger, so that two processes never give the same id twice. Throws FaultError. */
export async function takeRunId(ledger: Ledger): Promise<string> {
  let last = (await ledger.read("counter/run")).at(-1)?.version ?? 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const taken = await ledger.append("counter/run", last, { type: "taken", data: null });
    last = taken.version;
    if (taken.ok) return `R-${last}`;
  }
  throw new FaultError({
    kind: "refused",
    what: "ledger",
    detail: `no run id could be taken in ${attempts} tries`,
  });
}

const opened = z.strictObject({ run: z.string().min(1), started: z.json() });
type Opened = Readonly<{ run: string; started: RunEvent }>;

async function openings(ledger: Ledger, cluster: string): Promise<readonly Opened[]> {
  const events = await ledger.read(clusterKey(cluster));
  return events.map((event) => {
    const parsed = opened.safeParse(event.data);
    if (!parsed.success || event.type !== "opened")
      throw new FaultError({
        kind: "unreadable",
        what: `${event.stream} version ${event.version}`,
        detail: `expected an opened run, found ${event.type}`,
      });
    const { run, started } = parsed.data;
    const { type, ...data } = started as { type: string };
    const read = readRunEvent({ ...event, type, data: data as never });
    return { run, started: read.event };
  });
}

/** A run as its stream has it; undefined when there is no such run. Throws FaultError. */
export const readRun = async (ledger: Ledger, id: string): Promise<RunState | undefined> =>
  foldRun(id, await ledger.read(runKey(id)));

/** Opened runs begin with what the cluster's list says of them, also when the process died between the two writes. */
async function readOpened(ledger: Ledger, { run, started }: Opened): Promise<RunState> {
  const state = await readRun(ledger, run);
  if (state !== undefined) return state;
  await ledger.append(runKey(run), 0, writtenEvent(started));
  const again = await readRun(ledger, run);
  if (again === undefined)
    throw new FaultError({ kind: "unreadable", what: runKey(run), detail: "what was written is not there" });
  return again;
}

/** The run of a cluster that was opened last, ended or not. Throws FaultError. */
export async function lastRun(ledger: Ledger, cluster: string): Promise<RunState | undefined> {
  const last = (await openings(ledger, cluster)).at(-1);
  return last === undefined ? undefined : readOpened(ledger, last);
}

/** The run of a cluster that has not ended; there is at most one. Throws FaultError. */
export async function openRun(ledger: Ledger, cluster: string): Promise<RunState | undefined> {
  const state = await lastRun(ledger, cluster);
  return state?.ended === undefined ? state : undefined;
}

/** All runs of a cluster, oldest first. Throws FaultError. */
export async function runsOn(ledger: Ledger, cluster: string): Promise<readonly RunState[]> {
  const all = await openings(ledger, cluster);
  const states: RunState[] = [];
  for (const one of all) states.push(await readOpened(ledger, one));
  return states;
}

export type Started = Extract<RunEvent, { type: "started" }>;

/** Opens a run unless another one is open on its cluster: then that one is the answer. Exactly one of many gets in. */
export async function openNewRun(
  ledger: Ledger,
  run: string,
  started: Started,
): Promise<Readonly<{ ok: boolean; state: RunState }>> {
  for (;;) {
    const all = await openings(ledger, started.cluster);
    const last = all.at(-1);
    const before = last === undefined ? undefined : await readOpened(ledger, last);
    if (before !== undefined && before.ended === undefined) return { ok: false, state: before };
    const event = writtenEvent(started);
    const appended = await ledger.append(clusterKey(started.cluster), all.length, {
      type: "opened",
      data: { run, started: { type: event.type, ...(event.data as object) } },
    });
    if (appended.ok) return { ok: true, state: await readOpened(ledger, { run, started }) };
  }
}

/** Appends to a run that is as `state` says; undefined when somebody else wrote to it first. Throws FaultError. */
export async function appendTo(
  ledger: Ledger,
  state: RunState,
  event: RunEvent,
  at: number,
): Promise<RunState | undefined> {
  const appended = await ledger.append(runKey(state.id), state.version, writtenEvent(event));
  return appended.ok ? afterEvent(state, { event, version: appended.version, at }) : undefined;
}
