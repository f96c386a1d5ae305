import { createHash } from "node:crypto";
import * as z from "zod";
import { canonicalJson } from "../runs/digest.ts";
import type { Alert, Delivery } from "./alert.ts";

/** Of `prometheus/alertmanager` notify/webhook: the version has been "4" since 2017. */
const version = "4";

/** Longest value of a label or annotation that is kept, in characters, and the most of all of one kind together. */
const valueChars = 2_000;
const allChars = 20_000;

/** A zero time of Go, as Alertmanager writes the end of what has none. */
const zeroTime = /^0001-01-01T00:00:00/;

const time = z
  .string()
  .refine(
    (value) => !Number.isNaN(Date.parse(value)),
    "must be a time in RFC 3339, for example 2026-11-23T03:12:09Z",
  )
  .transform((value) => (zeroTime.test(value) ? undefined : Date.parse(value)));

const words = z.record(z.string(), z.string());

const alertSchema = z.looseObject({
  status: z.enum(["firing", "resolved"]),
  labels: words,
  annotations: words.default({}),
  startsAt: time.refine((value) => value !== undefined, "must be the time since which it fires"),
  endsAt: time.optional(),
  generatorURL: z.string().default(""),
  fingerprint: z.string().min(1).max(200),
});

const envelopeSchema = z.looseObject({
  version: z.literal(version),
  groupKey: z.string().min(1).max(20_000),
  receiver: z.string().default(""),
  externalURL: z.string().default(""),
  truncatedAlerts: z.int().min(0).default(0),
  alerts: z.array(z.unknown()),
});

export type WebhookRead =
  | Readonly<{ ok: true; delivery: Delivery }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const cut = (value: string): string =>
  value.length <= valueChars
    ? value
    : `${value.slice(0, valueChars)}… (cut, ${value.length.toLocaleString("en")} characters)`;

/** So much as a message and the ledger can hold; what is left out says so. */
function bounded(all: Readonly<Record<string, string>>): Record<string, string> {
  const kept: [string, string][] = [];
  let used = 0;
  const entries = Object.entries(all);
  for (const [name, value] of entries) {
    const short = cut(value);
    used += name.length + short.length;
    if (used > allChars) break;
    kept.push([name, short]);
  }
  if (kept.length < entries.length)
    kept.push(["…", `${entries.length - kept.length} more were too long to keep`]);
  return Object.fromEntries(kept);
}

const mostDepth = 20;

/** Whether something is nested deeper than anything of Alertmanager's; what walks it would not come back. */
function isTooDeep(given: unknown): boolean {
  const left: [value: unknown, depth: number][] = [[given, 0]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [value, depth] = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth === mostDepth) return true;
    for (const inner of Object.values(value)) left.push([inner, depth + 1]);
  }
  return false;
}

const problemsOf = (error: z.ZodError, root: unknown): readonly string[] =>
  error.issues.map(({ path, message }) => {
    const value = path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key],
      root,
    );
    const where = path.length === 0 ? "the body" : path.join(".");
    const words = isTooDeep(value) ? "nested too deep" : (JSON.stringify(value) ?? "?").slice(0, 60);
    const shown = value === undefined ? "is missing" : `is ${words}`;
    return `${where} ${shown}: ${message}`;
  });

const strings = (value: unknown): Record<string, string> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      )
    : {};

/** What can be read of an alert that is not as the format says, under a name that the same one has again. */
function salvaged(given: unknown, problem: string): Alert {
  const { labels, annotations } = (given ?? {}) as { labels?: unknown; annotations?: unknown };
  const digest = createHash("sha256")
    .update(canonicalJson(given ?? null))
    .digest("hex");
  return {
    fingerprint: `malformed-${digest.slice(0, 16)}`,
    status: "firing",
    labels: bounded(strings(labels)),
    annotations: bounded(strings(annotations)),
    startsAt: 0,
    malformed: cut(problem),
  };
}

function readAlert(given: unknown): Alert {
  if (isTooDeep(given)) {
    const { labels, annotations } = given as { labels?: unknown; annotations?: unknown };
    const readable = { labels: strings(labels), annotations: strings(annotations) };
    return salvaged(readable, `it is nested deeper than ${mostDepth} levels`);
  }
  const read = alertSchema.safeParse(given);
  if (!read.success) return salvaged(given, problemsOf(read.error, given).join("; "));
  const { status, labels, annotations, startsAt, endsAt, generatorURL, fingerprint } = read.data;
  return {
    fingerprint,
    status,
    labels: bounded(labels),
    annotations: bounded(annotations),
    startsAt: startsAt ?? 0,
    ...(endsAt !== undefined && status === "resolved" && { endsAt }),
    ...(generatorURL !== "" && { generatorUrl: cut(generatorURL) }),
  };
}

/**
 * The body of a POST of Alertmanager's webhook, version 4 (`template.Data` with version, groupKey and truncatedAlerts).
 * Fields that a newer Alertmanager adds are left alone. A single alert that is not as the format says is kept as far as
 * it can be read, with what is wrong; problems with the envelope refuse the whole, all of them at once.
 */
export function readWebhook(body: unknown): WebhookRead {
  const read = envelopeSchema.safeParse(body);
  if (!read.success) return { ok: false, problems: problemsOf(read.error, body) };
  const { groupKey, receiver, externalURL, truncatedAlerts, alerts } = read.data;
  return {
    ok: true,
    delivery: {
      receiver: cut(receiver),
      groupKey: cut(groupKey),
      ...(externalURL !== "" && { externalUrl: cut(externalURL) }),
      truncated: truncatedAlerts,
      alerts: alerts.map(readAlert),
    },
  };
}
