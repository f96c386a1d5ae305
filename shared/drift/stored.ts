import * as z from "zod";
import type { Fqdn } from "../dns/fqdn.ts";
import { fqdn } from "../dns/fqdn.ts";
import { listedRecordSet, type RecordSet } from "../dns/record-set.ts";
import { readRecordSet } from "../dns/zone-file.ts";
import type { Json } from "../json.ts";
import type { Inline } from "../text.ts";
import type { DriftReport } from "./drift-report.ts";
import type { Plan } from "./plan-value.ts";

// Every schema is built when the program starts: what is the same is built once.
const string = z.string();
const maybeString = string.optional();
const strings = z.array(string);

const name = z.string().transform((value, context): Fqdn => {
  try {
    return fqdn(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

/** Record sets are stored as Route 53's API has them, so that nothing is lost that we do not model. */
const recordSet = z.unknown().transform((value, context): RecordSet => {
  const read = readRecordSet(value, "record set");
  if (read.ok) return read.recordSet;
  for (const message of read.problems) context.addIssue({ code: "custom", message });
  return z.NEVER;
});

const inline = z.union([
  string,
  z.strictObject({ code: string }),
  z.strictObject({ strong: string }),
  z.strictObject({ strike: string }),
  z.strictObject({ person: z.strictObject({ name: string, slack: maybeString }) }),
  z.strictObject({ link: string, text: string }),
]) as z.ZodType<Inline>;

const words = z.array(inline);
const time = z.number().int();
const zone = z.strictObject({ id: z.string().min(1), name });
const snapshot = z.strictObject({ hash: string, takenAt: time });
const severity = z.enum(["info", "unknown", "warning", "error", "critical"]);
const ownership = z.enum([
  "ours",
  "foreign",
  "unowned",
  "unreadable",
  "ambiguous",
  "wrong-name-format",
  "orphan-txt",
]);
const offerKind = z.enum(["adopt", "clean-up", "repair-ownership", "restore"]);

const change = z
  .strictObject({
    action: z.enum(["CREATE", "DELETE", "UPSERT"]),
    before: recordSet.optional(),
    set: recordSet,
  })
  .refine(({ action, before }) => (action === "CREATE") === (before === undefined), {
    error: "DELETE and UPSERT say what stands before, CREATE does not",
  });

const batch = z.strictObject({ changes: z.array(change), given: z.array(recordSet) });

const finding = z.strictObject({
  code: string,
  severity,
  subject: z.strictObject({
    kind: z.enum([
      "cluster",
      "node",
      "nic",
      "address",
      "service",
      "pool",
      "name",
      "zone",
      "record",
      "vantage",
      "config",
      "person",
    ]),
    name: string,
  }),
  facts: z.record(string, z.json()),
  text: words,
  remedy: words.optional(),
});

const drift = z.strictObject({
  kind: string,
  severity,
  zoneId: string,
  name,
  type: string,
  setIdentifier: maybeString,
  ownership,
  owner: maybeString,
  want: strings,
  have: strings,
  repair: z.enum(["we", "external-dns", "nobody"]),
  outlook: words,
  because: words,
  offer: z.strictObject({ kind: offerKind, changes: z.array(change), given: z.array(recordSet) }).optional(),
});

/** As a report stands in the ledger or a bucket. */
export const storedReport = z.strictObject({
  format: z.literal(1),
  cluster: maybeString,
  at: time,
  zone,
  snapshot,
  controllers: z.array(
    z.strictObject({
      name: string,
      owner: string,
      release: string,
      policy: string,
      intervalSeconds: z.number(),
    }),
  ),
  recordSets: z.number().optional(),
  owned: z.strictObject({ records: z.number(), txts: z.number() }),
  complete: z.boolean(),
  findings: z.array(finding),
  drifts: z.array(drift),
  deletesBlocked: strings,
  sightings: z.array(z.strictObject({ key: string, firstAt: time, lastAt: time })),
  notReconciling: strings,
  awaiting: strings,
});

/** As a plan stands in the ledger: what is approved, and what the writer reads. */
export const storedPlan = z.strictObject({
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
  batches: z.array(batch),
  withheld: z.array(
    z.strictObject({
      kind: string,
      name,
      type: string,
      setIdentifier: maybeString,
      why: string,
    }),
  ),
  undo: z.array(batch),
  reversibleWhile: string,
  digest: z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in hexadecimal"),
});

export type ReadStored<T> =
  | Readonly<{ ok: true; value: T }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const read = <T>(shape: z.ZodType, json: unknown): ReadStored<T> => {
  const parsed = shape.safeParse(json);
  return parsed.success
    ? { ok: true, value: parsed.data as T }
    : {
        ok: false,
        problems: parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`),
      };
};

export const readStoredReport = (json: unknown): ReadStored<DriftReport> => read(storedReport, json);
export const readStoredPlan = (json: unknown): ReadStored<Plan> => read(storedPlan, json);

const isRecordSet = (value: object): value is RecordSet =>
  "routing" in value && "answer" in value && "name" in value && "type" in value;

/** Values as JSON, record sets in Route 53's own form wherever they stand. */
function toJson(value: unknown): Json {
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value as Json;
  if (isRecordSet(value)) return listedRecordSet(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, toJson(each)]),
  );
}

export const reportJson = (report: DriftReport): Json => toJson(report);
export const planJson = (plan: Plan): Json => toJson(plan);
