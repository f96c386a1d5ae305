import type { Reply } from "../reply.ts";

/** Where a message stands. */
export type Posted = Readonly<{ channel: string; ts: string }>;

/** Posting and editing, as narrow as a report needs it. All throw FaultError where nobody knows or nothing was done. */
export type PostMessage = Readonly<{
  /** `id` is unique for this message, and goes with it where the surface can carry it. */
  post: (id: string, reply: Reply, thread?: Posted) => Promise<Posted>;
  /** `gone` when there is no such message any more. */
  update: (at: Posted, id: string, reply: Reply) => Promise<"done" | "gone">;
  /** Where the message of this id stands, though the answer to its posting was lost. */
  find: (id: string, sinceMs: number, thread?: Posted) => Promise<Posted | undefined>;
}>;
