import * as z from "zod";
import type { Fqdn } from "../dns/fqdn.ts";
import { fqdn } from "../dns/fqdn.ts";
import { listedRecordSet, type RecordSet } from "../dns/record-set.ts";
import { readRecordSet } from "../dns/zone-file.ts";
import type { Json } from "../json.ts";
import { once } from "../once.ts";
import type { Plan } from "./plan-value.ts";

// Every schema is built when the program starts: what is the same is built once.
export const string = z.string();
export const maybeString = string.optional();
export const strings = z.array(string);

export const name = z.string().transform((value, context): Fqdn => {
  try {
    return fqdn(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

/** Record sets are stored as Route 53's API has them, so that nothing is lost that we do not model. */
export const recordSet = z.unknown().transform((value, context): RecordSet => {
  const read = readRecordSet(value, "record set");
  if (read.ok) return read.recordSet;
  for (const message of read.problems) context.addIssue({ code: "custom", message });
  return z.NEVER;
});

export const time = z.number().int();
export const zone = z.strictObject({ id: z.string().min(1), name });
export const snapshot = z.strictObject({ hash: string, takenAt: time });
export const ownership = z.enum([
  "ours",
  "foreign",
  "unowned",
  "unreadable",
  "ambiguous",
  "wrong-name-format",
  "orphan-txt",
]);
export const offerKind = z.enum(["adopt", "clean-up", "repair-ownership", "restore"]);

export const change = once(() =>
  z
    .strictObject({
      action: z.enum(["CREATE", "DELETE", "UPSERT"]),
      before: recordSet.optional(),
      set: recordSet,
    })
    .refine(({ action, before }) => (action === "CREATE") === (before === undefined), {
      error: "DELETE and UPSERT say what stands before, CREATE does not",
    }),
);

const batch = once(() => z.strictObject({ changes: z.array(change()), given: z.array(recordSet) }));

/** As a plan stands in the ledger: what is approved, and what the writer reads. */
export const storedPlan = once(() =>
  z.strictObject({
    format: z.literal(1),
    cluster: maybeString,
    zone,
    madeAt: time,
    snapshot,
    twoPeople: z.boolean(),
    items: z.array(
      z.strictObject({
        kind: string,
        offer: offerKind,
        name,
        type: string,
        setIdentifier: maybeString,
        ownership,
        what: string,
        because: string,
      }),
    ),
    batches: z.array(batch()),
    withheld: z.array(
      z.strictObject({
        kind: string,
        name,
        type: string,
        setIdentifier: maybeString,
        why: string,
      }),
    ),
    undo: z.array(batch()),
    reversibleWhile: string,
    again: z.number().int().positive().optional(),
    digest: z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in hexadecimal"),
  }),
);

export type ReadStored<T> =
  | Readonly<{ ok: true; value: T }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

export const readStored = <T>(shape: z.ZodType, json: unknown): ReadStored<T> => {
  const parsed = shape.safeParse(json);
  return parsed.success
    ? { ok: true, value: parsed.data as T }
    : {
        ok: false,
        problems: parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`),
      };
};

export const readStoredPlan = (json: unknown): ReadStored<Plan> => readStored(storedPlan(), json);

const isRecordSet = (value: object): value is RecordSet =>
  "routing" in value && "answer" in value && "name" in value && "type" in value;

/** Values as JSON, record sets in Route 53's own form wherever they stand. */
export function storedJson(value: unknown): Json {
  if (Array.isArray(value)) return value.map(storedJson);
  if (typeof value !== "object" || value === null) return value as Json;
  if (isRecordSet(value)) return listedRecordSet(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, storedJson(each)]),
  );
}

export const planJson = (plan: Plan): Json => storedJson(plan);
