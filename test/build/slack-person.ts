import type { EventAct } from "#infra/lab/slack/events.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import type { Act, Sending } from "#infra/lab/slack/people.ts";
import type { SlackWorkspace } from "#infra/lab/slack/workspace.ts";

/** Somebody at a keyboard in one channel of a workspace, so that a test reads like what people do. */
export type SlackPerson = Readonly<{
  user: string;
  /** `/arping httpbin --count 3` */
  types: (line: string, sending?: Sending) => Promise<Act>;
  /** Presses the button with this label, on the message as it stands now unless an old one is given. */
  presses: (label: string, message: Message, sending?: Sending) => Promise<Act>;
  /** `@arpeggio next`, in a thread when `threadTs` says so. */
  mentions: (text: string, threadTs?: string) => Promise<EventAct>;
  /** What this person reads in the channel, then what only they see; one string a message. */
  reads: () => readonly string[];
  /** The words of the first message that has them all, or a rejection after `ms`. */
  waitsFor: (words: string | readonly string[], ms?: number) => Promise<Message>;
}>;

export function personIn(
  slack: SlackWorkspace,
  who: Readonly<{ user: string; channel: string }>,
): SlackPerson {
  const { user, channel } = who;
  const seen = () => [
    ...slack.messages(channel),
    ...slack.ephemerals(user).filter((message) => message.channel === channel),
  ];
  return {
    user,
    types: (line, sending = {}) => {
      const [command = "", ...words] = line.split(" ");
      return slack.command({ ...who, command, text: words.join(" "), ...sending });
    },
    presses: (label, message, sending = {}) => slack.click({ user, message, label, ...sending }),
    mentions: (text, threadTs) =>
      slack.mention({ ...who, text, ...(threadTs === undefined ? {} : { threadTs }) }),
    reads: () => seen().map(slack.renderText),
    waitsFor: (words, ms = 5_000) => {
      const all = typeof words === "string" ? [words] : words;
      return slack.waitFor(
        () => seen().find((message) => all.every((word) => slack.renderText(message).includes(word))),
        ms,
        `a message with ${all.map((word) => JSON.stringify(word)).join(" and ")}`,
      );
    },
  };
}
