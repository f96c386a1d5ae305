import type { Attachment, Board, Place } from "#shared/board/board.ts";
import { foldStanding, noStanding, type Standing } from "#shared/board/standing.ts";
import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Json } from "#shared/json.ts";
import type { Ledger, NewEvent } from "#shared/ledger/ledger.ts";
import { utcDay } from "#shared/ledger/stream.ts";
import type { Reply } from "#shared/reply.ts";
import type { Log } from "./log.ts";
import { storable } from "./storable.ts";

/**
 * The board's half that needs no Slack: wishes go into the streams `board/KEY`, and whoever delivers is told that there
 * is something to do. It is there before the door opens and while Slack is away.
 */
export type Wishes = Readonly<{
  board: Board;
  /** Read from where this process left it. Throws FaultError when the ledger cannot be asked. */
  stateOf: (key: string) => Promise<Standing>;
  /** Adds to the thing's stream unless `isIn` says of the newest state that it is there. */
  record: (key: string, event: NewEvent, isIn?: (state: Standing) => boolean) => Promise<Standing>;
  /** Remembers whose thread this is. */
  placed: (key: string, at: Readonly<{ channel: string; thread: string }>) => Promise<void>;
  /** Marks a post under way: people may see and answer it before its place is written down. */
  during: <T>(channel: string, post: Promise<T>) => Promise<T>;
  /** Keys that may have something undelivered, from wishes of the last `days` days by any process. */
  recent: (days: number) => Promise<readonly string[]>;
  /** Calls back for every wish of this process. */
  onWish: (hear: (key: string) => void) => void;
  /** Forgets what it read of a thing of which nothing is due. */
  forget: (key: string) => void;
}>;

const attempts = 30;
/** Characters of a file in one event: a store may take no more than 400 kB in one. */
const pieceChars = 150_000;
const mostRemembered = 200;

const streamOf = (key: string): string => `board/${key}`;
const placeStream = (channel: string, thread: string): string => `board-at/${channel}/${thread}`;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

const piecesOf = (data: string): readonly string[] =>
  Array.from({ length: Math.max(1, Math.ceil(data.length / pieceChars)) }, (_, i) =>
    data.slice(i * pieceChars, (i + 1) * pieceChars),
  );

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60) || "picture";

/** A note's pictures are files of its thread. */
const withPictures = (reply: Reply, files: readonly Attachment[]): readonly Attachment[] => [
  ...files,
  ...reply.blocks.flatMap((block) =>
    block.kind === "image" ? [{ name: `${slug(block.title)}.png`, text: block.png }] : [],
  ),
];

