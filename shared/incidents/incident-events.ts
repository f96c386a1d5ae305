import * as z from "zod";
import type { Json } from "../json.ts";
import type { LedgerEvent, NewEvent } from "../ledger/ledger.ts";
import type { Text } from "../text.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** Who notes what Alertmanager itself said. */
export const alertmanager = "Alertmanager";

const json = z.json() as unknown as z.ZodType<Json>;
const person = z.string().min(1);
const step = z.string().min(1);
/** Tells an attempt from another one at the same step. */
const token = z.string().min(1);
const instant = z.number();
const words = z.record(z.string(), z.string());
/** Only this program writes texts; what they are made of is judged where they are drawn. */
const text = z.array(z.union([z.string(), z.looseObject({})])) as unknown as z.ZodType<Text>;

const fault = z.strictObject({ kind: z.string(), what: z.string(), detail: z.string() });

const outcome = z.enum(["passed", "failed", "skipped", "unknown"]);
const link = z.looseObject({ id: z.string(), title: z.string(), because: text, outcome });
const cause = z.looseObject({ code: z.string(), text, link: z.string(), next: z.array(text).min(1) });
/** Written by this program; what hangs on its parts is theirs. */
const diagnosis = z.looseObject({
  runbook: z.string(),
  subject: z.looseObject({ kind: z.string(), name: z.string() }),
  title: z.string(),
  links: z.array(link),
  conclusion: z.discriminatedUnion("kind", [
    z.looseObject({ kind: z.literal("healthy"), text }),
    z.looseObject({ kind: z.literal("cause"), cause, also: z.array(cause) }),
    z.looseObject({ kind: z.literal("candidates"), causes: z.array(cause).min(2) }),
    z.looseObject({ kind: z.literal("unknown"), text }),
  ]),
  findings: z.array(z.looseObject({ code: z.string() })),
  seen: z.array(z.looseObject({ vantage: z.string() })),
  changes: z.array(z.looseObject({ at: instant })).optional(),
  startedAt: instant,
  endedAt: instant,
  facts: z.record(z.string(), json),
}) as unknown as z.ZodType<Diagnosis>;

const stepHead = { id: step, title: z.string() };
const incidentStep = z.discriminatedUnion("kind", [
  z.strictObject({ ...stepHead, kind: z.literal("diagnose") }),
  z.strictObject({
    ...stepHead,
    kind: z.literal("checks"),
    checks: z.array(z.string()).min(1),
    nodes: z.array(z.string()).optional(),
  }),
  z.strictObject({
    ...stepHead,
    kind: z.literal("manual"),
    instruction: text,
    timeoutSeconds: z.number().positive().optional(),
  }),
]);

const alertHead = {
  /** Alertmanager's group key, or what the receiver groups by. */
  group: z.string().min(1),
  fingerprint: z.string().min(1),
  name: z.string(),
  severity: z.string(),
  labels: words,
  annotations: words,
  /** Milliseconds since the epoch, by Alertmanager's clock. */
  startsAt: instant,
  /** How often it was reported so far. */
  times: z.int().min(1),
};

/** A program of the catalogue that a look ran on some machine. */
const command = z.strictObject({
  at: instant,
  /** "node karstark", "vantage ops-host". */
  on: z.string(),
  argv: z.string(),
  /** Null: it was ended by a signal; undefined: it could not be run. */
  exitCode: z.int().nullable().optional(),
  fault: z.string().optional(),
});
/** What a look ran; `more` were not kept. */
const commands = z.strictObject({ ran: z.array(command), more: z.int().min(0) }).optional();

const checked = z.strictObject({
  check: z.string(),
  subject: z.strictObject({ kind: z.string(), name: z.string() }),
  outcome,
  /** Why, in one line. */
  because: text,
});

