import type { Json } from "#shared/json.ts";

export type JsonObject = { readonly [key: string]: Json | undefined };

/** What a sender may say in a message; everything else is decided by the workspace. */
export type Content = Readonly<{
  text: string;
  blocks: readonly JsonObject[];
  attachments: readonly JsonObject[];
  metadata?: JsonObject;
}>;

/** A message as the workspace keeps it. Values are never changed in place: an edit makes a new one. */
export type Message = Content &
  Readonly<{
    channel: string;
    ts: string;
    threadTs?: string;
    /** User id of the author; the bot's user id for the app's messages. */
    user: string;
    /** Present when the app posted it. */
    botId?: string;
    team: string;
    editedTs?: string;
    files: readonly JsonObject[];
    reactions: readonly Readonly<{ name: string; users: readonly string[] }>[];
    /** The only person who sees it; such a message is in no history. */
    onlyFor?: string;
    /** An error or notice that Slack itself shows, not the app. */
    fromSlack?: boolean;
  }>;

/** The message as Web API answers and payloads carry it. Metadata goes only to those who asked for it. */
export function wireMessage(
  message: Message,
  replies: readonly Message[] = [],
  metadata: "with-metadata" | "without-metadata" = "without-metadata",
): JsonObject {
  const last = replies.at(-1);
  return {
    type: "message",
    ...(message.botId === undefined ? {} : { bot_id: message.botId }),
    user: message.user,
    team: message.team,
    ts: message.ts,
    text: message.text,
    ...(message.blocks.length === 0 ? {} : { blocks: message.blocks }),
    ...(message.attachments.length === 0 ? {} : { attachments: message.attachments }),
    ...(message.files.length === 0 ? {} : { files: message.files }),
    ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
    ...(message.editedTs === undefined ? {} : { edited: { user: message.user, ts: message.editedTs } }),
    ...(message.reactions.length === 0
      ? {}
      : { reactions: message.reactions.map((r) => ({ ...r, count: r.users.length })) }),
    ...(last === undefined
      ? {}
      : {
          thread_ts: message.ts,
          reply_count: replies.length,
          reply_users_count: new Set(replies.map((reply) => reply.user)).size,
          reply_users: [...new Set(replies.map((reply) => reply.user))],
          latest_reply: last.ts,
        }),
    ...(metadata === "with-metadata" && message.metadata !== undefined ? { metadata: message.metadata } : {}),
    ...(message.onlyFor === undefined ? {} : { is_ephemeral: true }),
  };
}
