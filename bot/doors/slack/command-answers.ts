import * as z from "zod";
import type { Ack, AckMessage } from "#shared/adapters/slack-inbound.ts";
import type { Json } from "#shared/json.ts";
import type { Reply } from "#shared/reply.ts";
import type { Asking, Job } from "../../asking.ts";
import { ackOf, draw, isPrivate } from "./drawing.ts";
import type { LiveMessage } from "./live.ts";
import { normalise } from "./normalise.ts";
import type { Letter } from "./outbox.ts";
import type { CommandBody } from "./payloads.ts";
import { createReplyUrl } from "./reply-url.ts";
import { alreadyAsked, doorFault, started, working } from "./sentences.ts";
import type { Listening, Raced, Telling } from "./telling.ts";

const ackSchema = z.object({
  text: z.string(),
  blocks: z.array(z.looseObject({ type: z.string() })),
  visible: z.enum(["ephemeral", "in_channel"]),
});

/** What the first delivery of a command was told; `isFirst: false` when that was another process. */
type FirstAnswer = Readonly<{ isFirst: true; ack: AckMessage | undefined }> | Readonly<{ isFirst: false }>;

/** Slash commands: acknowledged within Slack's three seconds, answered there or in one message, run once. */
export function createCommandAnswers(
  listening: Listening,
  telling: Telling,
): (body: CommandBody, ack: Ack) => Promise<void> {
  const { app, once } = listening;
  const { api, clock, pace, log } = listening.sending;
  const { within, refusal, asker, whisper, openMessage } = telling;
  const answers = new Map<string, Promise<FirstAnswer>>();

  const commandWords = (body: CommandBody): string =>
    `${body.command.slice(1 + listening.prefix.length)} ${normalise(body.text)}`.trim();

  /** `claim` settles to whether this is the first delivery. What harms nobody when it is told twice does not wait for it. */
  const answerCommand = async (
    body: CommandBody,
    ack: Ack,
    claim: Promise<boolean>,
  ): Promise<AckMessage | "repeated" | undefined> => {
    const deadline = clock.now() + pace.answerWithinMs;
    const title = `${body.command} ${normalise(body.text)}`.trim();
    const replyUrl = createReplyUrl(api, body.response_url, clock);
    const letter: Letter = {
      key: `command/${body.trigger_id}`,
      channel: body.channel_id,
      account: body.user_id,
      title,
    };

    let claimed: boolean | undefined;
    void claim.then((first) => {
      claimed = first;
    });
    const isRepeated = (): boolean => claimed === false;

    const asking = (async (): Promise<Asking | undefined> => {
      const sender = { user: body.user_id, team: body.team_id, enterprise: body.enterprise_id, bot: false };
      const refused = await refusal(sender);
      if (refused !== undefined) return { kind: "answer", reply: refused };
      // Known by now when this process took it itself.
      if (isRepeated()) return undefined;
      const words = commandWords(body);
      const asked = await app.ask({ ...asker(body.user_id, body.channel_id), words, isFirst: claim });
      const harmless = asked.kind === "answer" || asked.job.repeatable === true;
      return isRepeated() || (!harmless && !(await claim)) ? undefined : asked;
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
      // What is for the asker alone (no such Service, say) is known soon if at all; the channel need not see it.
      const soon = await within(outcome, clock.now() + pace.privateWithinMs);
      if (!soon.late && isPrivate(soon.value)) return whisper({ letter, replyUrl }, soon.value);
      const message = await openMessage(letter, job.id, { replyUrl });
      if (message === undefined) return;
      message.show(started(job));
      follow(message);
      await message.finish(await outcome);
    };

    /** Starts the work; its states go to the message that follows it, as soon as there is one. */
    const begin = (job: Job) => {
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
      return { outcome, follow };
    };

    const work = async (job: Job): Promise<AckMessage | undefined> => {
      const { outcome, follow } = begin(job);
      const inTime: Raced<Reply> = job.slow ? { late: true } : await within(outcome, deadline);
      if (inTime.late) {
        listening.track(followUp(job, outcome, follow));
        return acknowledge(started(job), "ephemeral");
      }
      const reply = inTime.value;
      const drawn = draw(reply);
      if (drawn.files.length === 0) {
        const whose = isPrivate(reply) || job.personal ? "ephemeral" : "in_channel";
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
      if (inTime.value === undefined) return "repeated";
      return inTime.value.kind === "answer"
        ? acknowledge(inTime.value.reply, "ephemeral")
        : work(inTime.value.job);
    }
    listening.track(
      (async () => {
        const asked = await asking;
        if (asked === undefined) return;
        if (asked.kind === "answer") return whisper({ letter, replyUrl }, asked.reply);
        const { outcome, follow } = begin(asked.job);
        return followUp(asked.job, outcome, follow);
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

  return async (body, ack) => {
    const key = `command/${body.trigger_id}`;
    const before = answers.get(key);
    if (before !== undefined) return repeatCommand(body, ack, before);
    // A captured request can be delivered again for five minutes; only the first runs.
    const claim = once.claim(key);
    const mine = (async (): Promise<FirstAnswer> => {
      try {
        const answer = await answerCommand(body, ack, claim);
        return answer === "repeated" ? { isFirst: false } : { isFirst: true, ack: answer };
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
    if (!answer.isFirst) return repeatCommand(body, ack);
    if (await claim) await once.keep(key, JSON.parse(JSON.stringify(answer.ack ?? null)) as Json);
  };
}
