import { FaultError } from "../fault.ts";
import type { Lease } from "../ledger/ledger.ts";
import type { Deed, DeedResult, DeedState } from "../steps/deed.ts";
import type { DeedOrigin } from "../steps/origin.ts";
import type { Observation, Observed, Step, StepContext, StepPlan } from "../steps/step.ts";
import { stillChanged } from "../steps/still-changed.ts";
import { createClusterLease } from "./cluster-lease.ts";
import { changesBetween, planDigest } from "./digest.ts";
import { driveAlone } from "./drivers.ts";
import * as halts from "./halts.ts";
import { judgedByStep, judgedUndone } from "./judged-undone.ts";
import { judgedVerified } from "./judged-verified.ts";
import { looked } from "./looked.ts";
import { type Move, nameOfMove, nextMove } from "./next-move.ts";
import { prepareStep } from "./prepare-step.ts";
import type { KeptPlan, RunEvent } from "./run-events.ts";
import { runFacts } from "./run-facts.ts";
import { appendTo, readRun } from "./run-log.ts";
import { documentNote, movedNote, observedNote, planNote, verifiedNote } from "./run-notes.ts";
import { type Act, changesWorld, currentAct, type RunState, type StepRun } from "./run-state.ts";
import { type Advanced, deedMs, type Runner, type Stopped, within } from "./runner.ts";
import { isOpen, pendingCleanUp, standingActs } from "./standing.ts";
import { isAboutSame, leftToOthers, undoDeed } from "./undo-deed.ts";

type Asker = Readonly<{ by: string; signal: AbortSignal }>;
type Of<K extends Move["do"]> = Extract<Move, { do: K }>;

const kept = ({ blocks: _, ...plan }: StepPlan): KeptPlan => plan;
const whole = (plan: KeptPlan): StepPlan => ({ ...plan, blocks: [] });

type DeedPlace = Omit<Extract<RunEvent, { type: "deed-intended" }>, "type">;

const movedResult = (place: DeedPlace): Extract<RunEvent, { token: string }> => ({
  type: "deed-refused",
  ...place,
  because: "conflict",
  message: "it had been begun, and somebody else has changed what it is about since",
  moved: true,
});

