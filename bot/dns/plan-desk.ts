import { lookAtCluster } from "#shared/drift/look.ts";
import { planAgain } from "#shared/drift/plan-digest.ts";
import { planReply, planStage } from "#shared/drift/plan-reply.ts";
import {
  appendToPlan,
  keepPlan,
  type PlanEvent,
  type PlanState,
  planId,
  readPlan,
} from "#shared/drift/plan-stream.ts";
import type { Plan } from "#shared/drift/plan-value.ts";
import { undoPlan } from "#shared/drift/undo-plan.ts";
import { FaultError } from "#shared/fault.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { judgeApproval } from "#shared/policy/approval.ts";
import type { Reply } from "#shared/reply.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { code, person, type Text, text } from "#shared/text.ts";
import type { ClusterPorts, Context } from "../commands/command.ts";
import { approversOf, refTo } from "../runs/run-people.ts";
import { isReply, noZones } from "./dns-words.ts";

/** What every verb about one plan works with, for one caller and one cluster. */
export type PlanDesk = Readonly<{
  context: Context<unknown>;
  cluster: ClusterPorts;
  name: string;
  ledger: Ledger;
  by: string;
  /** Why nothing can be applied from here, where that is so. */
  cannotApply: string | undefined;
  find: (id: string) => Promise<PlanState | Reply>;
  /** Tells the plan where it stands: on the board where there is one, else in the answer. */
  tell: (state: PlanState, unanswered?: Text) => Promise<Reply>;
}>;

const bare = (cluster: string, reply: Pick<Reply, "verdict"> & Partial<Reply>): Reply => ({
  cluster,
  findings: [],
  blocks: [],
  actions: [],
  ...reply,
});

export const refused = (cluster: string, because: Text, next: readonly Text[]): Reply =>
  bare(cluster, {
    verdict: { word: "Refused", outcome: "denied", text: text`${because}. Nothing was changed.` },
    next,
  });

/** Rows of a plan beyond which its thread gets it as a file as well. */
const manyRows = 20;

/** Why this bot has nobody to carry a plan out, as the rest of a sentence. */
export const whyCannotApply = ({ applyPlan }: Context<unknown>["deps"]): string | undefined =>
  applyPlan === undefined
    ? "aws.applyFunction is not configured, and only that function may write to Route 53"
    : undefined;

export function openPlanDesk(context: Context<unknown>): PlanDesk | Reply {
  const { deps, cluster, caller } = context;
  if (cluster === undefined) throw new Error("a plan for a zone needs a cluster");
  const { name } = cluster.config;
  const { ledger, board } = deps;
  if (cluster.config.dns === undefined || cluster.zones === undefined) return noZones(cluster.config);
  if (ledger === undefined)
    return bare(name, {
      verdict: {
        word: "UNKNOWN",
        outcome: "unknown",
        text: text`plans are kept by the bot, and there is no ledger here`,
      },
      next: [text`Ask where the bot is: ${code("/dns plan")} in Slack`],
    });
  const cannotApply = whyCannotApply(deps);
  const tell = async (state: PlanState, unanswered?: Text): Promise<Reply> => {
    const reply = planReply(state, {
      now: deps.clock.now(),
      ref: refTo(deps),
      approvers: approversOf(deps, name),
      ...(cannotApply !== undefined && { cannotApply }),
      ...(unanswered !== undefined && { unanswered }),
    });
    if (board === undefined) return { ...reply, cluster: name };
    const key = `plan/${state.id}`;
    await board.put(
      key,
      { ...reply, cluster: name },
      caller.channel === undefined ? undefined : { channel: caller.channel },
    );
    const { items, withheld } = state.plan;
    if (items.length + withheld.length > manyRows)
      await board.note(
        key,
        `whole/${state.plan.digest}`,
        bare(name, {
          verdict: { word: "PLAN", outcome: "info", text: text`${state.id}, whole, as it is approved` },
        }),
        [{ name: `${state.id}.json`, text: `${JSON.stringify(state.plan, null, 2)}\n` }],
      );
    // A channel has the standing message to look at again; a screen has scrolled on.
    const blocks = caller.door === "console" ? reply.blocks : [];
    return { ...reply, cluster: name, blocks, actions: [] };
  };
  return {
    context,
    cluster,
    name,
    ledger,
    by: caller.person?.name ?? caller.account,
    cannotApply,
    tell,
    find: async (id) => {
      const state = await readPlan(ledger, id);
      if (state !== undefined && (state.plan.cluster ?? name) === name) return state;
      return bare(name, {
        verdict: {
          word: "Not understood",
          outcome: "usage",
          text: text`there is no plan ${code(id)} on ${name}`,
        },
        next: [text`A fresh plan: ${code("/dns plan")}`],
      });
    },
  };
}

