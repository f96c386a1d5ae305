import * as z from "zod";
import type { SlackApi } from "#shared/adapters/slack-api.ts";
import type { Ack, AckMessage, SlackHandlers } from "#shared/adapters/slack-inbound.ts";
import type { Json } from "#shared/json.ts";
import type { Person } from "#shared/policy/identity.ts";
import type { Reply } from "#shared/reply.ts";
import { actionOf } from "#shared/report/slack-actions.ts";
import type { App, Asking, Job } from "../../asking.ts";
import { ackOf, contentOf, draw, isContentRefusal, isPrivate } from "./drawing.ts";
import { refusalByPayload, refusalByProfile, type Sender } from "./identity.ts";
import { createLiveMessage, type LiveMessage, type LiveOptions, type Sending } from "./live.ts";
import { normalise, wordsOfMention } from "./normalise.ts";
import type { Once } from "./once.ts";
import type { Letter, Outbox } from "./outbox.ts";
import {
  anyBody,
  type CommandBody,
  commandBody,
  type MentionBody,
  mentionBody,
  type PressBody,
  pressBody,
} from "./payloads.ts";
import { createReplyUrl, type ReplyUrl } from "./reply-url.ts";
import {
  alreadyAsked,
  doorFault,
  noShortcuts,
  notes,
  started,
  strangers,
  unknownAction,
  unknownCommand,
  withNotes,
  working,
} from "./sentences.ts";

export type Listening = Readonly<{
  app: App;
  sending: Sending;
  once: Once;
  outbox: Outbox;
  personOf: (slackUser: string) => Person | undefined;
  /** Workspace (`T…`) or organisation (`E…`) whose people may ask; undefined while nobody knows it. */
  home: () => string | undefined;
  botUserId: () => string | undefined;
  /** Slash commands with slash and prefix. */
  commands: readonly string[];
  prefix: string;
  forgetGroup: (group: string) => void;
  /** The end of the process for work under way. */
  signal: AbortSignal;
  /** Keeps the process from ending before this has. */
  track: (work: Promise<unknown>) => void;
}>;

const ackSchema = z.object({
  text: z.string(),
  blocks: z.array(z.looseObject({ type: z.string() })),
  visible: z.enum(["ephemeral", "in_channel"]),
});

/** What the first delivery of a command was told; `isFirst: false` when that was another process. */
type FirstAnswer = Readonly<{ isFirst: true; ack: AckMessage | undefined }> | Readonly<{ isFirst: false }>;

type Raced<T> = Readonly<{ late: false; value: T }> | Readonly<{ late: true }>;

