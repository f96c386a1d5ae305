import type { Clock } from "../clock.ts";
import type { AskServer } from "../dns/answer.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import { recordSetKey } from "../dns/record-set.ts";
import type { SnapshotStore } from "../dns/snapshot.ts";
import type { ChangeZone, HostedZone, ReadZones } from "../dns/zones.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { lastAccepted } from "./accepted.ts";
import {
  type ApplyJudgement,
  type ApplyRules,
  affectedBy,
  type BatchOutcome,
  judgeApplication,
  judgeBatch,
  judgeOutcome,
} from "./apply-judge.ts";
import { deletes } from "./guards.ts";
import { countOwned } from "./owned-count.ts";
import { appendToPlan, type BatchProgress, type PlanEvent, type PlanState, readPlan } from "./plan-stream.ts";
import type { PlannedBatch } from "./plan-value.ts";
import { type NameServer, verifyApplied } from "./verify-applied.ts";

export type ApplyPorts = Readonly<{
  zones: ReadZones;
  change: ChangeZone;
  snapshots: Pick<SnapshotStore, "latest">;
  ledger: Ledger;
  clock: Clock;
  ask: AskServer;
  /** The zone's own name servers with their addresses; none where they cannot be asked. Throws FaultError. */
  serversOf: (zone: HostedZone) => Promise<readonly NameServer[]>;
}>;

export type ApplySettings = Readonly<{
  cluster: string;
  /** What the zones are called, by the writer's own configuration: the plan does not say where a zone ends. */
  zones: readonly Readonly<{ id: string; name: Fqdn }>[];
  rules: ApplyRules;
  /** Longest wait for INSYNC, milliseconds. */
  insyncWithinMs: number;
  /** Longer than a batch may take with all its tries; whoever was killed is relieved after that. */
  leaseMs: number;
  /** Longest that a request may be open, whatever it says itself, milliseconds. */
  longestOpenMs: number;
}>;

export type ApplyOrder = Readonly<{
  planId: string;
  /** Unique for this run, also between two deliveries of one event. */
  invocation: string;
}>;

export type ApplyReport =
  | Readonly<{ state: "no-plan" | "refused" | "busy"; because: string; text: string }>
  | Readonly<{
      state: "applied" | "partly" | "nothing" | "unknown";
      text: string;
      batches: readonly BatchProgress[];
      verified: NonNullable<PlanState["ended"]>["verified"];
      /** It was so before this run: nothing was done now. */
      before: boolean;
    }>;

/** Somebody else wrote to the plan's stream or took the lease: this run stops where it stands. */
class Relieved extends Error {
  override readonly name = "RelievedError";
}

const told = (state: PlanState, before: boolean): ApplyReport | undefined =>
  state.ended && {
    state: state.ended.state,
    text: state.ended.text,
    batches: state.batches,
    verified: state.ended.verified,
    before,
  };

/** What nobody knows is looked up again by every further run; all else that ended has ended. */
const isOver = ({ ended }: PlanState): boolean => ended !== undefined && ended.state !== "unknown";

const landed = (progress: BatchProgress): boolean =>
  typeof progress === "object" && (progress.state === "applied" || progress.state === "done-before");

/** Sent, perhaps: the zone says whether it landed. */
const isOpen = (progress: BatchProgress): boolean =>
  progress === "intended" || (typeof progress === "object" && progress.state === "unknown");

const finalOutcome = (progress: BatchProgress): BatchOutcome =>
  progress === "untried" || progress === "intended" ? { state: "not-tried" } : progress;

/** Kinds that say that nothing was sent, or that it was refused as a whole. */
const surelyNot: readonly Fault["kind"][] = ["denied", "not-configured", "not-modelled"];

const sendTries = 3;
const writeTries = 5;
const settleMs = 5_000;
const pollMs = 5_000;

type Work = Readonly<{
  ports: ApplyPorts;
  settings: ApplySettings;
  order: ApplyOrder;
  /** Renews the lease; throws when it is somebody else's by now. */
  hold: () => Promise<void>;
  /** Renews it again and again while something is read that may take longer than it lasts, and once more after that. */
  holding: <T>(read: () => Promise<T>) => Promise<T>;
  /** Appends to the plan's stream; throws when another run took the plan over. */
  write: (event: PlanEvent) => Promise<void>;
  state: () => PlanState;
}>;

