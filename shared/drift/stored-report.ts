import * as z from "zod";
import type { Json } from "../json.ts";
import type { Inline } from "../text.ts";
import type { DriftReport } from "./drift-report.ts";
import {
  change,
  maybeString,
  name,
  offerKind,
  ownership,
  type ReadStored,
  readStored,
  recordSet,
  snapshot,
  storedJson,
  string,
  strings,
  time,
  zone,
} from "./stored-plan.ts";

const inline = z.union([
  string,
  z.strictObject({ code: string }),
  z.strictObject({ strong: string }),
  z.strictObject({ strike: string }),
  z.strictObject({ person: z.strictObject({ name: string, slack: maybeString }) }),
  z.strictObject({ link: string, text: string }),
]) as z.ZodType<Inline>;

const words = z.array(inline);
const severity = z.enum(["info", "unknown", "warning", "error", "critical"]);

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
  offer: z
    .strictObject({ kind: offerKind, changes: z.array(change()), given: z.array(recordSet) })
    .optional(),
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
  awaiting: strings.default([]),
});

export const readStoredReport = (json: unknown): ReadStored<DriftReport> => readStored(storedReport, json);

export const reportJson = (report: DriftReport): Json => storedJson(report);
