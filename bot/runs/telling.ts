import type { Block, Reply } from "#shared/reply.ts";
import { runKey } from "#shared/runs/run-log.ts";
import { type RunReplyOptions, runReply } from "#shared/runs/run-reply.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import type { Tell } from "#shared/runs/runner.ts";
import { type Text, text } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";
import { withPicture } from "../pictures.ts";
import { approversOf, refTo } from "./run-people.ts";

export const replyOptions = (deps: Deps, cluster: string, doing?: Text): RunReplyOptions => ({
  now: deps.clock.now(),
  approvers: approversOf(deps, cluster),
  ref: refTo(deps),
  notes: deps.board === undefined ? "below" : (deps.board.notesAre ?? "in the thread"),
  ...(doing !== undefined && { doing }),
});

/** A note as a part of another message, where there is no thread. */
const asBlocks = (
  { verdict, why, blocks }: Reply,
  files: readonly { name: string; text: string | Uint8Array }[],
): readonly Block[] => [
  { kind: "prose", text: text`${verdict.word}  ${verdict.text}` },
  ...(why === undefined ? [] : [{ kind: "prose" as const, text: why }]),
  ...blocks,
  ...files.map(
    ({ name, text: body }): Block => ({
      kind: "evidence",
      title: name,
      lines: typeof body === "string" ? body.trimEnd().split("\n") : [`${body.length} bytes`],
    }),
  ),
];

export type Telling = Readonly<{
  tell: Tell;
  /** What would be in the thread, where there is no board to have threads. */
  untold: () => readonly Block[];
}>;

/** Tells a run on the board, first in the channel where it was asked for, and to whoever waits for an answer. */
export function tellingOf(
  deps: Deps,
  cluster: string,
  to: Readonly<{ channel?: string; show?: (reply: Reply) => void }>,
): Telling {
  const { board } = deps;
  const blocks: Block[] = [];
  const told = new Set<string>();
  const draw = (state: RunState, doing?: Text): Reply => runReply(state, replyOptions(deps, cluster, doing));
  return {
    tell: {
      state: async (state, doing) => {
        const reply = draw(state, doing);
        // Where a message stands, the answer does not say it a second time.
        if (board === undefined) to.show?.({ ...reply, actions: [] });
        await board?.put(
          runKey(state.id),
          reply,
          to.channel === undefined ? undefined : { channel: to.channel },
        );
      },
      note: async (state, id, words, files = [], pictures = []) => {
        let reply = words;
        for (const picture of pictures) reply = await withPicture(deps.drawPng, reply, () => picture);
        if (board !== undefined) await board.note(runKey(state.id), id, reply, files);
        else if (!told.has(id)) {
          told.add(id);
          blocks.push(...asBlocks(reply, files));
        }
      },
    },
    untold: () => blocks,
  };
}