async function judgeNow({ ports, settings, state, holding }: Work): Promise<ApplyJudgement> {
  const { plan, request, approvals, batches } = state();
  if (request === undefined)
    return { ok: false, because: "not-approved", text: "nobody asks for this plan; nothing was changed" };
  const own = settings.zones.find(({ id }) => id === plan.zone.id);
  if (own !== undefined && own.name !== plan.zone.name)
    return {
      ok: false,
      because: "zone-not-allowed",
      text: `zone ${own.id} is ${own.name} to this writer, and ${plan.zone.name} in the plan; nothing was changed`,
    };
  const gone = deletes(plan.batches.flatMap(({ changes }) => changes));
  // What this plan deleted before counts as it did then.
  const before = deletes(
    plan.batches.flatMap(({ changes }, i) => (landed(batches[i] ?? "untried") ? changes : [])),
  );
  const isKnown = settings.rules.zoneIds.includes(plan.zone.id);
  const writes = plan.batches.some(({ changes }) => changes.some(({ before: was }) => was === undefined));
  const standing =
    isKnown && (gone.length > 0 || writes)
      ? await holding(() => ports.zones.recordSets(plan.zone.id))
      : undefined;
  const now = standing === undefined ? { records: 0, txts: 0 } : countOwned(standing, settings.rules);
  const txts = before.filter(({ type }) => type === "TXT").length;
  const snapshot = await holding(() => ports.snapshots.latest(settings.cluster));
  const accepted = await lastAccepted(ports.ledger, settings.cluster);
  return judgeApplication(
    {
      plan,
      digest: request.digest,
      requester: request.requester,
      until: Math.min(request.until, request.at + settings.longestOpenMs),
      approvals,
      owned: { records: now.records + before.length - txts, txts: now.txts + txts },
      snapshot,
      ...(accepted && { lastAccepted: accepted.endpoints }),
      ...(standing && { standing }),
      now: ports.clock.now(),
    },
    settings.rules,
  );
}

async function lookAt(work: Work, batch: PlannedBatch) {
  const { plan } = work.state();
  return judgeBatch(
    batch,
    await work.holding(() => work.ports.zones.lookUp(plan.zone.id, affectedBy(batch))),
  );
}

type Looked = Awaited<ReturnType<typeof lookAt>>;

const movedOutcome = (judged: Extract<Looked, { state: "moved" }>): BatchOutcome => ({
  state: "moved",
  records: judged.moved.map(({ id }) => recordSetKey(id).trim()),
});

const unknownOutcome = (fault: Fault): BatchOutcome => ({
  state: "unknown",
  detail: `${fault.what}: ${fault.detail}`,
});

/** Sends one batch and says what came of it. After a lost answer the zone is asked, not memory. */
async function send(work: Work, batch: PlannedBatch, index: number): Promise<BatchOutcome> {
  const { ports, order, state, hold } = work;
  const { plan, id } = state();
  let last: Fault | undefined;
  for (let attempt = 0; attempt < sendTries; attempt++) {
    await hold();
    try {
      const result = await ports.change(
        plan.zone.id,
        batch.changes.map(({ action, set }) => ({ action, set })),
        `arpeggio ${id} batch ${index + 1} of ${plan.batches.length}, run ${order.invocation}`,
      );
      if (result.ok)
        return { state: "applied", changeId: result.changeId, insync: result.status === "INSYNC" };
      // A first sending whose answer was lost makes the second a refusal.
      const judged = last === undefined ? undefined : await lookAt(work, batch);
      return judged?.state === "done"
        ? { state: "done-before" }
        : { state: "refused", messages: result.messages };
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      last = error.fault;
      if (surelyNot.includes(last.kind))
        return { state: "refused", messages: [`${last.what}: ${last.detail}`] };
      await ports.clock.sleep(settleMs);
      await hold();
      const judged = await lookAt(work, batch);
      if (judged.state === "done") return { state: "done-before" };
      if (judged.state === "moved") return movedOutcome(judged);
    }
  }
  return unknownOutcome(last ?? { kind: "timed-out", what: "batch", detail: "no answer" });
}

