import type { Posted, PostMessage } from "../drift/post-message.ts";
import { FaultError } from "../fault.ts";
import type { Reply } from "../reply.ts";
import { renderSlack } from "../report/slack.ts";
import type { SlackApi, SlackTrouble } from "./slack-api.ts";

const words = (trouble: SlackTrouble): string =>
  trouble.kind === "rate-limited"
    ? `too many requests, again in ${Math.ceil(trouble.retryAfterMs / 1_000)} s`
    : trouble.kind === "unavailable"
      ? trouble.detail
      : [trouble.error, trouble.needed, ...trouble.messages].filter((part) => part).join(" ");

const faultOf = (trouble: SlackTrouble, what: string): FaultError =>
  new FaultError({
    kind: trouble.kind === "unavailable" ? "unreachable" : "refused",
    what,
    detail: words(trouble),
  });

/** Slack's words for a message that is not there, or not ours, any more. */
const gone = new Set(["message_not_found", "cant_update_message", "thread_not_found"]);

/** Reports in one channel of Slack, for whoever runs without the bot's own delivery. */
export function postToSlack(
  api: SlackApi,
  options: Readonly<{
    channel: string;
    /** What went wrong beside the message itself: a file that could not be added. */
    log: (entry: Readonly<Record<string, unknown>>) => void;
  }>,
): PostMessage {
  const { channel } = options;
  const content = (id: string, reply: Reply) => {
    const { text, blocks, files } = renderSlack(reply);
    return { files, said: { text, blocks, run: id, message: id } };
  };

  return {
    post: async (id, reply, thread) => {
      const { files, said } = content(id, reply);
      const to = thread ? { channel: thread.channel, thread: thread.ts } : { channel };
      const sent = await api.post(to, said);
      if (!sent.ok) throw faultOf(sent.trouble, `message to Slack channel ${channel}`);
      if (files.length > 0) {
        const uploaded = await api.upload(
          { channel: sent.value.channel, thread: thread?.ts ?? sent.value.ts },
          files,
        );
        if (!uploaded.ok)
          options.log({
            level: "warn",
            msg: "the report's files could not be added",
            why: words(uploaded.trouble),
          });
      }
      return sent.value;
    },
    update: async (at, id, reply) => {
      const edited = await api.update(at, content(id, reply).said);
      if (edited.ok) return "done";
      const { trouble } = edited;
      if (trouble.kind === "refused" && gone.has(trouble.error)) return "gone";
      throw faultOf(trouble, `edit of a message in Slack channel ${channel}`);
    },
    find: async (id, sinceMs, thread): Promise<Posted | undefined> => {
      const place = thread ? { channel: thread.channel, thread: thread.ts } : { channel };
      const found = await api.find({ ...place, sinceMs }, id);
      if (found.ok)
        return found.value === undefined ? undefined : { channel: place.channel, ts: found.value };
      // Who may not read the channel cannot know; a second message is better than none.
      if (found.trouble.kind === "refused") return undefined;
      throw faultOf(found.trouble, `history of Slack channel ${channel}`);
    },
  };
}
