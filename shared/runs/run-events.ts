import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import type { LedgerEvent, NewEvent } from "../ledger/ledger.ts";
import type { Deed } from "../steps/deed.ts";
import type { StepPlan } from "../steps/step.ts";
import type { Text } from "../text.ts";

/** What of a plan is kept: everything but the blocks, which are for the thread and hold pictures. */
export type KeptPlan = Omit<StepPlan, "blocks">;

const json = z.json() as unknown as z.ZodType<Json>;
const person = z.string().min(1);
const step = z.string().min(1);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.number();

const inline = z.union([
  z.string(),
  z.strictObject({ code: z.string() }),
  z.strictObject({ strong: z.string() }),
  z.strictObject({ strike: z.string() }),
  z.strictObject({ person: z.strictObject({ name: z.string(), slack: z.string().optional() }) }),
  z.strictObject({ link: z.string(), text: z.string() }),
]);
const text = z.array(inline) as unknown as z.ZodType<Text>;

const finding = z.strictObject({
  code: z.string(),
  severity: z.enum(["info", "unknown", "warning", "error", "critical"]),
  subject: z.strictObject({ kind: z.string(), name: z.string() }),
  facts: z.record(z.string(), json),
  text,
  remedy: text.optional(),
}) as unknown as z.ZodType<Finding>;

const argv = z.array(z.string()).min(1);
const deedHead = { id: z.string().min(1), title: z.string() };
/** Deeds are ours, written by this program; their inner parts are for the ports that do them. */
const deed = z.discriminatedUnion("kind", [
  z.looseObject({ ...deedHead, kind: z.literal("kube"), write: z.looseObject({ verb: z.string() }) }),
  z.looseObject({ ...deedHead, kind: z.literal("git"), tree: z.string(), branch: z.string() }),
  z.looseObject({ ...deedHead, kind: z.literal("shell"), argv, timeoutMs: z.number() }),
  z.looseObject({ ...deedHead, kind: z.literal("document"), name: z.string(), text: z.string() }),
]) as unknown as z.ZodType<Deed>;

const plan = z.strictObject({
  deeds: z.array(deed),
  diffs: z.array(
    z.strictObject({
      object: z.string(),
      uid: z.string().nullable(),
      before: json.nullable(),
      after: json.nullable(),
    }),
  ),
  prediction: z.array(text),
  predicted: json,
  undo: z.array(deed),
  instructions: z.array(text),
}) as unknown as z.ZodType<KeptPlan>;

/** Forward, or on the way back. */
const way = z.enum(["forward", "back"]);
/** One deed of one act: acts of a step are numbered from 1, since a step that was halted may be planned again. */
const deedPlace = { step, act: z.int().min(1), way, deed: z.string(), token: z.string().min(1) };

export const haltCodes = [
  "not-ready",
  "could-not-look",
  "conflict",
  "exists",
  "not-found",
  "webhook",
  "denied",
  "invalid",
  "failed",
  "moved",
  "unseen",
  "late",
  "not-observed",
  "not-proven",
  "unproven",
  "reverted",
  "way-back-closed",
  "not-undone",
  "unknown-step",
  "fault",
] as const;
export type HaltCode = (typeof haltCodes)[number];