async function applyBatch(
  work: Work,
  batch: PlannedBatch,
  index: number,
  maySend: boolean,
): Promise<BatchOutcome> {
  const { write, order } = work;
  try {
    const judged = await lookAt(work, batch);
    if (judged.state === "done") return { state: "done-before" };
    if (judged.state === "moved") return movedOutcome(judged);
    if (!maySend) return { state: "not-tried" };
    await write({ type: "batch-intended", batch: index, invocation: order.invocation });
    if (work.state().request === undefined) return { state: "not-tried" };
    return await send(work, batch, index);
  } catch (error) {
    if (error instanceof FaultError) return unknownOutcome(error.fault);
    throw error;
  }
}

/** Batches in their order; nothing is tried after one that did not land. */
async function applyBatches(work: Work, maySend: boolean): Promise<void> {
  const { state, write, hold } = work;
  for (const [index, batch] of state().plan.batches.entries()) {
    const progress = state().batches[index] ?? "untried";
    if (landed(progress)) continue;
    if (!maySend && !isOpen(progress)) return;
    await hold();
    const outcome = await applyBatch(work, batch, index, maySend);
    await write({ type: "batch-ended", batch: index, outcome });
    if (!landed(outcome)) return;
  }
}

/** Waits until Route 53 says that every name server has it, and writes that down. */
async function waitInsync(work: Work): Promise<void> {
  const { ports, settings, state, write, hold } = work;
  const until = ports.clock.now() + settings.insyncWithinMs;
  for (const [batch, outcome] of state().batches.entries()) {
    if (typeof outcome !== "object" || outcome.state !== "applied" || outcome.insync) continue;
    while (ports.clock.now() < until) {
      await hold();
      try {
        if ((await ports.zones.change(outcome.changeId)) === "INSYNC") {
          await write({ type: "batch-ended", batch, outcome: { ...outcome, insync: true } });
          break;
        }
      } catch (error) {
        // Nobody could look: it stays "not yet", and is asked again.
        if (!(error instanceof FaultError)) throw error;
      }
      await ports.clock.sleep(pollMs);
    }
  }
}

async function verify(
  work: Work,
): Promise<Readonly<{ verified: NonNullable<PlanState["ended"]>["verified"]; note: string }>> {
  const { ports, settings, state, hold, holding } = work;
  const { plan, batches } = state();
  const done = plan.batches.filter((_, i) => landed(batches[i] ?? "untried"));
  if (done.length === 0) return { verified: [], note: "" };
  await hold();
  try {
    const zone = await ports.zones.zone(plan.zone.id);
    if (zone.private) return { verified: [], note: "; a private zone has no name servers to ask" };
    const servers = await holding(() => ports.serversOf(zone));
    const look = () => holding(() => verifyApplied(done, servers, ports.ask));
    let { verified, notAsked } = await look();
    // A change whose answer was lost has no id to ask Route 53 by: its name servers are asked until they have it.
    const isLost = batches.some((each) => typeof each === "object" && each.state === "done-before");
    const until = ports.clock.now() + settings.insyncWithinMs;
    while (isLost && verified.some(({ ok }) => !ok) && ports.clock.now() < until) {
      await ports.clock.sleep(pollMs);
      ({ verified, notAsked } = await look());
    }
    const bad = verified.filter(({ ok }) => !ok).length;
    const left = notAsked === 0 ? "" : `; ${notAsked} record sets were not asked for`;
    return verified.length === 0
      ? { verified: [], note: "; its name servers were not asked" }
      : {
          verified: verified.map((each) => ({ ...each })),
          note: `${bad === 0 ? `; its name servers say so for ${verified.length} record sets` : `; its name servers say otherwise for ${bad} of ${verified.length} record sets`}${left}`,
        };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { verified: [], note: `; its name servers could not be asked: ${error.fault.detail}` };
  }
}

