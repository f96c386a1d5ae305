import type { Ledger } from "#shared/ledger/ledger.ts";
import { advance } from "#shared/runs/advance.ts";
import { driverOf } from "#shared/runs/drivers.ts";
import { type Move, nextMove } from "#shared/runs/next-move.ts";
import { lastRun, runKey } from "#shared/runs/run-log.ts";
import { stepNumber } from "#shared/runs/run-notes.ts";
import { runReply } from "#shared/runs/run-reply.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { pendingCleanUp } from "#shared/runs/standing.ts";
import { utcTime } from "#shared/runs/utc-time.ts";
import { text } from "#shared/text.ts";
import type { ClusterPorts, Deps } from "../commands/command.ts";
import { faultWords } from "./desk.ts";
import { runnerOf } from "./runner-of.ts";
import { replyOptions, tellingOf } from "./telling.ts";

type Log = (entry: Readonly<Record<string, unknown>>) => void;
export type ResumeOptions = Readonly<{ signal: AbortSignal; log: Log }>;

const rests = (move: Move): boolean =>
  move.do === "nothing" || move.do === "wait-for-person" || move.do === "wait-for-time";

/** Said before anything else after a restart in the middle of something. */
async function tellRestart(deps: Deps, state: RunState, move: Move): Promise<void> {
  const at = deps.clock.now();
  const step = "step" in move ? `step ${stepNumber(state, move.step)} had started` : "it was under way";
  const reply = runReply(state, replyOptions(deps, state.cluster));
  const said = text`bot restarted ${utcTime(at)}, ${step}: looking at what is true`;
  const told = { ...reply, verdict: { word: "RESTARTED", outcome: "running" as const, text: said } };
  await deps.board?.put(runKey(state.id), told);
  await deps.board?.note(runKey(state.id), `restarted/${state.version}`, {
    verdict: told.verdict,
    cluster: state.cluster,
    findings: [],
    blocks: [],
    actions: [],
  });
}

/** Drives on, and waits for a lease that a process which is no more may have left behind. */
async function carryOn(
  deps: Deps,
  ledger: Ledger,
  cluster: ClusterPorts,
  state: RunState,
  { signal }: ResumeOptions,
): Promise<void> {
  const { tell } = tellingOf(deps, cluster.config.name, {});
  const runner = await runnerOf(deps, ledger, cluster, tell);
  while (!signal.aborted) {
    const { stopped, held } = await advance(runner, state.id, { by: state.operator, signal });
    if (stopped !== "busy" || held === undefined) return;
    await deps.clock.sleep(Math.max(100, held.until - deps.clock.now()), signal);
  }
}

async function safely(log: Log, cluster: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log({ level: "error", msg: "a run could not be gone on with", cluster, error: faultWords(error) });
  }
}

/**
 * At the start of a bot: what was begun and has no known end is looked at in the world, told, and gone on with as far
 * as it goes without a person. Nothing is begun that nobody approved. Never rejects.
 */
export async function resumeRuns(deps: Deps, options: ResumeOptions): Promise<void> {
  const { ledger } = deps;
  if (ledger === undefined) return;
  await Promise.all(
    [...deps.clusters.values()].map((cluster) =>
      safely(options.log, cluster.config.name, async () => {
        const state = await lastRun(ledger, cluster.config.name);
        if (state === undefined) return;
        const move = nextMove(state, deps.clock.now());
        if (rests(move)) return;
        await tellRestart(deps, state, move);
        await carryOn(deps, ledger, cluster, state, options);
      }),
    ),
  );
}

/** What nobody drives may be driven by another process: left alone for this long after its last event. */
const leftMs = 120_000;
/** The same where something of it must not stay. */
const cleanUpLeftMs = 15_000;
const roundMs = 5_000;

const isDue = (state: RunState, now: number): boolean => {
  const move = nextMove(state, now);
  if (rests(move)) return false;
  // A time that was waited for is over; whoever waited has stopped.
  const timed =
    move.do === "lapse" ||
    ((move.do === "verify" || move.do === "verify-undone") &&
      state.steps.some(({ id, waiting }) => id === move.step && waiting !== undefined));
  // What must not stay is nobody's to leave lying; who is at work on it has the lease of the cluster.
  const isLeft = pendingCleanUp(state) !== undefined && now - state.updatedAt > cleanUpLeftMs;
  return timed || isLeft || now - state.updatedAt > leftMs;
};

/** One look at every cluster's run: goes on where a time has come that it waited for. Never rejects. */
export async function tendOnce(deps: Deps, options: ResumeOptions): Promise<void> {
  const { ledger } = deps;
  if (ledger === undefined) return;
  for (const cluster of deps.clusters.values())
    await safely(options.log, cluster.config.name, async () => {
      const state = await lastRun(ledger, cluster.config.name);
      if (state === undefined || driverOf(ledger, state.id) !== undefined) return;
      if (isDue(state, deps.clock.now())) await carryOn(deps, ledger, cluster, state, options);
    });
}

/** Until the signal aborts. Never rejects. */
export async function tendRuns(deps: Deps, options: ResumeOptions): Promise<void> {
  while (!options.signal.aborted) {
    await deps.clock.sleep(roundMs, options.signal);
    if (!options.signal.aborted) await tendOnce(deps, options);
  }
}
