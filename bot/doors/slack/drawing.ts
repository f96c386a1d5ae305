import type { KnownBlock } from "@slack/types";
import type { SlackContent, SlackUpload } from "#shared/adapters/slack-api.ts";
import type { AckMessage } from "#shared/adapters/slack-inbound.ts";
import type { Reply } from "#shared/reply.ts";
import { renderSlack } from "#shared/report/slack.ts";
import { renderSlackPlain } from "#shared/report/slack-plain.ts";

/** `plain` is the form for a workspace or client that refuses the usual blocks. */
export type Form = "usual" | "plain";

export type Drawn = Readonly<{ text: string; blocks: readonly KnownBlock[]; files: readonly SlackUpload[] }>;

export const draw = (reply: Reply, form: Form = "usual"): Drawn =>
  form === "usual" ? renderSlack(reply) : renderSlackPlain(reply);

export const contentOf = (drawn: Drawn, ids: Readonly<{ run: string; message: string }>): SlackContent => ({
  text: drawn.text,
  blocks: drawn.blocks,
  run: ids.run,
  message: ids.message,
});

export const ackOf = (drawn: Drawn, visible: AckMessage["visible"]): AckMessage => ({
  text: drawn.text,
  blocks: drawn.blocks,
  visible,
});

/** Answers that concern the asker alone: a slip of the fingers, a missing right, somebody else's turn. */
export const isPrivate = (reply: Reply): boolean =>
  reply.verdict.outcome === "denied" || reply.verdict.outcome === "usage" || reply.verdict.outcome === "busy";

/** Slack's words for content it cannot show, which the plain form may still get through. */
export const isContentRefusal = (error: string): boolean =>
  [
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "msg_too_long",
    "invalid_arguments",
    "only_one_table_allowed",
  ].includes(error);
