import * as z from "zod";
import type { LedgerEvent } from "../ledger/ledger.ts";
import type { Reply } from "../reply.ts";
import type { Attachment } from "./board.ts";

/**
 * One thing's standing message as its stream `board/KEY` tells it: what people should see (wishes) beside what is known
 * to have been sent (deliveries). Every sending is intended before and confirmed after, so that whoever reads the stream
 * next knows what may be there already.
 */
export type Standing = Readonly<{
  key: string;
  /** Version of the stream this was folded from. */
  version: number;
  /** The latest wish; older ones are history. */
  put?: Readonly<{ reply: Reply; version: number }>;
  /** Where the first wish wanted it, when it said so. */
  place?: Readonly<{ channel?: string; thread?: string }>;
  /** The channel that took it in when its own one did not. */
  refuge?: Readonly<{ channel: string; from: string }>;
  /** Grows whenever the message is lost and has to be posted anew. */
  generation: number;
  /** Slack's word for how the message before this one was lost. */
  lost?: string;
  message: Sending;
  /** The version of the wish that people see, and when it was sent, milliseconds since the epoch. */
  shown?: Readonly<{ version: number; at: number }>;
  /** In the order in which they were wished for. */
  notes: readonly Note[];
  /** What has been uploaded into the thread, or has failed for good. */
  uploads: ReadonlyMap<string, Upload>;
  /** Pieces of files whose note is still to come, by whatever wrote them. */
  pieces: ReadonlyMap<string, readonly string[]>;
}>;

/** How far the posting of one message has come. */
export type Sending = Readonly<{
  /** Set while it may or may not have arrived. */
  intendedAt?: number;
  posted?: Readonly<{ channel: string; ts: string; thread?: string }>;
  /** It was posted without knowing whether it was there already. */
  mayRepeat: boolean;
}>;

export type Note = Readonly<{
  id: string;
  /** Dropped, with the files, once it was delivered. */
  reply?: Reply;
  files: readonly Attachment[];
  sending: Sending;
  /** Nothing is left to do about it. */
  closed: boolean;
}>;

export type Upload = Readonly<{ intendedAt: number; done: boolean }>;

const replySchema = z.looseObject({
  verdict: z.looseObject({ word: z.string(), outcome: z.string(), text: z.array(z.unknown()) }),
  findings: z.array(z.unknown()),
  blocks: z.array(z.unknown()),
  actions: z.array(z.unknown()),
});
const placeSchema = z.object({ channel: z.string().optional(), thread: z.string().optional() });
const postedSchema = z.object({
  what: z.string(),
  channel: z.string(),
  ts: z.string(),
  thread: z.string().optional(),
  shows: z.number().optional(),
});
const whatSchema = z.object({ what: z.string() });
const events = {
  put: z.object({ reply: replySchema, place: placeSchema.optional() }),
  part: z.object({ from: z.string(), nth: z.number(), data: z.string() }),
  note: z.object({
    id: z.string(),
    from: z.string(),
    reply: replySchema,
    files: z.array(z.object({ name: z.string(), form: z.enum(["text", "base64"]) })),
  }),
  posted: postedSchema,
  shown: z.object({ version: z.number() }),
  moved: z.object({ to: z.string(), from: z.string() }),
  lost: z.object({ error: z.string() }),
} as const;

/** What a sending is called in the stream: the standing message itself, or a note of its thread. */
export const theMessage = "message";
export const noteCalled = (id: string): string => `note/${id}`;

type Draft = {
  -readonly [K in keyof Standing]: Standing[K] extends ReadonlyMap<infer A, infer B>
    ? Map<A, B>
    : Standing[K];
};

const unsent: Sending = { mayRepeat: false };

export const noStanding = (key: string): Standing => ({
  key,
  version: 0,
  generation: 1,
  message: unsent,
  notes: [],
  uploads: new Map(),
  pieces: new Map(),
});

function sendingOf(draft: Draft, what: string, change: (before: Sending) => Sending): void {
  if (what === theMessage) draft.message = change(draft.message);
  else
    draft.notes = draft.notes.map((note) =>
      noteCalled(note.id) === what ? { ...note, sending: change(note.sending) } : note,
    );
}

/** As it was written, keys in their order: so a repeated wish is seen to be one. */
const replyIn = (data: unknown): Reply => (data as { reply: Reply }).reply;

const fileOf = (name: string, form: "text" | "base64", data: string): Attachment => ({
  name,
  text: form === "text" ? data : Uint8Array.from(atob(data), (char) => char.charCodeAt(0)),
});

