import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import type { Ledger, LedgerEvent } from "./ledger.ts";

/**
 * What we mean to say and what was said. There is no idempotency key for posting to Slack, so the intent is written
 * before a message is posted and its place after: a restart finds intents without a place and looks before it repeats.
 */
export type Intent = Readonly<{
  channel: string;
  thread?: string;
  /** What is needed to say it again: a run id and step, never the rendered message. */
  about: Json;
}>;

export type Outgoing = Readonly<{
  /** `R-17/step-3/started`: unique for one message over all restarts. */
  key: string;
  version: number;
  intendedAt: number;
  intent: Intent;
  /** Absent until the post was confirmed: it may or may not be in the channel. */
  posted?: Readonly<{ channel: string; ts: string; at: number }>;
  /** Digest of what the last edit made it say, and when. */
  edited?: Readonly<{ digest: string; at: number }>;
}>;

const intentSchema = z.object({
  channel: z.string(),
  thread: z.string().optional(),
  about: z.json(),
});
const postedSchema = z.object({ channel: z.string(), ts: z.string() });
const editedSchema = z.object({ digest: z.string() });

const streamOf = (key: string): string => `outbox/${key}`;
const keyOf = (stream: string): string => stream.slice("outbox/".length);

function parse<T>(schema: z.ZodType<T>, event: LedgerEvent): T {
  const result = schema.safeParse(event.data);
  if (result.success) return result.data;
  throw new FaultError({
    kind: "unreadable",
    what: `${event.stream} version ${event.version}`,
    detail: z.prettifyError(result.error).replaceAll("\n", "; "),
  });
}

/** The state of one message from the events of its stream; undefined for a stream that does not exist. */
export function foldOutgoing(events: readonly LedgerEvent[]): Outgoing | undefined {
  let state: Outgoing | undefined;
  for (const event of events) {
    const version = event.version;
    if (event.type === "intended" && state === undefined)
      state = {
        key: keyOf(event.stream),
        version,
        intendedAt: event.at,
        intent: parse(intentSchema, event) as Intent,
      };
    else if (event.type === "posted" && state !== undefined)
      state = { ...state, version, posted: { ...parse(postedSchema, event), at: event.at } };
    else if (event.type === "edited" && state !== undefined)
      state = { ...state, version, edited: { ...parse(editedSchema, event), at: event.at } };
    else if (state !== undefined) state = { ...state, version };
  }
  return state;
}

export const readOutgoing = async (ledger: Ledger, key: string): Promise<Outgoing | undefined> =>
  foldOutgoing(await ledger.read(streamOf(key)));

/**
 * Writes the intent down before posting. `first` is false when it was there already: then somebody, perhaps we before
 * a restart, meant to post the same message, and `outgoing.posted` says whether that is known to have happened.
 */
export async function intend(
  ledger: Ledger,
  key: string,
  intent: Intent,
): Promise<Readonly<{ first: boolean; outgoing: Outgoing }>> {
  const appended = await ledger.append(streamOf(key), 0, { type: "intended", data: { ...intent } });
  const outgoing = await readOutgoing(ledger, key);
  if (outgoing === undefined)
    throw new FaultError({ kind: "unreadable", what: streamOf(key), detail: "no intent in it" });
  return { first: appended.ok, outgoing };
}

const attempts = 10;

async function add(
  ledger: Ledger,
  key: string,
  type: string,
  data: Json,
  isDone: (state: Outgoing) => boolean,
): Promise<Outgoing> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const state = await readOutgoing(ledger, key);
    if (state === undefined)
      throw new FaultError({ kind: "unreadable", what: streamOf(key), detail: `${type} without an intent` });
    if (isDone(state)) return state;
    await ledger.append(streamOf(key), state.version, { type, data });
  }
  throw new FaultError({
    kind: "timed-out",
    what: streamOf(key),
    detail: `could not add ${type} in ${attempts} tries, others kept writing`,
  });
}

/** Writes down where the message is. The first place stands: a later, different one is a duplicate to be removed. */
export const confirmPosted = (
  ledger: Ledger,
  key: string,
  place: Readonly<{ channel: string; ts: string }>,
): Promise<Outgoing> => add(ledger, key, "posted", place, (state) => state.posted !== undefined);

/** Writes down what the message says since its last edit; nothing when it says so already. */
export const confirmEdited = (ledger: Ledger, key: string, digest: string): Promise<Outgoing> =>
  add(ledger, key, "edited", { digest }, (state) => state.edited?.digest === digest);

/**
 * Messages that were meant and never confirmed, oldest first: what a restart has to look for in the channel (by the key
 * in the message's metadata) and post if it is not there. Older ones than `horizonMs` are left alone.
 */
export async function unposted(
  ledger: Ledger,
  options: Readonly<{ now: number; horizonMs: number }>,
): Promise<readonly Outgoing[]> {
  const streams = await ledger.list("outbox");
  const found: Outgoing[] = [];
  for (const stream of streams.toReversed()) {
    const state = foldOutgoing(await ledger.read(stream));
    if (state === undefined) continue;
    if (options.now - state.intendedAt > options.horizonMs) break;
    if (state.posted === undefined) found.push(state);
  }
  return found.toReversed();
}