/** Judges the newest state and appends what follows, again when somebody else wrote meanwhile. */
async function append(
  { ledger }: PlanDesk,
  id: string,
  decide: (state: PlanState) => PlanEvent | Reply | undefined,
): Promise<PlanState | Reply> {
  for (;;) {
    const state = await readPlan(ledger, id);
    if (state === undefined)
      throw new FaultError({ kind: "unreadable", what: `plan/${id}`, detail: "the ledger has no such plan" });
    const event = decide(state);
    if (event === undefined) return state;
    if (isReply(event)) return event;
    if (await appendToPlan(ledger, state, event)) return (await readPlan(ledger, id)) ?? state;
  }
}

/** Keeps a plan, as the next of its kind where the one before is over. */
async function keepOpen(desk: PlanDesk, plan: Plan): Promise<PlanState> {
  const { clock } = desk.context.deps;
  for (let next = plan; ; next = planAgain(next)) {
    const kept = await keepPlan(desk.ledger, next);
    const stage = planStage(kept, clock.now());
    if (stage === "made" || stage === "waiting" || stage === "approved" || stage === "at-work") return kept;
  }
}

/** Keeps a plan and asks for its approval, unless that is asked for already or it is at work. */
export async function requestPlan(desk: PlanDesk, plan: Plan): Promise<Reply> {
  const { deps } = desk.context;
  const { openSeconds } = (desk.cluster.config.migration ?? defaultMigration).approvals;
  const kept = await keepOpen(desk, plan);
  const state = await append(desk, kept.id, (now): PlanEvent | undefined => {
    const at = deps.clock.now();
    const stage = planStage(now, at);
    if (stage === "waiting" || stage === "approved" || stage === "at-work") return undefined;
    return {
      type: "requested",
      digest: kept.plan.digest,
      requester: desk.by,
      until: at + openSeconds * 1_000,
    };
  });
  return isReply(state) ? state : desk.tell(state);
}

const terminalRefusal = (name: string): Reply =>
  refused(name, text`changes of a real zone are approved in Slack, where others see it`, [
    text`In Slack: ${code("/dns apply P-ID")}`,
  ]);

/** What the cluster wants has to be what the plan rests on, and the writer has to find that written down. */
async function freshSnapshot(desk: PlanDesk, plan: Plan): Promise<Reply | undefined> {
  const { deps, signal } = desk.context;
  const { snapshot } = await lookAtCluster({ read: desk.cluster.read, clock: deps.clock }, desk.name, signal);
  if (snapshot.hash === plan.snapshot.hash) {
    await deps.snapshots?.put(snapshot);
    return undefined;
  }
  const [fault] = snapshot.faults;
  return refused(
    desk.name,
    fault === undefined
      ? text`the cluster wants something else now than when ${planId(plan)} was made`
      : text`what the cluster wants could not be read whole (${fault.source}: ${fault.detail})`,
    [text`A fresh plan: ${code(`/dns plan ${plan.zone.name}`)}`],
  );
}

/** Approves a plan somebody else asked for and has the writer carry it out. Every refusal has its own sentence. */
export async function approveAndApply(
  desk: PlanDesk,
  id: string,
  digest: string | undefined,
): Promise<Reply> {
  const { deps, caller, show } = desk.context;
  const { approvals } = desk.cluster.config.migration ?? defaultMigration;
  const found = await desk.find(id);
  if (isReply(found)) return found;
  if (desk.cannotApply !== undefined || deps.applyPlan === undefined)
    return refused(desk.name, text`we cannot apply ${id}: ${desk.cannotApply ?? ""}`, [
      text`Drift is still told: ${code(`/dns check ${found.plan.zone.name}`)}`,
    ]);
  if (caller.door !== "slack" && !approvals.local) return terminalRefusal(desk.name);
  const before = planStage(found, deps.clock.now());
  const isOver = found.ended !== undefined && found.ended.state !== "unknown";
  // Of what was approved and has no known end the writer is asked again: it looks first and does nothing twice.
  const isAgain = before === "approved" || before === "at-work" || found.ended?.state === "unknown";
  if (!isAgain && !isOver && before !== "refused" && before !== "expired") {
    const moved = await freshSnapshot(desk, found.plan);
    if (moved !== undefined) return moved;
  }
  const approved = await append(desk, id, (state) => decideApproval(desk, state, digest));
  if (isReply(approved)) return approved;
  show({ ...(await desk.tell(approved)), actions: [] });
  let unanswered: Text | undefined;
  try {
    const answer = await deps.applyPlan(id);
    unanswered = answerWords(answer);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    unanswered = text`The writer gave no answer (${error.fault.kind}: ${error.fault.detail}).`;
  }
  const after = (await readPlan(desk.ledger, id)) ?? approved;
  const stage = planStage(after, deps.clock.now());
  return desk.tell(after, stage === "ended" || stage === "refused" ? undefined : unanswered);
}

