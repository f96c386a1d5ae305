import * as z from "zod";

const user = z.string().min(1);

export const commandBody = z.object({
  command: z.string().min(2),
  text: z.string().default(""),
  user_id: user,
  team_id: z.string().optional(),
  enterprise_id: z.string().optional(),
  channel_id: z.string().min(1),
  /** Slack always sends one; without it answers go by message only. */
  response_url: z.url().optional(),
  trigger_id: z.string().min(1),
});
export type CommandBody = z.output<typeof commandBody>;

export const mentionBody = z.object({
  event_id: z.string().min(1),
  team_id: z.string().optional(),
  enterprise_id: z.string().nullish(),
  event: z.object({
    channel: z.string().min(1),
    text: z.string().default(""),
    ts: z.string().min(1),
    thread_ts: z.string().optional(),
    user: z.string().optional(),
    /** The sender's workspace; Slack gives `user_team` in shared channels and `team` elsewhere. */
    user_team: z.string().optional(),
    team: z.string().optional(),
    bot_id: z.string().optional(),
  }),
});
export type MentionBody = z.output<typeof mentionBody>;

export const pressBody = z.object({
  user: z.object({ id: user, team_id: z.string().optional() }),
  team: z.object({ id: z.string(), enterprise_id: z.string().optional() }).nullish(),
  enterprise: z.object({ id: z.string() }).nullish(),
  channel: z.object({ id: z.string() }).optional(),
  container: z
    .looseObject({
      channel_id: z.string().optional(),
      message_ts: z.string().optional(),
      thread_ts: z.string().optional(),
      is_ephemeral: z.boolean().optional(),
    })
    .optional(),
  message: z.looseObject({ ts: z.string().optional(), thread_ts: z.string().optional() }).optional(),
  response_url: z.url().optional(),
  actions: z
    .array(
      z.looseObject({
        action_id: z.string(),
        value: z.string().optional(),
        action_ts: z.string().default(""),
      }),
    )
    .min(1),
});
export type PressBody = z.output<typeof pressBody>;

export const shortcutBody = z.object({
  user: z.object({ id: user, team_id: z.string().optional() }),
  team: z.object({ id: z.string(), enterprise_id: z.string().optional() }).nullish(),
  enterprise: z.object({ id: z.string() }).nullish(),
  channel: z.object({ id: z.string().min(1) }),
  message: z.looseObject({
    ts: z.string().min(1),
    thread_ts: z.string().optional(),
    text: z.string().optional(),
    user: z.string().optional(),
    bot_id: z.string().optional(),
    username: z.string().optional(),
  }),
  response_url: z.url().optional(),
  callback_id: z.string().optional(),
  trigger_id: z.string().min(1),
});
export type ShortcutBody = z.output<typeof shortcutBody>;

/** What the catch-alls need of anything that people can send. */
export const anyBody = z.looseObject({
  response_url: z.string().optional(),
  command: z.string().optional(),
  callback_id: z.string().optional(),
});
