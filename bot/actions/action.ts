import type { Reply } from "#shared/reply.ts";
import type { Pressed } from "../asking.ts";
import type { Deps } from "../commands/command.ts";

/**
 * What a press comes to: a command asked by whoever pressed (with their rights, not the first asker's), or an answer.
 * `about` is the board's name of the thing whose button it is.
 */
export type PressOutcome = Readonly<{ words: string; about?: string }> | Readonly<{ reply: Reply }>;

export type Action = Readonly<{
  id: string;
  press: (context: Readonly<{ pressed: Pressed; deps: Deps }>) => Promise<PressOutcome>;
}>;