/** What Slack sends, turned into questions to the app and exactly one visible answer each. */
export function createListeners(listening: Listening): SlackHandlers {
  const { app, sending, once, outbox, personOf } = listening;
  const { api, clock, pace, log }: { api: SlackApi } & Sending = sending;
  const answers = new Map<string, Promise<FirstAnswer>>();

  const within = async <T>(work: Promise<T>, deadline: number): Promise<Raced<T>> => {
    const done = new AbortController();
    const raced = await Promise.race([
      work.then((value): Raced<T> => ({ late: false, value })),
      clock.sleep(deadline - clock.now(), done.signal).then((): Raced<T> => ({ late: true })),
    ]);
    done.abort();
    return raced;
  };

  /** The refusal of a sender who is no business of ours, or undefined. */
  const refusal = async (sender: Sender): Promise<Reply | undefined> => {
    const home = listening.home();
    if (home === undefined) return strangers.unsure;
    const byPayload = refusalByPayload(sender, home);
    if (byPayload !== undefined || personOf(sender.user) !== undefined) return byPayload;
    return refusalByProfile(await api.user(sender.user));
  };

  const asker = (account: string, channel: string) => ({
    door: "slack" as const,
    person: personOf(account),
    account,
    channel,
  });

  /** Tells one person alone: by the reply URL, as an ephemeral message, or directly when neither works. */
  const whisper = async (
    to: Readonly<{ letter: Letter; replyUrl?: ReplyUrl; existingThread?: string }>,
    reply: Reply,
  ): Promise<void> => {
    const { letter, replyUrl } = to;
    const ids = { run: letter.key, message: letter.key };
    // Slack shows an ephemeral message in a thread only when the thread has replies already.
    const thread = to.existingThread === undefined ? {} : { thread: to.existingThread };
    let form: "usual" | "plain" = "usual";
    let way: "url" | "whisper" | "direct" = replyUrl?.usable() ? "url" : "whisper";
    for (let attempt = 0; attempt < 12 && !sending.stopping.aborted; attempt++) {
      const noted = way === "direct" ? withNotes(reply, [notes.sentElsewhere(letter.title)]) : reply;
      const content = contentOf(draw(noted, form), ids);
      const result =
        way === "url" && replyUrl !== undefined
          ? await replyUrl.respond({ ...content, visible: "ephemeral", ...thread })
          : way === "whisper"
            ? await api.whisper({ channel: letter.channel, user: letter.account, ...thread }, content)
            : await api.post({ channel: letter.account }, content);
      if (result.ok) return;
      const { trouble } = result;
      if (trouble.kind !== "refused") {
        const wait = trouble.kind === "rate-limited" ? trouble.retryAfterMs : 500 * 2 ** attempt;
        await clock.sleep(Math.min(wait, 30_000), sending.stopping);
      } else if (isContentRefusal(trouble.error) && form === "usual") form = "plain";
      else if (way === "url") way = "whisper";
      else if (way === "whisper") way = "direct";
      else break;
    }
    log({ level: "error", msg: "an answer was not delivered", key: letter.key });
  };

  const openMessage = async (
    letter: Letter,
    run: string,
    more: Partial<LiveOptions> = {},
  ): Promise<LiveMessage | undefined> => {
    const entry = more.entry ?? (await outbox.open(letter));
    return entry === undefined ? undefined : createLiveMessage(sending, { letter, run, ...more, entry });
  };

  // Commands

  const commandWords = (body: CommandBody): string =>
    `${body.command.slice(1 + listening.prefix.length)} ${normalise(body.text)}`.trim();

  const answerCommand = async (body: CommandBody, ack: Ack): Promise<AckMessage | undefined> => {
    const deadline = clock.now() + pace.answerWithinMs;
    const title = `${body.command} ${normalise(body.text)}`.trim();
    const replyUrl = createReplyUrl(api, body.response_url, clock);
    const letter: Letter = {
      key: `command/${body.trigger_id}`,
      channel: body.channel_id,
      account: body.user_id,
      title,
    };

    const asking = (async (): Promise<Asking> => {
      const sender = { user: body.user_id, team: body.team_id, enterprise: body.enterprise_id, bot: false };
      const refused = await refusal(sender);
      if (refused !== undefined) return { kind: "answer", reply: refused };
      return app.ask({ ...asker(body.user_id, body.channel_id), words: commandWords(body) });
    })();

    const acknowledge = async (reply: Reply, visible: AckMessage["visible"]): Promise<AckMessage> => {
      const message = ackOf(draw(reply), visible);
      if (!(await ack(message)) && visible === "ephemeral") {
        // The person saw an error of Slack's instead.
        listening.track(whisper({ letter, replyUrl }, reply));
      }
      return message;
    };

    /** Work that did not end in time: one message in the channel, edited until it has. */
    const followUp = async (
      job: Job,
      outcome: Promise<Reply>,
      follow: (message: LiveMessage) => void,
    ): Promise<void> => {
      const message = await openMessage(letter, job.id, { replyUrl });
      if (message === undefined) return;
      message.show(started(job));
      follow(message);
      await message.finish(await outcome);
    };

    const work = async (job: Job): Promise<AckMessage | undefined> => {
      let message: LiveMessage | undefined;
      let shown: Reply | undefined;
      const outcome = job.run((reply) => {
        shown = reply;
        message?.show(reply);
      }, listening.signal);
      const follow = (live: LiveMessage): void => {
        message = live;
        if (shown !== undefined) live.show(shown);
      };
      const inTime: Raced<Reply> = job.slow ? { late: true } : await within(outcome, deadline);
      if (inTime.late) {
        listening.track(followUp(job, outcome, follow));
        return acknowledge(started(job), "ephemeral");
      }
      const reply = inTime.value;
      const drawn = draw(reply);
      if (drawn.files.length === 0) {
        const whose = isPrivate(reply) ? "ephemeral" : "in_channel";
        const message = ackOf(drawn, whose);
        if (await ack(message)) return message;
        if (whose === "ephemeral") listening.track(whisper({ letter, replyUrl }, reply));
        else listening.track(followUp(job, outcome, () => {}));
        return message;
      }
      // Files go into the thread of a message, and an acknowledgement is none that can be named.
      listening.track(
        (async () => {
          const live = await openMessage(letter, job.id, { replyUrl });
          await live?.finish(reply);
        })(),
      );
      await ack();
      return undefined;
    };

    const inTime = await within(asking, deadline);
    if (!inTime.late) {
      return inTime.value.kind === "answer"
        ? acknowledge(inTime.value.reply, "ephemeral")
        : work(inTime.value.job);
    }
    listening.track(
      (async () => {
        const asked = await asking;
        if (asked.kind === "answer") return whisper({ letter, replyUrl }, asked.reply);
        let message: LiveMessage | undefined;
        const outcome = asked.job.run((reply) => message?.show(reply), listening.signal);
        return followUp(asked.job, outcome, (live) => {
          message = live;
        });
      })(),
    );
    return acknowledge(working(title), "ephemeral");
  };

  /** The same words once more, without a second run: from memory, from the ledger, or a sentence that says so. */
  const repeatCommand = async (body: CommandBody, ack: Ack, first?: Promise<FirstAnswer>): Promise<void> => {
    const key = `command/${body.trigger_id}`;
    const deadline = clock.now() + pace.answerWithinMs;
    if (first !== undefined) {
      const answer = await within(first, deadline);
      if (!answer.late && answer.value.isFirst) {
        await ack(answer.value.ack);
        return;
      }
    }
    for (;;) {
      const kept = await once.kept(key);
      if (kept !== undefined) {
        const message = ackSchema.safeParse(kept);
        await ack(message.success ? (message.data as unknown as AckMessage) : undefined);
        return;
      }
      if (clock.now() >= deadline) break;
      await clock.sleep(Math.min(200, deadline - clock.now()));
    }
    await ack(ackOf(draw(alreadyAsked(`${body.command} ${normalise(body.text)}`.trim())), "ephemeral"));
  };

  // Mentions

  /** Answers where people read it: private words to the asker, everything else as one message at the letter's place. */
  const answerAt = async (
    letter: Letter,
    ask: () => Promise<Asking>,
    more: Partial<LiveOptions>,
    existingThread: string | undefined,
  ): Promise<void> => {
    const deadline = clock.now() + pace.answerWithinMs;
    const asked = await ask();
    const tell = async (reply: Reply, run: string): Promise<void> => {
      if (isPrivate(reply)) {
        await whisper(
          {
            letter,
            ...(more.replyUrl === undefined ? {} : { replyUrl: more.replyUrl }),
            ...(existingThread === undefined ? {} : { existingThread }),
          },
          reply,
        );
        await more.entry?.closed();
        return;
      }
      const live = await openMessage(letter, run, more);
      await live?.finish(reply);
    };
    if (asked.kind === "answer") return tell(asked.reply, letter.key);
    const { job } = asked;
    let message: LiveMessage | undefined;
    let shown: Reply | undefined;
    const outcome = job.run((reply) => {
      shown = reply;
      message?.show(reply);
    }, listening.signal);
    const inTime: Raced<Reply> = job.slow ? { late: true } : await within(outcome, deadline);
    if (!inTime.late) return tell(inTime.value, job.id);
    message = await openMessage(letter, job.id, more);
    message?.show(shown ?? started(job));
    await message?.finish(await outcome);
  };

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
        async () =>
          refused === undefined
            ? app.ask({ ...asker(account, event.channel), words: words === "" ? "arpeggio help" : words })
            : { kind: "answer", reply: refused },
        { entry },
        event.thread_ts,
      );
    } catch (error) {
      // Told as a fault by the caller; a restart must not tell it once more.
      await entry.closed();
      throw error;
    }
  };

  // Buttons

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
        return app.press({ ...asker(user, channel), action: id, value: action.value ?? "" });
      },
      replyUrl === undefined ? {} : { replyUrl },
      existingThread,
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
        await ack(ackOf(draw(unknownCommand("this", listening.commands)), "ephemeral"));
        return;
      }
      const key = `command/${parsed.data.trigger_id}`;
      const before = answers.get(key);
      if (before !== undefined) return repeatCommand(parsed.data, ack, before);
      const mine = (async (): Promise<FirstAnswer> => {
        // A captured request can be delivered again for five minutes; only the first runs.
        if (!(await once.claim(key))) return { isFirst: false };
        try {
          return { isFirst: true, ack: await answerCommand(parsed.data, ack) };
        } catch (error) {
          log({
            level: "error",
            msg: "unexpected fault in the Slack door",
            id: key,
            error: error instanceof Error ? error.stack : String(error),
          });
          const message = ackOf(draw(doorFault(key)), "ephemeral");
          await ack(message);
          return { isFirst: true, ack: message };
        }
      })();
      answers.set(key, mine);
      const answer = await mine.finally(() => answers.delete(key));
      if (!answer.isFirst) return repeatCommand(parsed.data, ack);
      await once.keep(key, JSON.parse(JSON.stringify(answer.ack ?? null)) as Json);
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
    other: async (body, ack) => {
      await ack();
      sayTo(body, noShortcuts);
    },
    groupChanged: (group) => listening.forgetGroup(group),
  };
}