function apply(draft: Draft, event: LedgerEvent): void {
  const data = event.data;
  switch (event.type) {
    case "put": {
      const parsed = events.put.safeParse(data);
      if (!parsed.success) return;
      const { place } = parsed.data;
      draft.put = { reply: replyIn(data), version: event.version };
      if (draft.place === undefined && place !== undefined)
        draft.place = {
          ...(place.channel === undefined ? {} : { channel: place.channel }),
          ...(place.thread === undefined ? {} : { thread: place.thread }),
        };
      return;
    }
    case "part": {
      const parsed = events.part.safeParse(data);
      if (!parsed.success) return;
      const { from, nth, data: piece } = parsed.data;
      const before = [...(draft.pieces.get(from) ?? [])];
      before[nth] = (before[nth] ?? "") + piece;
      draft.pieces.set(from, before);
      return;
    }
    case "note": {
      const parsed = events.note.safeParse(data);
      if (!parsed.success || draft.notes.some((note) => note.id === parsed.data.id)) return;
      const { id, from, files } = parsed.data;
      const held = draft.pieces.get(from) ?? [];
      draft.pieces.delete(from);
      draft.notes = [
        ...draft.notes,
        {
          id,
          reply: replyIn(data),
          files: files.map(({ name, form }, nth) => fileOf(name, form, held[nth] ?? "")),
          sending: unsent,
          closed: false,
        },
      ];
      return;
    }
    case "intended": {
      const parsed = whatSchema.safeParse(data);
      if (parsed.success)
        sendingOf(draft, parsed.data.what, (before) => ({
          ...before,
          intendedAt: before.intendedAt ?? event.at,
        }));
      return;
    }
    case "unsent": {
      const parsed = whatSchema.safeParse(data);
      if (parsed.success) sendingOf(draft, parsed.data.what, ({ intendedAt: _, ...before }) => before);
      return;
    }
    case "unsure": {
      const parsed = whatSchema.safeParse(data);
      if (parsed.success)
        sendingOf(draft, parsed.data.what, ({ intendedAt: _, ...before }) => ({
          ...before,
          mayRepeat: true,
        }));
      return;
    }
    case "posted": {
      const parsed = events.posted.safeParse(data);
      if (!parsed.success) return;
      const { what, channel, ts, thread, shows } = parsed.data;
      sendingOf(draft, what, (before) =>
        before.posted === undefined
          ? {
              mayRepeat: before.mayRepeat,
              posted: { channel, ts, ...(thread === undefined ? {} : { thread }) },
            }
          : before,
      );
      if (what === theMessage && shows !== undefined) draft.shown = { version: shows, at: event.at };
      return;
    }
    case "shown": {
      const parsed = events.shown.safeParse(data);
      if (parsed.success) draft.shown = { version: parsed.data.version, at: event.at };
      return;
    }
    case "moved": {
      const parsed = events.moved.safeParse(data);
      if (!parsed.success) return;
      draft.refuge = { channel: parsed.data.to, from: parsed.data.from };
      draft.message = unsent;
      draft.generation += 1;
      delete draft.shown;
      return;
    }
    case "lost": {
      const parsed = events.lost.safeParse(data);
      if (!parsed.success) return;
      draft.lost = parsed.data.error;
      draft.message = unsent;
      draft.generation += 1;
      delete draft.shown;
      return;
    }
    case "uploading":
    case "uploaded": {
      const parsed = whatSchema.safeParse(data);
      if (!parsed.success) return;
      const before = draft.uploads.get(parsed.data.what);
      draft.uploads.set(parsed.data.what, {
        intendedAt: before?.intendedAt ?? event.at,
        done: event.type === "uploaded" || before?.done === true,
      });
      return;
    }
    case "closed": {
      const parsed = whatSchema.safeParse(data);
      if (parsed.success)
        draft.notes = draft.notes.map(({ reply, files, ...note }) =>
          noteCalled(note.id) === parsed.data.what
            ? { ...note, files: [], closed: true }
            : { ...note, files, ...(reply === undefined ? {} : { reply }) },
        );
      return;
    }
  }
}

/** The state after more events of its stream. What cannot be read is skipped: newer processes may write more. */
export function foldStanding(before: Standing, more: readonly LedgerEvent[]): Standing {
  const draft: Draft = { ...before, uploads: new Map(before.uploads), pieces: new Map(before.pieces) };
  for (const event of more) {
    apply(draft, event);
    draft.version = event.version;
  }
  return draft;
}

/** What is still to be sent, in the order in which it should be. */
export type Due =
  | Readonly<{ do: "post" | "edit" }>
  | Readonly<{ do: "note" | "attach"; note: Note }>
  | Readonly<{ do: "nothing" }>;

/** `mayEdit` is false while the last edit is too young for another: the thread goes first then. */
export function nextDue(state: Standing, mayEdit: boolean): Due {
  if (state.put === undefined) return { do: "nothing" };
  if (state.message.posted === undefined) return { do: "post" };
  const stale = (state.shown?.version ?? 0) < state.put.version;
  if (stale && mayEdit) return { do: "edit" };
  const note = state.notes.find((one) => !one.closed);
  if (note !== undefined) return { do: note.sending.posted === undefined ? "note" : "attach", note };
  return stale ? { do: "edit" } : { do: "nothing" };
}

/** The thread in which a standing message has its details; undefined while it is nowhere. */
export const threadOf = (state: Standing): Readonly<{ channel: string; thread: string }> | undefined =>
  state.message.posted && {
    channel: state.message.posted.channel,
    thread: state.message.posted.thread ?? state.message.posted.ts,
  };

/** The message's name in its metadata: another one after each loss, so that a lost one is not found instead. */
export const messageId = (state: Standing): string =>
  `board/${state.key}${state.generation === 1 ? "" : `#${state.generation}`}`;
