import * as z from "zod";
import type { SlackHandlers } from "#shared/adapters/slack-inbound.ts";
import type { Reply } from "#shared/reply.ts";
import { actionOf } from "#shared/report/slack-actions.ts";
import type { Asking } from "../../asking.ts";
import type { Quoting } from "../../commands/command.ts";
import { createCommandAnswers } from "./command-answers.ts";
import { ackOf, contentOf, draw } from "./drawing.ts";
import type { Sender } from "./identity.ts";
import { createLiveMessage } from "./live.ts";
import { normalise, wordsOfMention } from "./normalise.ts";
import type { Letter } from "./outbox.ts";
import {
  anyBody,
  commandBody,
  type MentionBody,
  mentionBody,
  type PressBody,
  pressBody,
  type ShortcutBody,
  shortcutBody,
} from "./payloads.ts";
import { createReplyUrl } from "./reply-url.ts";
import {
  doorFault,
  noIncidentHere,
  noRunHere,
  noShortcuts,
  strangers,
  unknownAction,
  unknownCommand,
  unreadableInput,
} from "./sentences.ts";
import { addToTimeline, nextStep, shortcuts } from "./shortcuts.ts";
import { createTelling, type Listening } from "./telling.ts";
import type { Meant } from "./thread-words.ts";

