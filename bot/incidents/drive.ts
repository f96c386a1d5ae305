import { type Fault, FaultError } from "#shared/fault.ts";
import type { IncidentEvent } from "#shared/incidents/incident-events.ts";
import { incidentKey, readIncident, updateIncident } from "#shared/incidents/incident-log.ts";
import {
  currentIncidentStep,
  type IncidentMove,
  type IncidentState,
  nextIncidentMove,
} from "#shared/incidents/incident-state.ts";
import { keptDiagnosis } from "#shared/incidents/kept-diagnosis.ts";
import { recordingShell } from "#shared/incidents/record-commands.ts";
import type { DiagnosePorts, IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { driveAlone } from "#shared/runs/drivers.ts";
import { within } from "#shared/runs/runner.ts";
import { utcTime } from "#shared/runs/utc-time.ts";
import { plain, type Text, text } from "#shared/text.ts";
import type { ClusterPorts, Deps } from "../commands/command.ts";
import { runChecks } from "./run-checks.ts";
import { tellingIncident } from "./telling.ts";

export type DriveOptions = Readonly<{
  signal: AbortSignal;
  log: (entry: Readonly<Record<string, unknown>>) => void;
  /** A line of progress for whoever waits for an answer; latest wins. */
  show?: (state: IncidentState, line: Text) => void;
  /** Nothing is told before the first look has come to an end: the word may name nothing. */
  quietAtFirst?: true;
}>;

/** A diagnosis that takes longer is given up: people wait for it, and a node that is dead costs seconds, not minutes. */
export const diagnoseMs = 60_000;
/** Who drives an incident renews its lease; what a dead process held is free soon. */
const leaseMs = 15_000;
const renewMs = 4_000;
const progressMs = 1_000;

type Of<K extends IncidentMove["do"]> = Extract<IncidentMove, { do: K }>;

/** What a diagnosis of the cluster looks through. */
export const diagnosePorts = (deps: Deps, cluster: ClusterPorts): DiagnosePorts => ({
  config: cluster.config,
  read: cluster.read,
  shell: cluster.shell,
  logs: cluster.logs,
  clock: deps.clock,
  zones: cluster.zones,
  ask: cluster.ask,
  ledger: deps.ledger,
  newNonce: () => [deps.newId(), deps.newId(), deps.newId(), deps.newId()].join("-"),
});

const faultOf = (what: string, detail: string): Fault => ({ kind: "unreadable", what, detail });

type Ended = Extract<IncidentEvent, { type: "diagnosed" | "could-not-diagnose" }>;

/** Looks, and says what came of it; undefined when this process was told to stop before there was anything to say. */
async function look(
  deps: Deps,
  cluster: ClusterPorts,
  runbook: IncidentRunbook | undefined,
  state: IncidentState,
  begun: Readonly<{ step: string; token: string }>,
  { signal, log }: DriveOptions,
  show: (line: Text) => void,
): Promise<Ended | undefined> {
  const recording = recordingShell(cluster.shell, deps.clock.now);
  const could = (fault: Fault): Ended => ({
    type: "could-not-diagnose",
    ...begun,
    fault,
    commands: recording.ran(),
  });
  const { diagnose } = runbook ?? {};
  if (diagnose === undefined)
    return could({
      kind: "not-configured",
      what: `runbook ${state.runbook}`,
      detail:
        runbook === undefined
          ? "neither this release nor the config has a runbook of that name"
          : "it has no diagnosis of its own",
    });
  try {
    const word = state.subject ?? "";
    const diagnosed = await within(deps.clock, diagnoseMs, `diagnosis ${state.runbook}`, (late) =>
      diagnose(diagnosePorts(deps, { ...cluster, shell: recording.shell }), word, {
        signal: AbortSignal.any([signal, late]),
        show,
      }),
    );
    if (signal.aborted) return undefined;
    if ("noSuch" in diagnosed)
      return {
        ...could(faultOf(`"${word}"`, plain(diagnosed.noSuch))),
        noSuch: diagnosed.next.map((said) => [...said]),
      } as Ended;
    return { type: "diagnosed", ...begun, ...keptDiagnosis(diagnosed), commands: recording.ran() };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof FaultError) return could(error.fault);
    const id = deps.newId();
    log({
      level: "error",
      msg: "unexpected fault in a diagnosis",
      id,
      incident: state.id,
      error: error instanceof Error ? error.stack : String(error),
    });
    return could(
      faultOf(`diagnosis ${state.runbook}`, `this program made a mistake; the log has it as ${id}`),
    );
  }
}