const events = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("opened"),
    cluster: z.string().min(1),
    runbook: z.string().min(1),
    /** The word the runbook is run with, such as `httpbin`; null where it takes none. */
    subject: z.string().nullable(),
    title: z.string(),
    by: z.union([z.strictObject({ person }), z.strictObject({ alertGroup: z.string().min(1) })]),
    /** One incident with this key is open on a cluster at a time. */
    key: z.string().min(1).optional(),
    /** Where its message is to stand, as the door calls it; without it, the report channel of the config. */
    channel: z.string().min(1).optional(),
    steps: z.array(incidentStep).min(1),
  }),
  z.strictObject({ type: z.literal("alert-firing"), ...alertHead }),
  z.strictObject({ type: z.literal("alert-resolved"), ...alertHead, endsAt: instant }),
  /** Somebody wants it looked at once more. */
  z.strictObject({ type: z.literal("diagnosis-asked"), by: person }),
  /** Written before anything is looked at; null: nobody asked, it is the next step. */
  z.strictObject({ type: z.literal("diagnosing"), step, token, by: person.nullable() }),
  z.strictObject({
    type: z.literal("diagnosed"),
    step,
    token,
    diagnosis,
    /** What was too long to keep, said in one line. */
    cut: z.string().optional(),
    commands,
  }),
  z.strictObject({
    type: z.literal("could-not-diagnose"),
    step,
    token,
    fault,
    /** The word names nothing here; what was near. */
    noSuch: z.array(text).optional(),
    commands,
  }),
  z.strictObject({ type: z.literal("checking"), step, token }),
  z.strictObject({
    type: z.literal("checks-run"),
    step,
    token,
    /** All that did not pass, and how many did. */
    results: z.array(checked),
    passed: z.int().min(0),
    fault: fault.optional(),
    commands,
  }),
  z.strictObject({ type: z.literal("step-done"), step, by: person, said: z.string() }),
  z.strictObject({ type: z.literal("step-skipped"), step, by: person, reason: z.string().min(1) }),
  /** The thread was asked whether anybody is at the step. */
  z.strictObject({ type: z.literal("nudged"), step }),
  z.strictObject({
    type: z.literal("noted"),
    by: person,
    text: z.string(),
    /** A message that was taken over; the same one is taken once. */
    source: z
      .strictObject({ channel: z.string(), ts: z.string(), author: z.string(), at: instant })
      .optional(),
  }),
  z.strictObject({ type: z.literal("taken"), by: person }),
  z.strictObject({ type: z.literal("handed-over"), by: person, to: person }),
  /** An act belongs to it: a run of its own, with its approval and its record. */
  z.strictObject({ type: z.literal("run-linked"), run: z.string().min(1), by: person }),
  z.strictObject({ type: z.literal("closed"), by: person.optional(), reason: z.string() }),
  z.strictObject({ type: z.literal("reopened"), by: person.optional(), reason: z.string() }),
]);

export type IncidentEvent = z.output<typeof events>;
export type Opened = Extract<IncidentEvent, { type: "opened" }>;
export type AlertEvent = Extract<IncidentEvent, { type: "alert-firing" | "alert-resolved" }>;
export type StoredStep = Opened["steps"][number];
export type RanCommand = z.output<typeof command>;
export type RanCommands = NonNullable<z.output<typeof commands>>;
export type CheckedOnce = z.output<typeof checked>;

/** Where and when an event stands in its stream; `event` is undefined for what this release cannot read. */
export type RecordedIncidentEvent = Readonly<{
  event: IncidentEvent | undefined;
  type: string;
  version: number;
  /** Milliseconds since the epoch, by whoever wrote it. */
  at: number;
}>;

/**
 * An event of `incident/…` as it was written. What another release wrote is no reason to show nothing at three in the
 * morning: it counts, is told as unreadable, and changes nothing.
 */
export function readIncidentEvent({ version, at, type, data }: LedgerEvent): RecordedIncidentEvent {
  const parsed = events.safeParse({ ...(data as object | null), type });
  return { event: parsed.success ? parsed.data : undefined, type, version, at };
}

/** The event as the ledger takes it. */
export function writtenIncidentEvent({ type, ...data }: IncidentEvent): NewEvent {
  return { type, data: JSON.parse(JSON.stringify(data)) as Json };
}