/** What Slack sends, turned into questions to the app and exactly one visible answer each. */
export function createListeners(listening: Listening): SlackHandlers {
  const { app, sending, once, outbox } = listening;
  const { api, clock, pace, log } = sending;
  const telling = createTelling(listening);
  const { refusal, asker, whisper, answerAt } = telling;
  const answerCommand = createCommandAnswers(listening, telling);

  /** What somebody means by words in a thread; a ledger that cannot be asked leaves them as they are. */
  const keyOf = async (channel: string, thread: string | undefined): Promise<string | undefined> => {
    if (thread === undefined) return undefined;
    try {
      return await listening.board.keyOf(channel, thread);
    } catch (error) {
      log({ level: "error", msg: "whose thread this is could not be asked", channel, error: String(error) });
      return undefined;
    }
  };

  const inThread = (key: string | undefined, words: string): Meant =>
    (key === undefined ? undefined : listening.threads?.(key, words)) ?? {
      words: words === "" ? "arpeggio help" : words,
    };

  const askMeant = async (
    meant: Meant,
    who: Readonly<{ account: string; channel: string; about: string | undefined }>,
    quoting?: Quoting,
  ): Promise<Asking> =>
    "reply" in meant
      ? { kind: "answer", reply: meant.reply }
      : app.ask({
          ...asker(who.account, who.channel),
          words: meant.words,
          ...(who.about === undefined ? {} : { about: who.about }),
          ...(quoting === undefined ? {} : { quoting }),
        });

  const mention = async (body: MentionBody): Promise<void> => {
    const { event } = body;
    const account = event.user ?? event.bot_id;
    if (account === undefined) return;
    const words = wordsOfMention(event.text, listening.botUserId());
    const letter: Letter = {
      key: `event/${body.event_id}`,
      channel: event.channel,
      ...(event.thread_ts === undefined ? {} : { thread: event.thread_ts }),
      account,
      title: `@arpeggio ${words}`.trim(),
    };
    // The letter is the claim: Slack has its acknowledgement already, so from here on only the ledger remembers.
    const entry = await outbox.open(letter);
    if (entry === undefined) return;
    const sender: Sender = {
      user: account,
      team: event.user_team ?? event.team ?? body.team_id,
      enterprise: body.enterprise_id ?? undefined,
      bot: event.bot_id !== undefined,
    };
    const refused = await refusal(sender);
    if (refused === strangers.bot) {
      // Nobody reads an ephemeral message to a bot; and two bots must not talk for ever.
      if (await once.claimFor(`bot/${account}`, 60 * 60_000)) {
        await createLiveMessage(sending, { letter, entry, run: letter.key }).finish(refused);
      } else await entry.closed();
      return;
    }
    try {
      await answerAt(
        letter,
        async () => {
          if (refused !== undefined) return { kind: "answer", reply: refused };
          const about = await keyOf(event.channel, event.thread_ts);
          return askMeant(inThread(about, words), { account, channel: event.channel, about });
        },
        { entry },
        event.thread_ts,
      );
    } catch (error) {
      // Told as a fault by the caller; a restart must not tell it once more.
      await entry.closed();
      throw error;
    }
  };

  /** An error of the door's own: logged, and told to whoever waits for an answer. */
  const orFault = async (
    work: Promise<void>,
    to: Readonly<{ key: string; channel: string | undefined; account: string | undefined }>,
  ): Promise<void> => {
    try {
      await work;
    } catch (error) {
      log({
        level: "error",
        msg: "unexpected fault in the Slack door",
        id: to.key,
        error: error instanceof Error ? error.stack : String(error),
      });
      if (to.channel === undefined || to.account === undefined) return;
      const letter = { key: to.key, channel: to.channel, account: to.account, title: "that" };
      await whisper({ letter }, doorFault(to.key));
    }
  };

  const press = async (body: PressBody): Promise<void> => {
    const [action] = body.actions;
    const channel = body.channel?.id ?? body.container?.channel_id;
    if (action === undefined || channel === undefined) return;
    const id = actionOf(action.action_id);
    const ts = body.message?.ts ?? body.container?.message_ts ?? "";
    const user = body.user.id;
    const button = `press/${channel}/${ts}/${action.action_id}/${action.value ?? ""}/${user}`.slice(0, 700);
    const key = `${button}/${action.action_ts}`;
    if (!(await once.claim(key)) || !(await once.claimFor(button, pace.doubleClickMs))) return;
    const isEphemeral = body.container?.is_ephemeral === true;
    const existingThread = body.message?.thread_ts ?? body.container?.thread_ts;
    const thread = existingThread ?? (isEphemeral ? undefined : ts);
    const letter: Letter = {
      key,
      channel,
      ...(thread === undefined || thread === "" ? {} : { thread }),
      account: user,
      title: `button ${id ?? action.action_id}`,
    };
    const replyUrl =
      body.response_url === undefined ? undefined : createReplyUrl(api, body.response_url, clock);
    const sender: Sender = {
      user,
      team: body.user.team_id ?? body.team?.id,
      enterprise: body.enterprise?.id ?? body.team?.enterprise_id,
      bot: false,
    };
    await answerAt(
      letter,
      async () => {
        const refused = await refusal(sender);
        if (refused !== undefined) return { kind: "answer", reply: refused };
        if (id === undefined) return { kind: "answer", reply: unknownAction };
        const about = await keyOf(channel, existingThread);
        return app.press({
          ...asker(user, channel),
          action: id,
          value: action.value ?? "",
          ...(about === undefined ? {} : { about }),
        });
      },
      replyUrl === undefined ? {} : { replyUrl },
      existingThread,
    );
  };

  /** Whoever wrote a message, as people call them. */
  const authorOf = ({ user, username, bot_id }: ShortcutBody["message"]): string =>
    (user === undefined ? undefined : listening.personOf(user)?.name) ??
    username ??
    user ??
    bot_id ??
    "somebody";

  const quoted = (channel: string, message: ShortcutBody["message"]): Quoting => ({
    channel,
    ts: message.ts,
    author: authorOf(message),
    at: Math.round(Number(message.ts) * 1_000) || clock.now(),
    text: normalise(message.text ?? "").replace(/<@([UW][A-Z0-9]+)>/g, (whole, id: string) => {
      const known = listening.personOf(id)?.name;
      return known === undefined ? whole : `@${known}`;
    }),
  });

  /** What a shortcut types in the thread of a message; which incident a message beside threads is about is asked later. */
  const meantByShortcut = async (body: ShortcutBody, thread: string): Promise<Asking> => {
    const { channel, message, user } = body;
    const about = await keyOf(channel.id, thread);
    const who = { account: user.id, channel: channel.id, about };
    if (body.callback_id !== addToTimeline.callback) {
      const meant = about === undefined ? undefined : listening.threads?.(about, nextStep.words);
      return askMeant(meant ?? { reply: noRunHere }, who);
    }
    const quoting = quoted(channel.id, message);
    if (about === undefined) return askMeant({ words: "runbook note" }, who, quoting);
    const [kind, id = ""] = about.split("/");
    return askMeant(
      kind === "incident" ? { words: `runbook note ${id}` } : { reply: noIncidentHere },
      who,
      quoting,
    );
  };

  /** One of our shortcuts on any message of a thing's thread, or on the thing's own message. */
  const shortcut = async (body: ShortcutBody): Promise<void> => {
    const { channel, message, user } = body;
    if (!(await once.claim(`shortcut/${body.trigger_id}`))) return;
    const thread = message.thread_ts ?? message.ts;
    const letter: Letter = {
      key: `shortcut/${body.trigger_id}`,
      channel: channel.id,
      thread,
      account: user.id,
      title: shortcuts.find(({ callback }) => callback === body.callback_id)?.name ?? nextStep.name,
    };
    const replyUrl =
      body.response_url === undefined ? undefined : createReplyUrl(api, body.response_url, clock);
    const sender: Sender = {
      user: user.id,
      team: user.team_id ?? body.team?.id,
      enterprise: body.enterprise?.id ?? body.team?.enterprise_id,
      bot: false,
    };
    await answerAt(
      letter,
      async () => {
        const refused = await refusal(sender);
        if (refused !== undefined) return { kind: "answer", reply: refused };
        return meantByShortcut(body, thread);
      },
      replyUrl === undefined ? {} : { replyUrl },
      message.thread_ts,
    );
  };

  const unreadable = (what: string, problem: z.ZodError): void =>
    log({ level: "error", msg: `Slack sent a ${what} that cannot be read`, error: z.prettifyError(problem) });

  /** Answers somebody by their reply URL where there is one, for input that nothing of ours offers. */
  const sayTo = (body: unknown, reply: Reply): void => {
    const url = z.url().safeParse(anyBody.safeParse(body).data?.response_url);
    if (!url.success) return;
    const replyUrl = createReplyUrl(api, url.data, clock);
    const content = contentOf(draw(reply), { run: "none", message: "none" });
    listening.track(replyUrl.respond({ ...content, visible: "ephemeral" }));
  };

  return {
    command: async (body, ack) => {
      const parsed = commandBody.safeParse(body);
      if (!parsed.success) {
        unreadable("command", parsed.error);
        await ack(ackOf(draw(unreadableInput), "ephemeral"));
        return;
      }
      await answerCommand(parsed.data, ack);
    },
    unknownCommand: async (body, ack) => {
      const command = anyBody.safeParse(body).data?.command ?? "this";
      await ack(ackOf(draw(unknownCommand(normalise(command), listening.commands)), "ephemeral"));
    },
    mention: async (body) => {
      const parsed = mentionBody.safeParse(body);
      if (!parsed.success) return unreadable("mention", parsed.error);
      const { event, event_id } = parsed.data;
      const work = orFault(mention(parsed.data), {
        key: event_id,
        channel: event.channel,
        account: event.user,
      });
      listening.track(work);
      await work;
    },
    action: async (body, ack) => {
      await ack();
      const parsed = pressBody.safeParse(body);
      if (!parsed.success) return unreadable("button press", parsed.error);
      const { channel, container, user, actions } = parsed.data;
      const work = orFault(press(parsed.data), {
        key: `press ${actions[0]?.action_ts}`,
        channel: channel?.id ?? container?.channel_id,
        account: user.id,
      });
      listening.track(work);
      await work;
    },
    unknownAction: async (body, ack) => {
      await ack();
      sayTo(body, unknownAction);
    },
    shortcut: async (body, ack) => {
      await ack();
      const callback = anyBody.safeParse(body).data?.callback_id;
      if (!shortcuts.some((each) => each.callback === callback)) return sayTo(body, noShortcuts);
      const parsed = shortcutBody.safeParse(body);
      if (!parsed.success) return unreadable("message shortcut", parsed.error);
      const { channel, user, trigger_id } = parsed.data;
      const work = orFault(shortcut(parsed.data), {
        key: `shortcut ${trigger_id}`,
        channel: channel.id,
        account: user.id,
      });
      listening.track(work);
      await work;
    },
    other: async (body, ack) => {
      await ack();
      sayTo(body, noShortcuts);
    },
    groupChanged: (group) => listening.forgetGroup(group),
  };
}