export function createWishes(options: Readonly<{ ledger: Ledger; clock: Clock; log: Log }>): Wishes {
  const { ledger, clock, log } = options;
  const states = new Map<string, Standing>();
  const marked = new Map<string, string>();
  const hearers: ((key: string) => void)[] = [];
  /** Wishes that wait for the one being written; of these, too, the latest wins. */
  const waiting = new Map<string, { reply: Json; place: Place | undefined; written: Promise<void> }>();
  const writing = new Map<string, Promise<void>>();

  const stateOf = async (key: string): Promise<Standing> => {
    const before = states.get(key) ?? noStanding(key);
    const more = await ledger.read(streamOf(key), before.version);
    const known = states.get(key) ?? noStanding(key);
    // Somebody else in this process may have read further in the meantime.
    if (known.version > before.version)
      return known.version >= (more.at(-1)?.version ?? 0) ? known : stateOf(key);
    const state = foldStanding(before, more);
    states.set(key, state);
    return state;
  };

  const record: Wishes["record"] = async (key, event, isIn = () => false) => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const state = await stateOf(key);
      if (isIn(state)) return state;
      if ((await ledger.append(streamOf(key), state.version, event)).ok) return stateOf(key);
    }
    throw new FaultError({
      kind: "timed-out",
      what: streamOf(key),
      detail: `others kept writing through ${attempts} tries`,
    });
  };

  let due = { day: "", version: 0, last: Promise.resolve() };

  /** Written before the wish, so that a process that dies in between leaves a mark too many and not one too few. */
  const mark = async (key: string): Promise<void> => {
    const day = utcDay(clock.now());
    if (marked.get(key) === day) return;
    const mine = due.last.then(async () => {
      if (marked.get(key) === day) return;
      if (due.day !== day) due = { ...due, day, version: 0 };
      for (let attempt = 0; attempt < attempts; attempt++) {
        const event = { type: "due", data: { key } };
        const { ok, version } = await ledger.append(`board-due/${day}`, due.version, event);
        due.version = version;
        if (!ok) continue;
        if (marked.size > mostRemembered * 10) marked.clear();
        marked.set(key, day);
        return;
      }
      throw new FaultError({
        kind: "timed-out",
        what: `board-due/${day}`,
        detail: `others kept writing through ${attempts} tries`,
      });
    });
    due.last = mine.catch(() => {});
    await mine;
  };

  const tell = (key: string): void => {
    for (const hear of hearers) hear(key);
  };

  const write = async (key: string, reply: Json, place: Place | undefined): Promise<void> => {
    await mark(key);
    const said = JSON.stringify(reply);
    await record(
      key,
      { type: "put", data: { reply, ...(place === undefined ? {} : { place: { ...place } }) } },
      (state) => JSON.stringify(state.put?.reply) === said,
    );
    tell(key);
  };

  const put: Board["put"] = (key, reply, place) => {
    const stored = storable(reply);
    const behind = waiting.get(key);
    if (behind !== undefined) {
      behind.reply = stored;
      return behind.written;
    }
    const before = writing.get(key);
    const next = { reply: stored, place, written: Promise.resolve() };
    if (before !== undefined) waiting.set(key, next);
    next.written = (async () => {
      if (before !== undefined) {
        await before.catch(() => {});
        waiting.delete(key);
      }
      await write(key, next.reply, next.place);
    })();
    const mine = next.written;
    writing.set(key, mine);
    void mine
      .catch(() => {})
      .finally(() => {
        if (writing.get(key) === mine) writing.delete(key);
      });
    return mine;
  };

  const note: Board["note"] = async (key, id, reply, files = []) => {
    const isIn = (state: Standing): boolean => state.notes.some((one) => one.id === id);
    if (isIn(await stateOf(key))) return;
    await mark(key);
    const all = withPictures(reply, files);
    const known = all.map(({ name, text }) => ({
      name,
      form: typeof text === "string" ? ("text" as const) : ("base64" as const),
      data: typeof text === "string" ? text : base64(text),
    }));
    // A writing that was cut off left pieces behind: a name of its own keeps them from mixing with these.
    const from = crypto.randomUUID();
    for (const [nth, { data }] of known.entries())
      for (const piece of piecesOf(data))
        await record(key, { type: "part", data: { from, nth, data: piece } }, isIn);
    await record(
      key,
      {
        type: "note",
        data: { id, from, reply: storable(reply), files: known.map(({ name, form }) => ({ name, form })) },
      },
      isIn,
    );
    tell(key);
  };

  const posts = new Map<string, Set<Promise<unknown>>>();

  const keyAt = async (channel: string, thread: string): Promise<string | undefined> => {
    const last = (await ledger.read(placeStream(channel, thread))).at(-1);
    const { key } = (last?.data ?? {}) as { key?: unknown };
    return typeof key === "string" ? key : undefined;
  };

  return {
    board: {
      put,
      note,
      keyOf: async (channel, thread) => {
        const known = await keyAt(channel, thread);
        const under = posts.get(channel);
        if (known !== undefined || under === undefined) return known;
        await Promise.allSettled(under);
        return keyAt(channel, thread);
      },
    },
    stateOf,
    record,
    placed: async (key, at) => {
      const stream = placeStream(at.channel, at.thread);
      for (let attempt = 0; attempt < attempts; attempt++) {
        const last = (await ledger.read(stream)).at(-1);
        if ((last?.data as { key?: unknown } | undefined)?.key === key) return;
        if ((await ledger.append(stream, last?.version ?? 0, { type: "is", data: { key } })).ok) return;
      }
      log({ level: "error", msg: "whose thread this is could not be written", key, ...at });
    },
    during: async (channel, post) => {
      const under = posts.get(channel) ?? new Set();
      posts.set(channel, under.add(post));
      try {
        return await post;
      } finally {
        under.delete(post);
        if (under.size === 0) posts.delete(channel);
      }
    },
    recent: async (days) => {
      const keys = new Set<string>();
      for (let back = days; back >= 0; back--) {
        const day = utcDay(clock.now() - back * 24 * 60 * 60_000);
        for (const { data } of await ledger.read(`board-due/${day}`)) {
          const { key } = (data ?? {}) as { key?: unknown };
          if (typeof key === "string") keys.add(key);
        }
      }
      return [...keys];
    },
    onWish: (hear) => {
      hearers.push(hear);
    },
    forget: (key) => {
      if (states.size > mostRemembered) states.delete(key);
    },
  };
}
