import { planReply, planStage } from "#shared/drift/plan-reply.ts";
import { type PlanState, readPlan } from "#shared/drift/plan-stream.ts";
import { FaultError } from "#shared/fault.ts";
import { text } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";
import { approversOf, refTo } from "../runs/run-people.ts";
import { whyCannotApply } from "./plan-desk.ts";

export const tendPlansEveryMs = 60_000;

/** Plans that nobody touched for so long are left as they were told, and looked at once an hour. */
const recentMs = 86_400_000;
const restMs = 3_600_000;

const lastAt = ({ plannedAt, request, approvals, begun, refused, ended }: PlanState): number =>
  Math.max(
    plannedAt,
    request?.at ?? 0,
    begun?.at ?? 0,
    refused?.at ?? 0,
    ended?.at ?? 0,
    ...approvals.map(({ at }) => at),
  );

/** A writer of whose work nothing was heard for so long is asked again; one that still works says so. */
const quietMs = 120_000;
/** Between one asking and the next; then a person has to. */
const patience: readonly number[] = [0, 180_000, 300_000, 600_000, 900_000];

type Asked = { times: number; notBefore: number; open: boolean };

/** Approved and not begun, or begun without a known end: it may have been killed, and its approval still counts. */
const isUnsettled = (state: PlanState, now: number): boolean =>
  state.ended === undefined
    ? ["approved", "at-work"].includes(planStage(state, now))
    : state.ended.state === "unknown";

/**
 * Edits the messages of plans to what became of them while nobody asked: a writer that ended after the bot was told
 * nothing, a request that ran out, a bot that was restarted meanwhile. Of what was approved and has no known end it asks
 * the writer again, a few times: the writer looks first, judges the approval anew and does nothing twice.
 */
export function createPlanTender(
  deps: Deps,
  log: (entry: Readonly<Record<string, unknown>>) => void,
  /** Asks for a scan, so that reports say soon what a plan has resolved. */
  rescan?: () => Promise<void>,
): Readonly<{ once: () => Promise<void> }> {
  const told = new Map<string, string>();
  const resting = new Map<string, number>();
  const heard = new Map<string, Readonly<{ version: number; at: number }>>();
  const asked = new Map<string, Asked>();
  const startedAt = deps.clock.now();

  async function ask(id: string, mine: Asked): Promise<void> {
    try {
      await deps.applyPlan?.(id);
    } catch (error) {
      log({
        level: "warn",
        msg: "the writer gave no answer",
        plan: id,
        times: mine.times,
        error: String(error),
      });
    } finally {
      mine.open = false;
      mine.notBefore = deps.clock.now() + (patience[mine.times] ?? 0);
    }
  }

  /** Says whether all patience is used up. */
  function askAgain(id: string, state: PlanState, now: number): boolean {
    const last = heard.get(id);
    if (last?.version !== state.version) heard.set(id, { version: state.version, at: now });
    if (!isUnsettled(state, now)) {
      asked.delete(id);
      return false;
    }
    if (deps.applyPlan === undefined) return false;
    const mine = asked.get(id) ?? { times: 0, notBefore: 0, open: false };
    asked.set(id, mine);
    const quietSince = last?.version === state.version ? last.at : now;
    if (mine.open || now - quietSince < quietMs || now < mine.notBefore) return false;
    if (mine.times >= patience.length) return true;
    mine.open = true;
    mine.times += 1;
    void ask(id, mine);
    return false;
  }

  async function tend(id: string): Promise<void> {
    const { ledger, board, clock } = deps;
    if (ledger === undefined || board === undefined) return;
    const state = await readPlan(ledger, id);
    const now = clock.now();
    if (state === undefined || now - lastAt(state) > recentMs) {
      resting.set(id, now + restMs);
      return;
    }
    const stage = planStage(state, now);
    const isGivenUp = askAgain(id, state, now);
    const seen = `${state.version} ${stage}${isGivenUp ? " given up" : ""}`;
    const isKnown = told.has(id);
    if (told.get(id) === seen || stage === "made") return;
    told.set(id, seen);
    if (stage === "ended" && (state.ended?.at ?? 0) > startedAt) await rescan?.();
    // At first sight only what a restart may have left behind is told again.
    if (!isKnown && !["approved", "at-work", "expired"].includes(stage)) return;
    const cluster = state.plan.cluster ?? "";
    const cannotApply = whyCannotApply(deps);
    // What began under this bot is waited for by whoever pressed.
    if (!isKnown && stage !== "expired" && lastAt(state) > startedAt) return;
    const isOpen = !isKnown && (stage === "approved" || stage === "at-work");
    await board.put(
      `plan/${id}`,
      planReply(state, {
        now,
        ref: refTo(deps),
        approvers: approversOf(deps, cluster),
        ...(cannotApply !== undefined && { cannotApply }),
        ...(isOpen && { unanswered: text`The bot was restarted meanwhile, and asks the writer again.` }),
        ...(isGivenUp && {
          unanswered: text`The writer was asked ${patience.length} times again and has written down no end; we ask no more by ourselves.`,
        }),
      }),
    );
  }

  return {
    once: async () => {
      try {
        for (const stream of (await deps.ledger?.list("plan")) ?? []) {
          const id = stream.replace(/^plan\//, "");
          if (deps.clock.now() >= (resting.get(id) ?? 0)) await tend(id);
        }
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        log({ level: "error", msg: "plans could not be looked at", error: error.message });
      }
    },
  };
}
