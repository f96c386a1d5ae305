import type { SlackApi, SlackContent, SlackResult, SlackTrouble } from "#shared/adapters/slack-api.ts";
import type { Clock } from "#shared/clock.ts";
import type { Reply } from "#shared/reply.ts";
import type { Text } from "#shared/text.ts";
import { contentOf, type Drawn, draw, type Form, isContentRefusal } from "./drawing.ts";
import type { Log } from "./log.ts";
import type { Entry, Letter } from "./outbox.ts";
import type { Pace, Pacer } from "./pace.ts";
import { closedToUs, lostMessage } from "./refusals.ts";
import type { ReplyUrl } from "./reply-url.ts";
import { notes, withNotes } from "./sentences.ts";

export type Sending = Readonly<{
  api: SlackApi;
  clock: Clock;
  pace: Pace;
  pacer: Pacer;
  log: Log;
  /** Granted scopes, undefined while Slack has not told them. */
  scopes: () => readonly string[] | undefined;
  /** The end of the process: what was not sent stays in the outbox. */
  stopping: AbortSignal;
}>;

export type LiveMessage = Readonly<{
  /** Latest wins; never waits. */
  show: (reply: Reply) => void;
  /** Resolves when the final state is with its reader, or stays in the outbox for the next start. */
  finish: (reply: Reply) => Promise<void>;
}>;

export type LiveOptions = Readonly<{
  letter: Letter;
  entry: Entry;
  run: string;
  /** Where the message is already, after a restart. */
  at?: Readonly<{ channel: string; ts: string }>;
  /** A way around a channel that the bot is not in. */
  replyUrl?: ReplyUrl;
  /** It may have been posted before a restart: look first, and say so when looking is impossible. */
  uncertainSince?: number;
}>;

const longestWaitMs = 30_000;
/** A final state that Slack refuses to take for so long is left to the outbox. */
const patienceMs = 30 * 60_000;

type Place = "channel" | "reply-url" | "direct";
type Step = "sent" | "again" | Readonly<{ waitMs: number }> | "given up";

/**
 * One message, posted once and edited in place: states that come faster than they may be sent are skipped, the final
 * one never is. A closed channel moves it to the command's reply URL and from there to a direct message.
 */