async function drive(
  runner: Runner,
  id: string,
  { by, signal }: Asker,
  mayStop: () => boolean,
): Promise<Advanced> {
  const { ledger, clock, tell } = runner;
  let watching: Readonly<{ step: string; act: number; observation: Observation }> | undefined;
  /** With its blocks, which the ledger does not keep. */
  let seen: Readonly<{ step: string; act: number; observed: Observed }> | undefined;

  const mustRead = async (): Promise<RunState> => {
    const read = await readRun(ledger, id);
    if (read !== undefined) return read;
    throw new FaultError({ kind: "unreadable", what: `run/${id}`, detail: "the ledger has no such run" });
  };
  let state = await mustRead();

  const stepOf = (wanted: string): StepRun => {
    const found = state.steps.find((step) => step.id === wanted);
    if (found === undefined) throw new Error(`no step ${wanted} in ${id}`);
    return found;
  };
  const definitionOf = (wanted: string): Step | undefined =>
    runner.migrations.find((m) => m.id === state.runbook)?.steps.find((step) => step.id === wanted);

  const context = (): StepContext => ({
    run: runFacts(state),
    ports: runner.ports,
    signal,
    show: (line) => void tell.state(state, line).catch(() => {}),
  });

  /** Writes what a move came to, as long as the move is still the next one. False: somebody else was faster. */
  async function record(event: RunEvent, move: Move): Promise<boolean> {
    for (;;) {
      const next = await appendTo(ledger, state, event, clock.now());
      if (next !== undefined) {
        state = next;
        await tell.state(state);
        return true;
      }
      state = await mustRead();
      if (nameOfMove(nextMove(state, clock.now())) !== nameOfMove(move)) return false;
    }
  }

  /** What came of a deed is written whatever else was, unless somebody who looked has said so already. */
  async function recordResult(event: Extract<RunEvent, { token: string }>): Promise<void> {
    for (;;) {
      const next = await appendTo(ledger, state, event, clock.now());
      if (next !== undefined) {
        state = next;
        await tell.state(state);
        return;
      }
      state = await mustRead();
      if (!isOpen(state, event)) return;
    }
  }

  const halt = (step: string, why: halts.Halt, move: Move): Promise<boolean> =>
    record(halts.haltEvent(step, why), move);

  const clusterLease = createClusterLease(runner, id, by);
  const { hold, holdFor } = clusterLease;

  const originOf = (step: StepRun): DeedOrigin => ({ run: id, step: step.id, round: step.rounds });

  const meant = (deed: Deed, move: Of<"perform"> | Of<"look">): Deed => {
    const act = stepOf(move.step).acts.find((one) => one.number === move.act);
    return move.way === "back" && act !== undefined ? undoDeed(act, deed) : deed;
  };

  const lookAt = (deed: Deed, origin: DeedOrigin) =>
    looked<DeedState>(() =>
      // Handing it over again is free: the thread takes each note once.
      deed.kind === "document"
        ? Promise.resolve("not-done" as const)
        : within(clock, deedMs(deed, runner.times), deed.title, (limit) =>
            runner.deeds(origin).look(deed, limit),
          ),
    );

  async function doIt(deed: Deed, move: Of<"perform">): Promise<DeedResult> {
    if (deed.kind !== "document")
      return within(clock, deedMs(deed, runner.times), deed.title, (limit) =>
        runner.deeds(originOf(stepOf(move.step))).perform(deed, limit),
      );
    const note = documentNote(state, stepOf(move.step), deed);
    await tell.note(state, `${move.step}/${move.act}/${move.way}/${deed.id}`, note.reply, note.files);
    return { ok: true, facts: { name: deed.name } };
  }

  type Taken = "on" | Stopped | Lease;

  async function perform(move: Of<"perform">): Promise<Taken> {
    const step = stepOf(move.step);
    const definition = definitionOf(move.step);
    const act = step.acts.find((one) => one.number === move.act);
    if (definition === undefined || act === undefined)
      return (await halt(move.step, halts.unknownStep(move.step), move)) ? "on" : "overtaken";
    const held = await hold(state.cluster, move.deed, definition.id);
    if (held !== undefined) return held;
    const deed = meant(move.deed, move);
    const place = { step: move.step, act: move.act, way: move.way, deed: deed.id, token: runner.newToken() };

    if (move.way === "back") {
      const isFirst = Object.values(act.undo).every(({ status }) => status === "pending");
      if (isFirst && definition.canUndo !== undefined) {
        const can = await looked(
          () => definition.canUndo?.(context(), whole(act.plan)) ?? Promise.resolve([]),
        );
        if ("fault" in can) return haltOn(move, halts.couldNotLook(can.fault.fault));
        const closed = halts.blocking(can.value);
        if (closed.length > 0) return haltOn(move, halts.wayBackClosed(closed));
      }
      const there = await lookAt(deed, originOf(stepOf(move.step)));
      if ("fault" in there) return haltOn(move, halts.couldNotLook(there.fault.fault));
      if (there.value === "moved") {
        if (!leftToOthers(act).some((other) => isAboutSame(other, deed)))
          return haltOn(move, halts.movedSince(deed));
        if (!(await record({ type: "deed-intended", ...place }, move))) return "overtaken";
        await recordResult(movedResult(place));
        return "on";
      }
      if (there.value === "done") {
        if (!(await record({ type: "deed-intended", ...place }, move))) return "overtaken";
        await recordResult({ type: "deed-done", ...place, facts: { already: true }, seen: "looked" });
        return "on";
      }
    } else if (
      definition.observe !== undefined &&
      watching === undefined &&
      Object.values(act.deeds).every(({ status }) => status === "pending")
    ) {
      const begun = await looked(() => definition.observe?.(context(), whole(act.plan)) ?? Promise.reject());
      if ("fault" in begun) return haltOn(move, halts.notObserved(begun.fault.fault));
      watching = { step: move.step, act: move.act, observation: begun.value };
    }

    if (!(await record({ type: "deed-intended", ...place }, move))) return "overtaken";
    // Preparing may have taken its time: from here the lease outlasts the deed.
    const lost = await hold(state.cluster, deed, definition.id);
    if (lost !== undefined) return lost;
    const done = await looked(() => doIt(deed, move));
    // Of unknown outcome: the next move is to look.
    if ("fault" in done) return "on";
    const result = done.value;
    if (result.ok) {
      await recordResult({ type: "deed-done", ...place, facts: result.facts, seen: "performed" });
      return "on";
    }
    if (result.because === "exists" || result.because === "not-found" || result.because === "conflict") {
      const there = await lookAt(deed, originOf(stepOf(move.step)));
      if ("value" in there && there.value === "done") {
        await recordResult({ type: "deed-done", ...place, facts: { already: true }, seen: "looked" });
        return "on";
      }
    }
    await recordResult({ type: "deed-refused", ...place, because: result.because, message: result.message });
    return "on";
  }

  const haltOn = async (move: Move & { step: string }, why: halts.Halt): Promise<Taken> => {
    // Looked at again unasked, and nothing new: what is told already stands.
    if (state.halted?.step === move.step && state.halted.code === why.code) return "person";
    return (await halt(move.step, why, move)) ? "on" : "overtaken";
  };

  async function look(move: Of<"look">): Promise<Taken> {
    const held = await hold(state.cluster, move.deed, move.step);
    if (held !== undefined) return held;
    const deed = meant(move.deed, move);
    const place = { step: move.step, act: move.act, way: move.way, deed: deed.id, token: move.token };
    const there = await lookAt(deed, originOf(stepOf(move.step)));
    if ("fault" in there)
      return state.ended === undefined ? haltOn(move, halts.unseen(deed, there.fault.fault)) : "ended";
    if (there.value === "moved") {
      // Nobody goes on from here: what of it was ours cannot be told from theirs, and is left to them.
      const isLeft = state.ended !== undefined || (state.back !== undefined && move.way === "forward");
      if (!isLeft) return haltOn(move, move.way === "back" ? halts.movedSince(deed) : halts.moved(deed));
      await recordResult(movedResult(place));
      await tell.note(state, `${move.step}/${move.act}/${move.way}/${deed.id}/moved`, movedNote(state, deed));
      return "on";
    }
    if (there.value === "done")
      await recordResult({ type: "deed-done", ...place, facts: { already: true }, seen: "looked" });
    else await recordResult({ type: "deed-not-done", ...place });
    if (state.halted === undefined || pendingCleanUp(state) !== undefined) return "on";
    return haltOn(move, halts.seenLater(deed, there.value === "done"));
  }

  async function plan(move: Of<"plan"> | Of<"begin-act">): Promise<Taken> {
    const step = stepOf(move.step);
    const definition = definitionOf(move.step);
    if (definition === undefined) return haltOn(move, halts.unknownStep(move.step));
    const { planned } = step;
    const isBeginning = move.do === "begin-act";
    // What changes nothing in the world was planned a moment ago and needs no second look.
    if (isBeginning && planned !== undefined && !changesWorld(planned.plan))
      return beginAct(move, step, planned.digest, planned.plan);
    const prepared = await prepareStep(definition, context());
    if ("halt" in prepared) return haltOn(move, prepared.halt);
    if ("unneeded" in prepared)
      return (await record({ type: "step-unneeded", step: step.id, because: prepared.unneeded }, move))
        ? "on"
        : "overtaken";
    const digest = planDigest(step.id, kept(prepared.plan));
    if (isBeginning && planned?.digest === digest) return beginAct(move, step, digest, kept(prepared.plan));
    const event: RunEvent = {
      type: "step-planned",
      step: step.id,
      digest,
      plan: kept(prepared.plan),
      requester: planned?.requester ?? state.operator,
      ...(planned !== undefined && {
        replaces: { digest: planned.digest, changed: [...changesBetween(planned.plan, kept(prepared.plan))] },
      }),
    };
    if (!(await record(event, move))) return "overtaken";
    await tell.note(
      state,
      `${step.id}/plan/${state.version}`,
      planNote(state, stepOf(step.id), prepared.plan),
    );
    return "on";
  }

  async function beginAct(move: Move, step: StepRun, digest: string, fresh: KeptPlan): Promise<Taken> {
    const until = clock.now() + runner.times.approvalMs;
    const act = step.acts.length + 1;
    const ok = await record({ type: "act-begun", step: step.id, act, digest, plan: fresh, until }, move);
    return ok ? "on" : "overtaken";
  }

  const observedOf = (step: StepRun, act: Act | undefined): Observed | undefined => {
    if (act === undefined) return undefined;
    if (seen?.step === step.id && seen.act === act.number) return seen.observed;
    return step.observed?.act === act.number
      ? { findings: step.observed.findings, facts: step.observed.facts, blocks: [] }
      : undefined;
  };

  async function stopWatching(): Promise<void> {
    if (watching === undefined) return;
    const { step, act, observation } = watching;
    watching = undefined;
    const stopped = await looked(() => observation.stop());
    if ("fault" in stopped) return;
    seen = { step, act, observed: stopped.value };
    const { facts, findings } = stopped.value;
    const event: RunEvent = { type: "observed", step, act, facts, findings: [...findings] };
    for (;;) {
      const next = await appendTo(ledger, state, event, clock.now());
      if (next !== undefined) {
        state = next;
        break;
      }
      state = await mustRead();
    }
    const { pictures } = stopped.value;
    const note = observedNote(state, stepOf(step), stopped.value);
    await tell.note(state, `${step}/observed/${act}`, note, [], pictures);
  }

  async function verify(move: Of<"verify">): Promise<Taken> {
    const step = stepOf(move.step);
    const definition = definitionOf(move.step);
    const act = currentAct(step);
    const judgedPlan = act?.plan ?? step.planned?.plan;
    if (definition === undefined || judgedPlan === undefined)
      return haltOn(move, halts.unknownStep(move.step));
    const judge = () => looked(() => definition.verify(context(), whole(judgedPlan), observedOf(step, act)));
    // While what was done is judged nobody else acts on the cluster, whatever people ask for meanwhile.
    const isActing = standingActs(step).length > 0;
    const held = isActing ? await holdFor(state.cluster, runner.times.kubeMs, step.id) : undefined;
    if (held !== undefined) return held;
    const result = isActing ? await clusterLease.keeping(state.cluster, step.id, judge) : await judge();
    if ("fault" in result) return haltOn(move, halts.couldNotLook(result.fault.fault));
    const said = judgedVerified(step, result.value, clock.now());
    const outcome =
      "code" in said ? await haltOn(move, said) : (await record(said, move)) ? "on" : "overtaken";
    if (outcome === "on" && result.value.outcome !== "waiting")
      await tell.note(
        state,
        `${step.id}/verified/${state.version}`,
        verifiedNote(state, stepOf(step.id), result.value),
      );
    return outcome;
  }

  async function verifyUndone(move: Of<"verify-undone">): Promise<Taken> {
    const step = stepOf(move.step);
    const definition = definitionOf(move.step);
    const first = standingActs(step).at(-1);
    if (definition === undefined || first === undefined) return haltOn(move, halts.unknownStep(move.step));
    const judged = await judgedUndone(
      {
        look: (deed) => lookAt(deed, originOf(step)),
        stillChanged: (diffs) => looked(() => stillChanged(runner.ports.read, diffs, signal)),
      },
      step,
      clock.now(),
    );
    const own = "code" in judged || judged.type !== "step-undone" ? undefined : definition.verifyUndone;
    const seen = own && (await looked(() => own(context(), whole(first.plan))));
    if (seen !== undefined && "fault" in seen) return haltOn(move, halts.couldNotLook(seen.fault.fault));
    const came = seen === undefined ? judged : judgedByStep(step.id, seen.value);
    if ("code" in came) return haltOn(move, came);
    return (await record(came, move)) ? "on" : "overtaken";
  }

  async function take(move: Move): Promise<Taken> {
    switch (move.do) {
      case "nothing":
        return "ended";
      case "wait-for-person":
        return "person";
      case "wait-for-time":
        return "time";
      case "begin-step":
        return (await record({ type: "step-begun", step: move.step }, move)) ? "on" : "overtaken";
      case "plan":
      case "begin-act":
        return plan(move);
      case "ask": {
        const { planned } = stepOf(move.step);
        if (planned === undefined) return "overtaken";
        const { digest, requester } = planned;
        const until = clock.now() + runner.times.approvalMs;
        const ok = await record({ type: "approval-asked", step: move.step, digest, requester, until }, move);
        return ok ? "on" : "overtaken";
      }
      case "lapse": {
        const digest = stepOf(move.step).planned?.digest ?? "";
        return (await record({ type: "approval-lapsed", step: move.step, digest }, move))
          ? "on"
          : "overtaken";
      }
      case "perform":
        return perform(move);
      case "look":
        return look(move);
      case "tell-refused": {
        const act = stepOf(move.step).acts.find((one) => one.number === move.act);
        const all = Object.values((move.way === "forward" ? act?.deeds : act?.undo) ?? {});
        const before = all.filter(({ status }) => status === "done").length;
        return haltOn(move, halts.refused(move.deed, move.refusal, { before, of: all.length }));
      }
      case "tell-late":
        return haltOn(move, halts.late);
      case "verify":
        return verify(move);
      case "verify-undone":
        return verifyUndone(move);
      case "arrive":
        return (await record({ type: "went-back", to: state.back?.to ?? null }, move)) ? "on" : "overtaken";
      case "end":
        return (await record({ type: "aborted", by: state.aborting?.by ?? state.operator }, move))
          ? "on"
          : "overtaken";
      case "finish":
        return (await record({ type: "finished" }, move)) ? "on" : "overtaken";
    }
  }

  /** What nobody foresaw stops the run where it stands, so that its message does not say it is at work for ever. */
  async function haltOnFault(move: Move, error: unknown): Promise<void> {
    if (!("step" in move) || state.ended !== undefined) return;
    try {
      const now = await mustRead();
      const isTold = now.halted?.step === move.step && now.halted.code === "fault";
      if (isTold || now.ended !== undefined) return;
      state = now;
      const event = halts.haltEvent(move.step, halts.fault(error));
      const next = await appendTo(ledger, state, event, clock.now());
      if (next === undefined) return;
      state = next;
      await tell.state(state);
    } catch {
      // Told by whoever gets the error itself.
    }
  }

  async function takeOrHalt(move: Move): Promise<Taken> {
    try {
      return await take(move);
    } catch (error) {
      if (!(error instanceof FaultError)) await haltOnFault(move, error);
      throw error;
    }
  }

  try {
    for (;;) {
      const move = nextMove(state, clock.now());
      const isDoing = move.do === "perform" || move.do === "look";
      if (!isDoing) await stopWatching();
      const isJudging = move.do === "verify" && standingActs(stepOf(move.step)).length > 0;
      if (!isDoing && !isJudging) await clusterLease.release();
      const outcome = signal.aborted
        ? "cancelled"
        : await takeOrHalt(isDoing ? move : nextMove(state, clock.now()));
      if (outcome === "on") continue;
      if (typeof outcome === "object") return { state, stopped: "busy", held: outcome };
      // Whoever stopped the run may not be there to take away what must not stay.
      if (outcome === "overtaken" && (state.held !== undefined || state.aborting !== undefined)) continue;
      if (outcome !== "cancelled" && !mayStop()) {
        state = await mustRead();
        continue;
      }
      return { state, stopped: outcome };
    }
  } finally {
    await watching?.observation.stop().catch(() => {});
    await clusterLease.release().catch(() => {});
  }
}

/**
 * Drives a run until a person or time is needed. Every transition is one append to its stream; a deed is written down
 * before it is begun and what came of it after. Throws FaultError when the ledger cannot be used.
 */
export async function advance(runner: Runner, id: string, asker: Asker): Promise<Advanced> {
  const since = runner.clock.now();
  const driven = await driveAlone(runner.ledger, id, { by: asker.by, since }, (mayStop) =>
    drive(runner, id, asker, mayStop),
  );
  if (driven !== undefined) return driven;
  const state = await readRun(runner.ledger, id);
  if (state === undefined)
    throw new FaultError({ kind: "unreadable", what: `run/${id}`, detail: "the ledger has no such run" });
  return { state, stopped: "busy" };
}
