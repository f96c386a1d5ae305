import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import type { Ledger, LedgerEvent, NewEvent } from "../ledger/ledger.ts";
import { once } from "../once.ts";
import type { Plan } from "./plan-value.ts";
import { planJson, storedPlan } from "./stored-plan.ts";

/**
 * The life of one plan for a zone, stream `plan/ID`: made and asked for by the bot, approved by somebody else, carried
 * out by the writer. Both sides read and append; the fold says what is true.
 */
export const planStream = (id: string): string => `plan/${id}`;

/** `P-5d02a1c3`: the same plan has the same id, whoever makes it. */
export const planId = ({ digest }: Pick<Plan, "digest">): string => `P-${digest.slice(0, 8)}`;

const time = z.number().int();

const outcome = once(() =>
  z.discriminatedUnion("state", [
    z.strictObject({ state: z.literal("applied"), changeId: z.string(), insync: z.boolean() }),
    z.strictObject({ state: z.literal("done-before") }),
    z.strictObject({ state: z.literal("moved"), records: z.array(z.string()).readonly() }),
    z.strictObject({ state: z.literal("refused"), messages: z.array(z.string()).readonly() }),
    z.strictObject({ state: z.literal("unknown"), detail: z.string() }),
    z.strictObject({ state: z.literal("not-tried") }),
  ]),
);

const events = once(() =>
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("planned"), plan: storedPlan() as unknown as z.ZodType<Plan> }),
    /** Approvals count for a request; a new request begins when the last one ran out. */
    z.strictObject({ type: z.literal("requested"), digest: z.string(), requester: z.string(), until: time }),
    z.strictObject({ type: z.literal("approved"), digest: z.string(), by: z.string() }),
    z.strictObject({ type: z.literal("withdrawn"), by: z.string() }),
    /** The writer has judged by its own configuration and begins; `invocation` tells duplicates apart. */
    z.strictObject({ type: z.literal("began"), invocation: z.string(), approver: z.string() }),
    z.strictObject({ type: z.literal("refused"), because: z.string(), text: z.string() }),
    z.strictObject({
      type: z.literal("batch-intended"),
      batch: z.number().int().min(0),
      invocation: z.string(),
    }),
    z.strictObject({ type: z.literal("batch-ended"), batch: z.number().int().min(0), outcome: outcome() }),
    z.strictObject({
      type: z.literal("ended"),
      state: z.enum(["applied", "partly", "nothing", "unknown"]),
      text: z.string(),
      /** What the zone's own servers said afterwards, by record set; empty where they could not be asked. */
      verified: z.array(z.strictObject({ record: z.string(), ok: z.boolean(), said: z.string() })),
    }),
  ]),
);

export type PlanEvent = z.output<ReturnType<typeof events>>;
export type BatchProgress = "untried" | "intended" | z.output<ReturnType<typeof outcome>>;

export type PlanState = Readonly<{
  id: string;
  /** For appending: the next event expects it. */
  version: number;
  plan: Plan;
  plannedAt: number;
  request: Readonly<{ digest: string; requester: string; until: number; at: number }> | undefined;
  approvals: readonly Readonly<{ by: string; digest: string; at: number }>[];
  /** Everything below is of the current request. */
  begun: Readonly<{ invocation: string; approver: string; at: number }> | undefined;
  batches: readonly BatchProgress[];
  refused: Readonly<{ because: string; text: string; at: number }> | undefined;
  ended: (Extract<PlanEvent, { type: "ended" }> & Readonly<{ at: number }>) | undefined;
}>;

export const writtenPlanEvent = (event: PlanEvent): NewEvent => {
  const { type, ...data } = event;
  const json = event.type === "planned" ? { plan: planJson(event.plan) } : (data as unknown as Json);
  return { type, data: json as Json };
};

function readEvent({ stream, version, type, data }: LedgerEvent): PlanEvent {
  const read = events().safeParse({ ...(data as Record<string, unknown>), type });
  if (read.success) return read.data;
  throw new FaultError({
    kind: "unreadable",
    what: `event ${version} of ${stream}`,
    detail: z.prettifyError(read.error).split("\n")[0] ?? "not as written",
  });
}

const untried = (plan: Plan): readonly BatchProgress[] => plan.batches.map(() => "untried" as const);

function after(state: PlanState, event: PlanEvent, at: number): PlanState {
  switch (event.type) {
    case "planned":
      return state;
    case "requested": {
      const { digest, requester, until } = event;
      return {
        ...state,
        request: { digest, requester, until, at },
        approvals: [],
        begun: undefined,
        batches: untried(state.plan),
        refused: undefined,
        ended: undefined,
      };
    }
    case "approved":
      return { ...state, approvals: [...state.approvals, { by: event.by, digest: event.digest, at }] };
    case "withdrawn":
      return { ...state, request: undefined, approvals: [] };
    case "began":
      return { ...state, begun: { invocation: event.invocation, approver: event.approver, at } };
    case "refused":
      return { ...state, refused: { because: event.because, text: event.text, at } };
    case "batch-intended":
      return { ...state, batches: state.batches.map((each, i) => (i === event.batch ? "intended" : each)) };
    case "batch-ended":
      return {
        ...state,
        batches: state.batches.map((each, i) => (i === event.batch ? event.outcome : each)),
      };
    case "ended":
      return { ...state, ended: { ...event, at } };
  }
}

/** Throws FaultError for a stream that does not begin with its plan or holds what nobody wrote. */
export function foldPlan(id: string, recorded: readonly LedgerEvent[]): PlanState | undefined {
  const [first, ...others] = recorded;
  if (first === undefined) return undefined;
  const begin = readEvent(first);
  if (begin.type !== "planned")
    throw new FaultError({
      kind: "unreadable",
      what: planStream(id),
      detail: "it does not begin with a plan",
    });
  const start: PlanState = {
    id,
    version: first.version,
    plan: begin.plan,
    plannedAt: first.at,
    request: undefined,
    approvals: [],
    begun: undefined,
    batches: untried(begin.plan),
    refused: undefined,
    ended: undefined,
  };
  return others.reduce(
    (state, each) => ({ ...after(state, readEvent(each), each.at), version: each.version }),
    start,
  );
}

export const readPlan = async (ledger: Ledger, id: string): Promise<PlanState | undefined> =>
  foldPlan(id, await ledger.read(planStream(id)));

/** Writes the plan down unless it is there already: its id says what it holds. */
export async function keepPlan(ledger: Ledger, plan: Plan): Promise<PlanState> {
  const id = planId(plan);
  await ledger.append(planStream(id), 0, writtenPlanEvent({ type: "planned", plan }));
  const state = await readPlan(ledger, id);
  if (state === undefined || state.plan.digest !== plan.digest)
    throw new FaultError({ kind: "unreadable", what: planStream(id), detail: "it holds another plan" });
  return state;
}

/** False when somebody else appended first: read again and judge again. */
export const appendToPlan = async (ledger: Ledger, state: PlanState, event: PlanEvent): Promise<boolean> =>
  (await ledger.append(planStream(state.id), state.version, writtenPlanEvent(event))).ok;
