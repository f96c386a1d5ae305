/** Errors by which Slack says that the bot cannot write into the channel, whatever the message. */
export const closedToUs: ReadonlySet<string> = new Set([
  "not_in_channel",
  "channel_not_found",
  "is_archived",
  "restricted_action",
  "restricted_action_read_only_channel",
  "restricted_action_thread_only_channel",
  "restricted_action_thread_locked",
  "channel_is_limited_access",
]);

/** Errors after which an edit of this message can never succeed. */
export const lostMessage: ReadonlySet<string> = new Set([
  "message_not_found",
  "cant_update_message",
  "edit_window_closed",
  "block_mismatch",
  "thread_not_found",
]);