/** Holds the incident for one process while `work` is done; undefined when another process has it. */
async function underLease<T>(
  deps: Deps,
  ledger: Ledger,
  id: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const name = `incident-${id}`;
  const holder = `${deps.newId()}-${deps.newId()}`;
  let taken = await ledger.lease(name, holder, leaseMs);
  // Another drive of this very process may be just about to leave.
  for (let attempt = 0; !taken.ok && attempt < 3; attempt++) {
    await deps.clock.sleep(300);
    taken = await ledger.lease(name, holder, leaseMs);
  }
  if (!taken.ok) return undefined;
  const { token } = taken.lease;
  const over = new AbortController();
  const renewing = (async () => {
    for (;;) {
      await deps.clock.sleep(renewMs, over.signal);
      if (over.signal.aborted) return;
      // Two that look at once cost packets and no more: whose result counts is decided by the stream.
      await ledger.lease(name, holder, leaseMs).catch(() => {});
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await renewing;
    await ledger.release(name, token).catch(() => {});
  }
}

async function drive(
  deps: Deps,
  ledger: Ledger,
  cluster: ClusterPorts,
  first: IncidentState,
  options: DriveOptions,
  mayStop: () => boolean,
): Promise<IncidentState> {
  const { signal, log } = options;
  const { id } = first;
  const telling = tellingIncident(deps, options.quietAtFirst === true);
  const now = () => deps.clock.now();
  const runbooks = (await deps.incidentRunbooks?.()) ?? [];
  let state = first;

  const update = async (decide: (state: IncidentState) => IncidentEvent | undefined): Promise<boolean> => {
    const updated = await updateIncident(ledger, id, now, decide);
    state = updated.state;
    return updated.written;
  };
  let toldAt = Number.NEGATIVE_INFINITY;
  const showLine = (line: Text): void => {
    options.show?.(state, line);
    // Every state of the message is kept in the ledger: one a second is plenty for a line of progress.
    if (now() - toldAt < progressMs) return;
    toldAt = now();
    void telling.state(state, line).catch((error: unknown) => {
      log({ level: "error", msg: "progress of an incident could not be told", id, error: String(error) });
    });
  };

  /** Said before anything else: what was begun by a process that is no more is made again. */
  const sayAgain = (token: string, what: Text, at: number): Promise<void> =>
    telling.note(state, `again/${token}`, {
      verdict: {
        word: "RESTARTED",
        outcome: "running",
        text: text`the ${what} begun at ${utcTime(at)} has no known end: it is made again`,
      },
      cluster: state.cluster,
      findings: [],
      blocks: [],
      actions: [],
    });

  const diagnoseNow = async (move: Of<"diagnose">): Promise<void> => {
    const token = `${deps.newId()}-${deps.newId()}`;
    const { step, by } = move;
    const isStill = (one: IncidentState): boolean => {
      const next = nextIncidentMove(one);
      return next.do === "diagnose" && next.step === step && next.again === move.again;
    };
    const before = state.diagnosing;
    if (!(await update((one) => (isStill(one) ? { type: "diagnosing", step, token, by } : undefined))))
      return;
    if (move.again && before !== undefined) await sayAgain(before.token, text`diagnosis`, before.at);
    await telling.state(state);
    const ended = await look(
      deps,
      cluster,
      runbooks.find((one) => one.id === state.runbook),
      state,
      { step, token },
      options,
      showLine,
    );
    if (ended === undefined) return;
    await update((one) => (one.diagnosing?.token === token ? ended : undefined));
    await telling.all(state);
  };

  const checkNow = async (move: Of<"check">): Promise<void> => {
    const token = `${deps.newId()}-${deps.newId()}`;
    const { step } = move;
    const before = currentIncidentStep(state);
    const begun = await update((one) => {
      const next = nextIncidentMove(one);
      return next.do === "check" && next.step === step ? { type: "checking", step, token } : undefined;
    });
    const definition = currentIncidentStep(state);
    if (!begun || definition?.kind !== "checks") return;
    if (move.again && before?.token !== undefined)
      await sayAgain(before.token, text`run of checks`, before.since ?? now());
    await telling.state(state);
    const recording = recordingShell(cluster.shell, now);
    const watched = { ...cluster, shell: recording.shell };
    const ran = await runChecks(deps, watched, definition, signal, showLine);
    if (signal.aborted) return;
    await update((one) =>
      one.steps.some((each) => each.id === step && each.token === token && each.status === "running")
        ? { type: "checks-run", step, token, ...ran, commands: recording.ran() }
        : undefined,
    );
    await telling.all(state);
  };

  for (;;) {
    if (signal.aborted) return state;
    const move = nextIncidentMove(state);
    if (move.do === "diagnose") await diagnoseNow(move);
    else if (move.do === "check") await checkNow(move);
    else {
      await telling.all(state);
      if (mayStop()) return state;
      state = (await readIncident(ledger, id)) ?? state;
    }
  }
}

/** Whether there is something to do without a person. */
export const isAtWork = (state: IncidentState): boolean => {
  const { do: what } = nextIncidentMove(state);
  return what === "diagnose" || what === "check";
};

/**
 * Goes as far as it goes without a person: diagnoses, runs checks, tells the message and the thread. Takes no lease of
 * the cluster and waits for nobody's; the incident itself is driven by one process at a time, and by whoever finds it
 * undone when that one is gone. Answers with where it stands; undefined when there is no such incident, or no ledger.
 * Throws FaultError when the ledger cannot be asked.
 */
export async function driveIncident(
  deps: Deps,
  id: string,
  options: DriveOptions,
): Promise<IncidentState | undefined> {
  const { ledger, clock } = deps;
  if (ledger === undefined) return undefined;
  const state = await readIncident(ledger, id);
  const cluster = state === undefined ? undefined : deps.clusters.get(state.cluster);
  if (state === undefined || cluster === undefined) return state;
  const who = { by: state.owner?.name ?? "arpeggio", since: clock.now() };
  const driven = await driveAlone(ledger, incidentKey(id), who, async (mayStop) =>
    underLease(deps, ledger, id, async () => {
      // What was written between looking and having it counts.
      const newest = (await readIncident(ledger, id)) ?? state;
      return drive(deps, ledger, cluster, newest, options, mayStop);
    }),
  );
  if (driven !== undefined) return driven;
  // Somebody else is at it: what was asked for is in the stream, and its message is theirs to tell.
  const newest = (await readIncident(ledger, id)) ?? state;
  await tellingIncident(deps, options.quietAtFirst === true).state(newest);
  return newest;
}
