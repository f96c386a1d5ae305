import type { SlackResult } from "#shared/adapters/slack-api.ts";
import type { Reply } from "#shared/reply.ts";
import { strangers } from "./sentences.ts";

/** Who sent a payload, as its verified body says. */
export type Sender = Readonly<{
  user: string;
  /** The sender's own workspace. */
  team: string | undefined;
  enterprise?: string | undefined;
  bot: boolean;
}>;

type Profile = Readonly<{ bot: boolean; guest: boolean; stranger: boolean }>;

/** What the payload alone decides: a refusal, or undefined. `home` is the config's team (`T…`) or organisation (`E…`). */
export function refusalByPayload(sender: Sender, home: string): Reply | undefined {
  if (sender.bot) return strangers.bot;
  const own = home.startsWith("E") ? sender.enterprise === home : sender.team === home;
  return own ? undefined : strangers.team;
}

/**
 * What Slack's profile of somebody whom the config does not know adds. Without the scope `users:read` nobody can tell a
 * guest from a member, and such a caller may read at most; without an answer nothing is known, and that refuses.
 */
export function refusalByProfile(profile: SlackResult<Profile>): Reply | undefined {
  if (!profile.ok)
    return profile.trouble.kind === "refused" && profile.trouble.error === "missing_scope"
      ? undefined
      : strangers.unsure;
  if (profile.value.bot) return strangers.bot;
  if (profile.value.stranger) return strangers.team;
  return profile.value.guest ? strangers.guest : undefined;
}
