import type { Reply } from "../reply.ts";

/** A file for a thread, such as a patch or a long table. */
export type Attachment = Readonly<{ name: string; text: string | Uint8Array }>;

/**
 * Standing messages: one a thing (`run/R-17`, `drift/goldentooth.net`, `alert/…`), posted once, edited as the thing
 * changes, with details in its thread. Calls return when the wish is in the ledger; delivery follows, is repeated until
 * it succeeded, survives a restart, and a message that may have been posted twice says so.
 */
export type Board = Readonly<{
  /** Where a person finds the notes of a thing, seen from its message; in its thread unless said otherwise. */
  notesAre?: "on this screen";
  /** Posts the message of a thing, or edits it to this state. Latest wins; the last state always arrives. */
  put: (key: string, reply: Reply, place?: Place) => Promise<void>;
  /** Adds to the thread of a thing. `id` makes it once: the same id again is not posted twice. */
  note: (key: string, id: string, reply: Reply, files?: readonly Attachment[]) => Promise<void>;
  /** The thing whose thread this is. */
  keyOf: (channel: string, thread: string) => Promise<string | undefined>;
}>;

/** Where a thing is told first; without it, the report channel of the config. Ignored once the message exists. */
export type Place = Readonly<{ channel?: string; thread?: string }>;
