import * as z from "zod";
import type { Clock } from "#shared/clock.ts";
import type { Json } from "#shared/json.ts";
import type { Ledger, LedgerEvent } from "#shared/ledger/ledger.ts";
import { confirmPosted, foldOutgoing, intend } from "#shared/ledger/outbox.ts";
import type { Reply } from "#shared/reply.ts";
import type { Log } from "./log.ts";
import { storable } from "./storable.ts";

/** One message of the door that has to reach somebody, whatever happens to this process. */
export type Letter = Readonly<{
  /** `command/…`, `event/…` or `press/…`: unique for the input it answers. */
  key: string;
  channel: string;
  thread?: string;
  /** Slack user id of whoever asked. */
  account: string;
  /** `/arping httpbin`, for messages about the message. */
  title: string;
}>;

/** The ledger's side of a letter. Trouble with the ledger is logged, and the message goes out all the same. */
export type Entry = Readonly<{
  posted: (place: Readonly<{ channel: string; ts: string }>) => Promise<void>;
  /** Keeps the final words before they are sent. False: another process has taken the letter over. */
  finished: (reply: Reply) => Promise<boolean>;
  closed: () => Promise<void>;
}>;

/** A letter whose process is gone. */
export type Orphan = Readonly<{
  letter: Letter;
  entry: Entry;
  at?: Readonly<{ channel: string; ts: string }>;
  intendedAt: number;
  /** The words it was about to send; absent when the work itself had not ended. */
  final?: Reply;
}>;

export type Outbox = Readonly<{
  /** Undefined: this input has its letter already. */
  open: (letter: Letter) => Promise<Entry | undefined>;
  /** Takes over letters of processes that are gone, as far back as `horizonMs`. */
  adopt: (horizonMs: number) => Promise<readonly Orphan[]>;
  /** Tells the other processes that this one lives. */
  stayAlive: () => Promise<void>;
  /** Gives that up, so that whatever is left can be taken over at once. */
  leave: () => Promise<void>;
}>;

const aboutSchema = z.object({
  door: z.literal("slack"),
  owner: z.string(),
  account: z.string(),
  title: z.string(),
});
const adoptedSchema = z.object({ owner: z.string() });
const verdictShape = z.looseObject({ verdict: z.looseObject({ word: z.string(), outcome: z.string() }) });

const prefix = "slack/";
const streamOf = (key: string): string => `outbox/${prefix}${key}`;
const aliveMs = 60_000;

const ownerOf = (events: readonly LedgerEvent[], first: string): string => {
  const adopted = events.findLast((event) => event.type === "adopted");
  const parsed = adoptedSchema.safeParse(adopted?.data);
  return parsed.success ? parsed.data.owner : first;
};

export function createOutbox(
  options: Readonly<{ ledger: Ledger; owner: string; clock: Clock; log: Log }>,
): Outbox {
  const { ledger, owner, clock, log } = options;
  const here = new Set<string>();
  let token: number | undefined;

  const guarded = async <T>(what: string, work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      log({ level: "error", msg: `outbox: ${what}`, error: String(error) });
      return otherwise;
    }
  };

  const add = async (key: string, type: string, data: Json): Promise<boolean> => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const events = await ledger.read(streamOf(key));
      if (ownerOf(events, owner) !== owner) return false;
      if ((await ledger.append(streamOf(key), events.at(-1)?.version ?? 0, { type, data })).ok) return true;
    }
    throw new Error(`${streamOf(key)}: others kept writing`);
  };

  const entryOf = (key: string): Entry => ({
    posted: (place) =>
      guarded(
        "where the message is",
        async () => {
          await confirmPosted(ledger, `${prefix}${key}`, place);
        },
        undefined,
      ),
    finished: (reply) => guarded("final words", () => add(key, "finished", { reply: storable(reply) }), true),
    closed: async () => {
      await guarded("end of a message", () => add(key, "closed", null), true);
      here.delete(key);
    },
  });

  const isAlive = async (who: string): Promise<boolean> => {
    const asked = await ledger.lease(`slack-door-${who}`, owner, 1);
    if (asked.ok) await ledger.release(asked.lease.cluster, asked.lease.token);
    return !asked.ok;
  };

  const orphan = async (stream: string, horizon: number): Promise<Orphan | "older" | undefined> => {
    const key = stream.slice(`outbox/${prefix}`.length);
    if (!stream.startsWith(`outbox/${prefix}`) || here.has(key)) return undefined;
    const events = await ledger.read(stream);
    const state = foldOutgoing(events);
    const about = aboutSchema.safeParse(state?.intent.about);
    if (state === undefined || !about.success) return undefined;
    if (state.intendedAt < horizon) return "older";
    if (events.some((event) => event.type === "closed")) return undefined;
    const holder = ownerOf(events, about.data.owner);
    if (holder !== owner && (await isAlive(holder))) return undefined;
    const taken = await ledger.append(stream, state.version, { type: "adopted", data: { owner } });
    if (!taken.ok) return undefined;
    here.add(key);
    const finished = events.findLast((event) => event.type === "finished")?.data;
    const final = (finished as { reply?: unknown } | null | undefined)?.reply;
    return {
      letter: {
        key,
        channel: state.intent.channel,
        ...(state.intent.thread === undefined ? {} : { thread: state.intent.thread }),
        account: about.data.account,
        title: about.data.title,
      },
      entry: entryOf(key),
      ...(state.posted === undefined ? {} : { at: { channel: state.posted.channel, ts: state.posted.ts } }),
      intendedAt: state.intendedAt,
      ...(verdictShape.safeParse(final).success ? { final: final as Reply } : {}),
    };
  };

  return {
    open: async (letter) => {
      if (here.has(letter.key)) return undefined;
      here.add(letter.key);
      const first = await guarded(
        "intent to say something",
        async () => {
          const intended = await intend(ledger, `${prefix}${letter.key}`, {
            channel: letter.channel,
            ...(letter.thread === undefined ? {} : { thread: letter.thread }),
            about: { door: "slack", owner, account: letter.account, title: letter.title },
          });
          return intended.first;
        },
        true,
      );
      if (first) return entryOf(letter.key);
      here.delete(letter.key);
      return undefined;
    },
    adopt: (horizonMs) =>
      guarded("letters of processes that are gone", async () => {
        const found: Orphan[] = [];
        const horizon = clock.now() - horizonMs;
        for (const stream of (await ledger.list("outbox")).toReversed()) {
          const next = await orphan(stream, horizon);
          if (next === "older") break;
          if (next !== undefined) found.push(next);
        }
        return found.toReversed();
      }, []),
    stayAlive: () =>
      guarded(
        "sign of life",
        async () => {
          const held = await ledger.lease(`slack-door-${owner}`, owner, aliveMs);
          if (held.ok) token = held.lease.token;
        },
        undefined,
      ),
    leave: () =>
      guarded(
        "farewell",
        async () => {
          if (token !== undefined) await ledger.release(`slack-door-${owner}`, token);
        },
        undefined,
      ),
  };
}

/** How often `stayAlive` has to be called, in milliseconds: three times before others take us for gone. */
export const signOfLifeMs = aliveMs / 3;