/** What the function said, where the ledger has no end to tell. */
function answerWords(answer: unknown): Text {
  const said = answer as { state?: unknown; text?: unknown } | null;
  return typeof said?.text === "string"
    ? text`The writer said: ${said.text}.`
    : text`The writer ended without a word.`;
}

function decideApproval(
  desk: PlanDesk,
  state: PlanState,
  digest: string | undefined,
): PlanEvent | Reply | undefined {
  const { deps, caller } = desk.context;
  const { plan, request, approvals, ended, id } = state;
  const now = deps.clock.now();
  const stage = planStage(state, now);
  const again = text`A fresh plan: ${code(`/dns plan ${plan.zone.name}`)}`;
  if (ended !== undefined && ended.state !== "unknown")
    return refused(desk.name, text`${id} has ended: ${ended.text}`, [
      text`What it did: ${code(`/dns plan ${id}`)}`,
      again,
    ]);
  if (stage === "refused")
    return refused(desk.name, text`the writer refused ${id}: ${state.refused?.text ?? ""}`, [again]);
  // A digest typed by hand is its beginning; a button carries it whole.
  const meant = digest === undefined || plan.digest.startsWith(digest) ? plan.digest : digest;
  const approval = approvals.find((each) => each.digest === request?.digest);
  // Typed without a digest it asks the writer again about what was approved; a second press of the button does not.
  const isOpen = stage === "approved" || stage === "at-work" || ended?.state === "unknown";
  if (digest === undefined && approval !== undefined && isOpen) return undefined;
  const judged = judgeApproval(
    request === undefined
      ? undefined
      : {
          subject: `plan ${id}`,
          digest: request.digest,
          requester: request.requester,
          askedAt: request.at,
          until: request.until,
        },
    approval,
    { by: desk.by, isApprover: caller.roles.includes("approver"), digest: meant, at: now },
    // Always two people: the writer takes no other.
    { approvals: "others" },
    approversOf(deps, desk.name),
  );
  return judged.ok
    ? { type: "approved", digest: plan.digest, by: desk.by }
    : refused(desk.name, judged.text, [
        judged.because === "duplicate" ? text`Where it stands: ${code(`/dns plan ${id}`)}` : again,
      ]);
}

/** Takes the request back; what has begun is not stopped by it. */
export async function withdraw(desk: PlanDesk, id: string): Promise<Reply> {
  const found = await desk.find(id);
  if (isReply(found)) return found;
  const { clock } = desk.context.deps;
  const state = await append(desk, id, (now): PlanEvent | Reply | undefined => {
    const stage = planStage(now, clock.now());
    if (stage === "at-work")
      return refused(
        desk.name,
        text`${id} is at work since ${new Date(now.begun?.at ?? 0).toISOString().slice(11, 16)} UTC and is not stopped half way`,
        [text`Where it stands: ${code(`/dns plan ${id}`)}`],
      );
    if (stage === "ended")
      return refused(desk.name, text`${id} has ended; there is nothing to withdraw`, [
        text`Take it back: ${code(`/dns undo ${id}`)}`,
      ]);
    return stage === "made" || stage === "withdrawn" ? undefined : { type: "withdrawn", by: desk.by };
  });
  if (isReply(state)) return state;
  const reply = await desk.tell(state);
  return {
    ...reply,
    blocks: [],
    why: text`${reply.why ?? []} Withdrawn by ${person(refTo(desk.context.deps)(desk.by))}.`,
  };
}

/** The way back of an applied plan, as a plan that waits for approval like any other. */
export async function planUndo(desk: PlanDesk, id: string): Promise<Reply> {
  const { deps, signal } = desk.context;
  const found = await desk.find(id);
  if (isReply(found)) return found;
  const stage = planStage(found, deps.clock.now());
  if (stage === "at-work")
    return refused(desk.name, text`${id} is still at work; what it did is not known whole`, [
      text`Where it stands: ${code(`/dns plan ${id}`)}`,
    ]);
  const { snapshot } = await lookAtCluster({ read: desk.cluster.read, clock: deps.clock }, desk.name, signal);
  const plan = undoPlan(found, { hash: snapshot.hash, takenAt: snapshot.takenAt }, deps.clock.now());
  if (plan === undefined)
    return refused(desk.name, text`nothing of ${id} is in the zone, so there is nothing to take back`, [
      text`Where it stands: ${code(`/dns plan ${id}`)}`,
    ]);
  await deps.snapshots?.put(snapshot);
  return requestPlan(desk, plan);
}
