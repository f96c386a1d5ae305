import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Outcome } from "../reply.ts";
import type { Ledger, NewEvent } from "./ledger.ts";
import { utcDay } from "./stream.ts";

const outcomes = [
  "ok",
  "info",
  "failed",
  "unknown",
  "running",
  "usage",
  "denied",
  "busy",
  "fault",
] as const satisfies readonly Outcome[];

const entrySchema = z.object({
  /** Milliseconds since the epoch, when the words were received; picks the day's stream. */
  at: z.number(),
  /** Name in the config; absent for somebody the config does not know. */
  name: z.string().optional(),
  /** Slack user id or account of the operating system. */
  account: z.string(),
  door: z.string(),
  channel: z.string().optional(),
  words: z.string(),
  cluster: z.string().optional(),
  outcome: z.enum(outcomes),
  durationMs: z.number(),
});

/** One line of the record: who, from where, said what, about which cluster, and what came of it. */
export type AuditEntry = Readonly<z.output<typeof entrySchema>>;

const secretName = "(?:password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key|credential)";
const value = `(?:"[^"]*"|'[^']*'|\\S+)`;

/** Shapes of secrets that people paste into a command line, and options whose value is one. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/\bxox[a-z]-[A-Za-z0-9-]+|\bxapp-[A-Za-z0-9-]+/g, "[secret]"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, "[secret]"],
  [/\bgh[a-z]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}/g, "[secret]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "[secret]"],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, "[secret]"],
  [/\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, "$1 [secret]"],
  [/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi, "$1:[secret]@"],
  [new RegExp(`(?<=^|\\s)(--?[\\w-]*${secretName}[\\w-]*)(\\s*=\\s*|\\s+)${value}`, "gi"), "$1$2[secret]"],
  [new RegExp(`\\b([\\w-]*${secretName}[\\w-]*)(\\s*[=:]\\s*)${value}`, "gi"), "$1$2[secret]"],
];

/** The words with everything that looks like a secret replaced by `[secret]`. Rather too much than too little. */
export const redact = (words: string): string =>
  secrets.reduce((said, [shape, replacement]) => said.replace(shape, replacement), words);

const attempts = 50;

// Entries of one process queue up behind each other, so that only other processes can take a version from them; the
// version a stream was left at saves asking for it.
type Tail = { stream: string; version: number; done: Promise<unknown> };
const tails = new WeakMap<Ledger, Tail>();

async function append(ledger: Ledger, stream: string, event: NewEvent, tail: Tail): Promise<void> {
  if (tail.stream !== stream) {
    tail.stream = stream;
    tail.version = 0;
  }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const appended = await ledger.append(stream, tail.version, event);
    tail.version = appended.version;
    if (appended.ok) return;
  }
  throw new FaultError({
    kind: "timed-out",
    what: stream,
    detail: `others kept writing through ${attempts} tries`,
  });
}

/**
 * Appends to the stream of the entry's UTC day (`audit/2026-11-23`). Secrets in `words` are redacted here, so that no
 * caller can forget it. Throws FaultError when the ledger cannot be written: an act that cannot be recorded must not run.
 */
export async function audit(ledger: Ledger, entry: AuditEntry): Promise<void> {
  const tail = tails.get(ledger) ?? { stream: "", version: 0, done: Promise.resolve() };
  tails.set(ledger, tail);
  const event: NewEvent = { type: "asked", data: { ...entry, words: redact(entry.words) } };
  const mine = tail.done.then(() => append(ledger, `audit/${utcDay(entry.at)}`, event, tail));
  tail.done = mine.catch(() => {});
  await mine;
}

/** All entries of a UTC day (`2026-11-23`), in the order they were written. */
export async function readAudit(ledger: Ledger, day: string): Promise<readonly AuditEntry[]> {
  const events = await ledger.read(`audit/${day}`);
  return events.map((event) => {
    const result = entrySchema.safeParse(event.data);
    if (result.success) return result.data;
    throw new FaultError({
      kind: "unreadable",
      what: `${event.stream} version ${event.version}`,
      detail: z.prettifyError(result.error).replaceAll("\n", "; "),
    });
  });
}