const events = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("started"),
    runbook: z.string(),
    title: z.string(),
    cluster: z.string(),
    inputs: z.record(z.string(), json),
    by: person,
    approvals: z.enum(["others", "self"]),
    steps: z
      .array(
        z.strictObject({
          id: step,
          kind: z.enum(["manual", "check", "act"]),
          title: z.string(),
          reversibleWhile: text,
          proof: text.optional(),
          cleanUp: z.literal(true).optional(),
          whenStopped: z.literal(true).optional(),
        }),
      )
      .min(1),
  }),
  z.strictObject({ type: z.literal("step-begun"), step }),
  z.strictObject({ type: z.literal("step-unneeded"), step, because: text }),
  z.strictObject({
    type: z.literal("step-planned"),
    step,
    digest,
    plan,
    requester: person,
    /** What was approved or asked before, and what is different now. */
    replaces: z.strictObject({ digest, changed: z.array(z.string()) }).optional(),
  }),
  z.strictObject({ type: z.literal("approval-asked"), step, digest, requester: person, until: instant }),
  z.strictObject({
    type: z.literal("approved"),
    step,
    digest,
    by: person,
    how: z.enum(["other", "self", "break-glass"]),
    reason: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("approval-lapsed"), step, digest }),
  /** The plan as it was re-read, and until when its deeds may be begun. Uses the approval up. */
  z.strictObject({
    type: z.literal("act-begun"),
    step,
    act: z.int().min(1),
    digest,
    plan,
    until: instant,
  }),
  z.strictObject({ type: z.literal("deed-intended"), ...deedPlace }),
  z.strictObject({
    type: z.literal("deed-done"),
    ...deedPlace,
    facts: json,
    /** `looked`: nobody answered, and its effect was found in the world. */
    seen: z.enum(["performed", "looked"]),
  }),
  z.strictObject({
    type: z.literal("deed-refused"),
    ...deedPlace,
    because: z.enum(["conflict", "exists", "not-found", "webhook", "denied", "invalid", "failed"]),
    message: z.string(),
    /** It had been begun, and what it is about was found changed by somebody else: whether it was done is not known. */
    moved: z.literal(true).optional(),
  }),
  /** It was looked at, and its effect is not there: it may be done again. */
  z.strictObject({ type: z.literal("deed-not-done"), ...deedPlace }),
  z.strictObject({
    type: z.literal("observed"),
    step,
    act: z.int().min(1),
    facts: json,
    findings: z.array(finding),
  }),
  z.strictObject({ type: z.literal("manual-done"), step, by: person, said: z.string() }),
  z.strictObject({ type: z.literal("waiting"), step, until: instant, text }),
  z.strictObject({
    type: z.literal("verified"),
    step,
    outcome: z.enum(["passed", "said"]),
    text,
    findings: z.array(finding),
    notes: json,
    /** When it is verified once more, after those who reconcile had their turn; absent when this was the last time. */
    recheckAt: instant.optional(),
  }),
  z.strictObject({
    type: z.literal("halted"),
    step,
    code: z.enum(haltCodes),
    because: text,
    next: text,
    findings: z.array(finding),
  }),
  z.strictObject({ type: z.literal("resumed"), by: person }),
  z.strictObject({ type: z.literal("held"), by: person }),
  z.strictObject({ type: z.literal("skip-shown"), step, by: person }),
  z.strictObject({
    type: z.literal("skipped"),
    step,
    by: person,
    reason: z.string().min(1),
    forced: z.boolean(),
  }),
  /** `to` is the step to stand before afterwards; null goes back all the way and ends the run. */
  z.strictObject({ type: z.literal("back-asked"), by: person, to: step.nullable() }),
  z.strictObject({ type: z.literal("step-undone"), step, text }),
  z.strictObject({ type: z.literal("went-back"), to: step.nullable() }),
  /** It ends once what must not stay is taken away; `aborted` follows. */
  z.strictObject({ type: z.literal("abort-asked"), by: person }),
  z.strictObject({ type: z.literal("aborted"), by: person }),
  z.strictObject({ type: z.literal("finished") }),
]);

export type RunEvent = z.output<typeof events>;

/** Where and when an event stands in its stream. */
export type Recorded = Readonly<{ event: RunEvent; version: number; at: number }>;

const known: ReadonlySet<string> = new Set(events.options.map((option) => option.shape.type.value as string));

/**
 * An event of `run/…` as it was written. Throws FaultError for one that this release does not know: a run is never
 * gone on with on half of its history.
 */
export function readRunEvent({ stream, version, at, type, data }: LedgerEvent): Recorded {
  const parsed = events.safeParse({ ...(data as object), type });
  if (parsed.success) return { event: parsed.data, version, at };
  throw new FaultError({
    kind: "unreadable",
    what: `${stream} version ${version}`,
    detail: known.has(type)
      ? `event ${type} is not as this release writes it: ${z.prettifyError(parsed.error).replaceAll("\n", "; ")}`
      : `event "${type}" is not known to this release; go on with the one that wrote it`,
  });
}

/** The event as the ledger takes it. */
export function writtenEvent({ type, ...data }: RunEvent): NewEvent {
  return { type, data: JSON.parse(JSON.stringify(data)) as Json };
}