async function carryOut(work: Work): Promise<ApplyReport> {
  const { state, write, order } = work;
  const hadBegun = state().begun !== undefined;
  // What a killed run may have sent is settled first: what it deleted was ours.
  if (hadBegun) await applyBatches(work, false);
  const judged = await judgeNow(work);
  if (!judged.ok && !hadBegun) {
    const { refused } = state();
    if (refused?.because !== judged.because)
      await write({ type: "refused", because: judged.because, text: judged.text });
    return { state: "refused", because: judged.because, text: judged.text };
  }
  if (judged.ok) await write({ type: "began", invocation: order.invocation, approver: judged.approver });
  // Nothing more is sent on an approval that no longer counts.
  if (judged.ok) await applyBatches(work, true);
  await waitInsync(work);
  const { verified, note } = await verify(work);
  const result = judgeOutcome(state().batches.map(finalOutcome));
  const halted = judged.ok || result.state === "applied" ? "" : `; it was not carried on: ${judged.text}`;
  await write({
    type: "ended",
    state: result.state,
    text: `${result.text}${halted}${note}`,
    verified: [...verified],
  });
  return told(state(), false) as ApplyReport;
}

/** Settles as `read` does; rejects at once when `hold` says that the lease is lost, for good. */
async function whileHolding<T>(
  clock: Clock,
  hold: () => Promise<void>,
  everyMs: number,
  read: () => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const renew = async (): Promise<never> => {
    for (;;) {
      await clock.sleep(everyMs, ended.signal);
      // Nobody waits for it any more.
      if (ended.signal.aborted) return new Promise<never>(() => {});
      try {
        await hold();
      } catch (error) {
        // A ledger that does not answer is asked again; before anything is done it has to.
        if (!(error instanceof FaultError)) throw error;
      }
    }
  };
  try {
    const value = await Promise.race([read(), renew()]);
    await hold();
    return value;
  } finally {
    ended.abort();
  }
}

const busy = (text: string): ApplyReport => ({ state: "busy", because: "busy", text });

/**
 * Carries out one approved plan. Everything it does is in the plan's stream before it is done and after, so that a run
 * that was killed anywhere is taken up by the next one: a batch that may have been sent is looked up in the zone, never
 * sent on a guess. One run at a time works on a zone; others get what is known. Throws FaultError only where ledger,
 * zone or snapshot could not be read before anything was done.
 */
export async function applyPlan(
  ports: ApplyPorts,
  settings: ApplySettings,
  order: ApplyOrder,
): Promise<ApplyReport> {
  const { ledger } = ports;
  const first = await readPlan(ledger, order.planId);
  if (first === undefined)
    return { state: "no-plan", because: "no-plan", text: `there is no plan ${order.planId}` };
  const known = isOver(first) ? told(first, true) : undefined;
  if (known !== undefined) return known;
  const leaseName = `dns-apply/${first.plan.zone.id}`;
  const lease = await ledger.lease(leaseName, order.invocation, settings.leaseMs);
  if (!lease.ok)
    return busy(
      `another run works on ${first.plan.zone.name} until ${new Date(lease.held.until).toISOString().slice(11, 16)} UTC at most`,
    );
  let state = first;
  const read = async (): Promise<void> => {
    const next = await readPlan(ledger, order.planId);
    if (next !== undefined) state = next;
  };
  const hold = async (): Promise<void> => {
    const held = await ledger.lease(leaseName, order.invocation, settings.leaseMs);
    if (!held.ok || held.lease.token !== lease.lease.token)
      throw new Relieved("the lease went to another run");
  };
  const work: Work = {
    ports,
    settings,
    order,
    state: () => state,
    hold,
    holding: (read) => whileHolding(ports.clock, hold, settings.leaseMs / 3, read),
    write: async (event) => {
      const mine = state.begun?.invocation;
      for (let attempt = 0; attempt < writeTries; attempt++) {
        const done = await appendToPlan(ledger, state, event);
        await read();
        if (done) return;
        // A further approval or a withdrawal came in between; what was done is written down all the same.
        if (state.begun?.invocation !== mine) throw new Relieved("another run took the plan over");
      }
      throw new Relieved("others kept writing to the plan");
    },
  };
  try {
    // What happened before the lease was taken counts.
    await read();
    return (isOver(state) ? told(state, true) : undefined) ?? (await carryOut(work));
  } catch (error) {
    if (error instanceof Relieved) return busy(error.message);
    throw error;
  } finally {
    await ledger.release(leaseName, lease.lease.token);
  }
}
