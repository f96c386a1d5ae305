import type { Board } from "#shared/board/board.ts";
import type { Person } from "#shared/policy/identity.ts";
import type { Reply } from "#shared/reply.ts";
import type { App, Asked, Asking } from "../../asking.ts";
import { contentOf, draw, isContentRefusal, isPrivate } from "./drawing.ts";
import { refusalByPayload, refusalByProfile, type Sender } from "./identity.ts";
import { createLiveMessage, type LiveMessage, type LiveOptions, type Sending } from "./live.ts";
import type { Once } from "./once.ts";
import type { Letter, Outbox } from "./outbox.ts";
import type { ReplyUrl } from "./reply-url.ts";
import { notes, started, strangers, withNotes } from "./sentences.ts";
import type { ThreadWords } from "./thread-words.ts";

export type Listening = Readonly<{
  app: App;
  sending: Sending;
  once: Once;
  outbox: Outbox;
  board: Board;
  /** What the words of a mention mean in the thread of a thing; without it they are commands everywhere. */
  threads?: ThreadWords;
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

export type Raced<T> = Readonly<{ late: false; value: T }> | Readonly<{ late: true }>;

/** The ways in which every kind of input is judged and answered. */
export type Telling = Readonly<{
  /** Whether the work ends before the deadline, in milliseconds since the epoch. */
  within: <T>(work: Promise<T>, deadline: number) => Promise<Raced<T>>;
  /** The refusal of a sender who is no business of ours, or undefined. */
  refusal: (sender: Sender) => Promise<Reply | undefined>;
  asker: (account: string, channel: string) => Omit<Asked, "words">;
  /** Tells one person alone: by the reply URL, as an ephemeral message, or directly when neither works. */
  whisper: (
    to: Readonly<{ letter: Letter; replyUrl?: ReplyUrl; existingThread?: string }>,
    reply: Reply,
  ) => Promise<void>;
  /** Undefined when this input has its message already. */
  openMessage: (letter: Letter, run: string, more?: Partial<LiveOptions>) => Promise<LiveMessage | undefined>;
  /** Answers where people read it: private words to the asker, everything else as one message at the letter's place. */
  answerAt: (
    letter: Letter,
    ask: () => Promise<Asking>,
    more: Partial<LiveOptions>,
    existingThread: string | undefined,
  ) => Promise<void>;
}>;

export function createTelling(listening: Listening): Telling {
  const { sending, outbox, personOf } = listening;
  const { api, clock, pace, log } = sending;

  const within = async <T>(work: Promise<T>, deadline: number): Promise<Raced<T>> => {
    const done = new AbortController();
    const raced = await Promise.race([
      work.then((value): Raced<T> => ({ late: false, value })),
      clock.sleep(deadline - clock.now(), done.signal).then((): Raced<T> => ({ late: true })),
    ]);
    // With a reason, because the usual one is an error with a stack trace, made for every command.
    done.abort("in time");
    return raced;
  };

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
    // A refusal (one's own approval, a decision that is made already) is known soon, and the channel need not see it.
    const inTime = await within(outcome, job.slow ? clock.now() + pace.privateWithinMs : deadline);
    if (!inTime.late) return tell(inTime.value, job.id);
    message = await openMessage(letter, job.id, more);
    message?.show(shown ?? started(job));
    await message?.finish(await outcome);
  };

  return { within, refusal, asker, whisper, openMessage, answerAt };
}
