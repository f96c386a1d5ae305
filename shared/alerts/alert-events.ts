import * as z from "zod";
import type { Json } from "../json.ts";
import type { LedgerEvent, NewEvent } from "../ledger/ledger.ts";
import type { Text } from "../text.ts";

const instant = z.number();
const words = z.record(z.string(), z.string());
/** Only this program writes texts; what they are made of is judged where they are drawn. */
const text = z.array(z.union([z.string(), z.looseObject({})])) as unknown as z.ZodType<Text>;

const alert = z.strictObject({
  fingerprint: z.string().min(1),
  status: z.enum(["firing", "resolved"]),
  labels: words,
  annotations: words,
  startsAt: instant,
  endsAt: instant.optional(),
  generatorUrl: z.string().optional(),
  malformed: z.string().optional(),
});

/** One thing that alerts are about; an incident, or a line of a storm. */
const opening = z.strictObject({
  id: z.string().min(1),
  /** Two alerts of one key are about the same thing. */
  key: z.string().min(1),
  cluster: z.string().min(1),
  /** Null: no route maps it. */
  runbook: z.string().min(1).nullable(),
  subject: z.string().nullable(),
  title: z.string(),
  /** Why no runbook looks at it. */
  why: text.optional(),
  /** The storm it is a line of. */
  storm: z.string().optional(),
});

const taken = z.strictObject({
  alert,
  /** Alertmanager's, by which it groups. */
  groupKey: z.string(),
  /** What it belongs to; null for the end of something that was never told. */
  case: z.string().nullable(),
});

const events = z.discriminatedUnion("type", [
  /** What one or more POSTs of Alertmanager came to, decided when they were taken. */
  z.strictObject({
    type: z.literal("received"),
    storm: z.string().optional(),
    opened: z.array(opening),
    alerts: z.array(taken),
    /** Fingerprints of what was told again and has not changed. */
    again: z.array(z.string()),
    /** Alerts that Alertmanager left out, by what the rest of their group belongs to. */
    truncated: z.array(z.strictObject({ case: z.string(), count: z.int().min(1) })),
  }),
  /** Which incident it became, or joined. */
  z.strictObject({ type: z.literal("bound"), case: z.string(), incident: z.string().min(1) }),
  z.strictObject({
    type: z.literal("closed"),
    case: z.string(),
    /** `resolved`: all of it, and it stayed quiet. `person`: somebody closed the incident. */
    why: z.enum(["resolved", "person"]),
  }),
  /** Nothing new has come for a while; what still fires and is named here gets messages of its own. */
  z.strictObject({ type: z.literal("calmed"), storm: z.string(), released: z.array(z.string()) }),
  /** The last event of a day's stream: whatever comes later is in the one of `next`. */
  z.strictObject({ type: z.literal("sealed"), next: z.iso.date() }),
]);

export type AlertEvent = z.output<typeof events>;
export type Received = Extract<AlertEvent, { type: "received" }>;
export type Opening = Received["opened"][number];

/** As it was written; undefined for what another release wrote and this one cannot read. */
export function readAlertEvent({ type, data }: Pick<LedgerEvent, "type" | "data">): AlertEvent | undefined {
  const parsed = events.safeParse({ ...(data as object | null), type });
  return parsed.success ? parsed.data : undefined;
}

export function writtenAlertEvent({ type, ...data }: AlertEvent): NewEvent {
  return { type, data: JSON.parse(JSON.stringify(data)) as Json };
}
