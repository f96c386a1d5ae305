import type { Board } from "#shared/board/board.ts";
import type { Posted, PostMessage } from "#shared/drift/post-message.ts";

const here = "board";

/**
 * Reports told through the board: the message of an id is the thing `drift/ID`, and what is new in it goes to its
 * thread. The board keeps a wish until it is delivered, so what was once meant to be posted can always be edited.
 */
export const boardMessages = (board: Board): PostMessage => ({
  post: async (id, reply, thread) => {
    if (thread === undefined) await board.put(`drift/${id}`, reply);
    else await board.note(`drift/${thread.ts}`, id, reply);
    return { channel: here, ts: id };
  },
  update: async (at, _, reply) => {
    await board.put(`drift/${at.ts}`, reply);
    return "done";
  },
  // A note is posted once by its id whoever asks again; a message is put again by its key.
  find: async (id, _, thread): Promise<Posted | undefined> =>
    thread === undefined ? { channel: here, ts: id } : undefined,
});
