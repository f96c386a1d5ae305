import type { SlackApi, SlackContent, SlackResult } from "#shared/adapters/slack-api.ts";
import type { Clock } from "#shared/clock.ts";

/** A `response_url`: Slack takes five posts within 30 minutes, also where the bot is not a member. */
export type ReplyUrl = Readonly<{
  usable: () => boolean;
  respond: (
    content: SlackContent & Readonly<{ visible: "ephemeral" | "in_channel"; thread?: string }>,
  ) => Promise<SlackResult<undefined>>;
}>;

const mostPosts = 5;
/** A minute less than Slack says, for clocks that differ. */
const livesMs = 29 * 60_000;

/** Counts the budget, so that a post is never spent on finding out that none is left. */
export function createReplyUrl(api: SlackApi, url: string | undefined, clock: Clock): ReplyUrl {
  const until = clock.now() + livesMs;
  let used = 0;
  const usable = (): boolean => url !== undefined && used < mostPosts && clock.now() < until;
  return {
    usable,
    respond: async (content) => {
      if (url === undefined || !usable())
        return { ok: false, trouble: { kind: "refused", error: "used_url", messages: [] } };
      used += 1;
      return api.respond(url, content);
    },
  };
}