export function createLiveMessage(sending: Sending, options: LiveOptions): LiveMessage {
  const { api, clock, pace, pacer, log, stopping } = sending;
  const { letter, entry } = options;
  const ids = { run: options.run, message: letter.key };

  let latest: Reply | undefined;
  let final: Reply | undefined;
  let changed = Promise.withResolvers<void>();
  const finalArrived = new AbortController();
  const hurry = AbortSignal.any([finalArrived.signal, stopping]);

  let place: Place = "channel";
  let at = options.at;
  let lastSentAt = Number.NEGATIVE_INFINITY;
  let form: Form = "usual";
  let uncertainSince = options.uncertainSince;
  let looks = 0;
  let mayRepeat = false;
  let refused: string | undefined;
  let failures = 0;
  let thread = letter.thread;
  let filesNote: Text | undefined;
  let closed = false;

  const dressed = (reply: Reply): Drawn => {
    const under: Text[] = [];
    const next: Text[] = [];
    if (mayRepeat) under.push(notes.repeated);
    if (place === "reply-url") next.push(notes.invite);
    if (place === "direct") under.push(notes.sentElsewhere(letter.title));
    if (filesNote !== undefined) under.push(filesNote);
    const drawn = draw(withNotes(reply, under, next), form);
    if (drawn.files.length === 0 || filesNote !== undefined) return drawn;
    const scopes = sending.scopes();
    if (place === "reply-url") filesNote = notes.filesNeedMembership;
    else if (scopes !== undefined && !scopes.includes("files:write")) filesNote = notes.filesNeedScope;
    return filesNote === undefined ? drawn : dressed(reply);
  };

  const wait = (trouble: SlackTrouble, kind: "edit" | "post"): Step => {
    if (trouble.kind === "rate-limited") {
      pacer.pause(kind, trouble.retryAfterMs);
      return { waitMs: trouble.retryAfterMs };
    }
    failures += 1;
    return { waitMs: Math.min(longestWaitMs, 250 * 2 ** Math.min(failures, 7)) };
  };

  const moveOn = (error: string): Step => {
    refused = error;
    at = undefined;
    uncertainSince = undefined;
    if (place === "channel" && options.replyUrl?.usable()) place = "reply-url";
    else if (place !== "direct") place = "direct";
    else return "given up";
    log({
      level: "info",
      msg: "the channel takes no message",
      error,
      channel: letter.channel,
      instead: place,
    });
    return "again";
  };

  /** Finds out whether a sending that was not confirmed arrived after all. */
  const look = async (channel: string, sinceMs: number): Promise<Step> => {
    const where = { channel, sinceMs: sinceMs - 60_000, ...(thread === undefined ? {} : { thread }) };
    const found = await api.find(where, letter.key);
    if (found.ok) {
      uncertainSince = undefined;
      if (found.value !== undefined) {
        at = { channel, ts: found.value };
        await entry.posted(at);
      }
      return "again";
    }
    looks += 1;
    if (found.trouble.kind !== "refused" && looks < 8) return wait(found.trouble, "post");
    uncertainSince = undefined;
    mayRepeat = true;
    return "again";
  };

  const post = async (content: SlackContent, what: "progress" | "final"): Promise<Step> => {
    const channel = place === "direct" ? letter.account : letter.channel;
    if (uncertainSince !== undefined && place === "channel") return look(channel, uncertainSince);
    await pacer.post(channel, what === "final" ? stopping : hurry);
    if (stopping.aborted) return "given up";
    if (what === "progress" && final !== undefined) return "again";
    const to = { channel, ...(thread === undefined || place === "direct" ? {} : { thread }) };
    const sentAt = clock.now();
    const posted = await api.post(to, content);
    if (posted.ok) {
      at = posted.value;
      await entry.posted(posted.value);
      return "sent";
    }
    const { trouble } = posted;
    if (trouble.kind === "refused") return refusal(trouble.error, trouble.messages);
    if (trouble.kind === "unavailable" && trouble.arrived === "perhaps") {
      if (place === "channel") uncertainSince ??= sentAt;
      else mayRepeat = true;
    }
    return wait(trouble, "post");
  };

  const edit = async (
    target: Readonly<{ channel: string; ts: string }>,
    content: SlackContent,
    what: "progress" | "final",
  ): Promise<Step> => {
    await clock.sleep(lastSentAt + pace.messageMs - clock.now(), stopping);
    await pacer.edit(what, what === "final" ? stopping : hurry);
    if (stopping.aborted) return "given up";
    // A final state overtook this one while it waited for its turn.
    if (what === "progress" && final !== undefined) return "again";
    const updated = await api.update(target, content);
    if (updated.ok) return "sent";
    const { trouble } = updated;
    if (trouble.kind !== "refused") return wait(trouble, "edit");
    if (lostMessage.has(trouble.error)) {
      at = undefined;
      if (trouble.error === "block_mismatch") await api.remove(target);
      return "again";
    }
    return refusal(trouble.error, trouble.messages);
  };

  function refusal(error: string, messages: readonly string[]): Step {
    if (error === "thread_not_found" && thread !== undefined) {
      thread = undefined;
      return "again";
    }
    if (isContentRefusal(error)) {
      log({ level: "error", msg: "Slack refuses the content of a message", error, messages, form });
      if (form === "plain") return "given up";
      form = "plain";
      return "again";
    }
    if (closedToUs.has(error)) return moveOn(error);
    log({ level: "error", msg: "Slack refuses a message", error, messages });
    return place === "direct" ? "given up" : moveOn(error);
  }

  const respond = async (url: ReplyUrl, content: SlackContent): Promise<Step> => {
    if (!url.usable()) return moveOn(refused ?? "used_url");
    const result = await url.respond({
      ...content,
      visible: "in_channel",
      ...(thread === undefined ? {} : { thread }),
    });
    if (result.ok) return "sent";
    if (result.trouble.kind === "refused") {
      if (isContentRefusal(result.trouble.error) && form === "usual") {
        form = "plain";
        return "again";
      }
      return moveOn(result.trouble.error);
    }
    if (result.trouble.kind === "unavailable" && result.trouble.arrived === "perhaps") mayRepeat = true;
    return wait(result.trouble, "post");
  };

  const attach = async (drawn: Drawn): Promise<void> => {
    if (drawn.files.length === 0 || filesNote !== undefined || at === undefined || final === undefined)
      return;
    const uploaded = await retried(() =>
      api.upload({ channel: at?.channel ?? "", thread: thread ?? at?.ts ?? "" }, drawn.files),
    );
    if (uploaded.ok) return;
    const { trouble } = uploaded;
    filesNote =
      trouble.kind === "refused" && trouble.error === "missing_scope"
        ? notes.filesNeedScope
        : notes.filesFailed(
            trouble.kind === "refused"
              ? trouble.error
              : trouble.kind === "rate-limited"
                ? "too many calls"
                : trouble.detail,
          );
    for (let attempt = 0; attempt < 10; attempt++) {
      const step = await edit(at, contentOf(dressed(final), ids), "final");
      if (step === "sent" || step === "given up" || at === undefined) return;
      if (step !== "again") await clock.sleep(step.waitMs, stopping);
    }
  };

  const retried = async <T>(call: () => Promise<SlackResult<T>>): Promise<SlackResult<T>> => {
    let result = await call();
    for (let attempt = 0; attempt < 5 && !result.ok && !stopping.aborted; attempt++) {
      const { trouble } = result;
      if (trouble.kind === "refused") break;
      await clock.sleep(
        trouble.kind === "rate-limited" ? trouble.retryAfterMs : 1_000 * 2 ** attempt,
        stopping,
      );
      result = await call();
    }
    return result;
  };

  /** Sends one state by the way that is open now. */
  const send = async (
    reply: Reply,
    what: "progress" | "final",
  ): Promise<Readonly<{ step: Step; drawn: Drawn }>> => {
    const drawn = dressed(reply);
    const content = contentOf(drawn, ids);
    if (place === "reply-url" && options.replyUrl !== undefined) {
      // Five posts are all there are, and each is a message of its own: only the final one is worth it.
      if (what === "progress") return { step: "sent", drawn };
      return { step: await respond(options.replyUrl, content), drawn };
    }
    if (place === "direct" && what === "progress") return { step: "sent", drawn };
    if (at !== undefined) return { step: await edit(at, content, what), drawn };
    return { step: await post(content, what), drawn };
  };

  const deliver = async (): Promise<void> => {
    let finalSince: number | undefined;
    while (!stopping.aborted) {
      const reply = final ?? latest;
      if (reply === undefined) {
        await changed.promise;
        continue;
      }
      const what = final === undefined ? "progress" : "final";
      if (what === "final") finalSince ??= clock.now();
      if (what === "progress") latest = undefined;
      const { step, drawn } = await send(reply, what);
      if (step === "sent") {
        lastSentAt = clock.now();
        failures = 0;
        if (what === "final") {
          await attach(drawn);
          await entry.closed();
          closed = true;
          return;
        }
        continue;
      }
      if (what === "progress" && step !== "given up") latest ??= reply;
      if (step === "given up") {
        if (what === "final") break;
        continue;
      }
      if (finalSince !== undefined && clock.now() - finalSince > patienceMs) break;
      if (step !== "again") await clock.sleep(step.waitMs, what === "progress" ? hurry : stopping);
    }
    if (!closed)
      log({
        level: "error",
        msg: "a message was not delivered",
        key: letter.key,
        channel: letter.channel,
        refused,
      });
  };

  const wake = (): void => {
    const before = changed;
    changed = Promise.withResolvers<void>();
    before.resolve();
  };
  stopping.addEventListener("abort", wake, { once: true });
  const delivered = deliver()
    .catch((error: unknown) => {
      log({ level: "error", msg: "a message was not delivered", key: letter.key, error: String(error) });
    })
    .finally(() => stopping.removeEventListener("abort", wake));

  return {
    show: (reply) => {
      if (final !== undefined) return;
      latest = reply;
      wake();
    },
    finish: async (reply) => {
      if (!(await entry.finished(reply))) {
        log({ level: "warn", msg: "another process has taken this message over", key: letter.key });
        return;
      }
      final = reply;
      finalArrived.abort();
      wake();
      await delivered;
    },
  };
}
