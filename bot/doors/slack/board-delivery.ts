import type { SlackTrouble, SlackUpload } from "#shared/adapters/slack-api.ts";
import {
  messageId,
  type Note,
  nextDue,
  noteCalled,
  type Standing,
  theMessage,
  threadOf,
} from "#shared/board/standing.ts";
import type { Finding } from "#shared/finding.ts";
import type { Json } from "#shared/json.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Wishes } from "./board.ts";
import { createBoardFiles } from "./board-files.ts";
import { contentOf, type Drawn, draw, type Form, isContentRefusal } from "./drawing.ts";
import type { Sending } from "./live.ts";
import { closedToUs, lostMessage } from "./refusals.ts";
import { boardNotes, notes, withNotes } from "./sentences.ts";

export type BoardDelivery = Readonly<{
  /** Takes up whatever is undelivered, also by processes that are gone. */
  resume: (days: number) => Promise<void>;
  /** Standing messages that no channel takes, and why. */
  problems: () => readonly Finding[];
  /** Standing messages with something undelivered that is being worked at or waits for its turn. */
  waiting: () => number;
  /** Resolves when every delivery at work has come to a rest. */
  settled: () => Promise<void>;
}>;

/** What came of one attempt: look again at what is due, wait first, or leave it to the next wish or start. */
type Step = "again" | Readonly<{ waitMs: number }> | Readonly<{ stuck: string }>;

const longestWaitMs = 30_000;
/** Whoever holds a thing's lease is looked after again at the latest then. */
const patienceMs = 2_000;

/**
 * Posts and edits what the wishes ask for, one thing after the other in each thread. Any process of the ledger may
 * deliver any thing; a short lease keeps two from doing it at once, and what was intended but not confirmed is looked
 * for before it is sent again.
 */
export function createBoardDelivery(
  options: Readonly<{
    wishes: Wishes;
    ledger: Ledger;
    owner: string;
    sending: Sending;
    /** Where things are told that name no channel of their own, or whose channel takes no message. */
    reportChannel: string | undefined;
  }>,
): BoardDelivery {
  const { wishes, ledger, owner, sending, reportChannel } = options;
  const { api, clock, pace, pacer, log, stopping } = sending;
  const { stateOf, record } = wishes;

  const stuck = new Map<string, string>();
  const forms = new Map<string, Form>();
  const failures = new Map<string, number>();
  /** The wish that Slack takes in no form, by key. */
  const unshowable = new Map<string, number>();
  const working = new Map<string, Promise<void>>();
  const rung = new Set<string>();

  const files = createBoardFiles({ sending, wishes });

  const leaseOf = (key: string): string => `slack-board-${key}`;
  const homeOf = (state: Standing): string | undefined =>
    state.refuge?.channel ?? state.place?.channel ?? reportChannel;

  const retry = (key: string, trouble: SlackTrouble, kind: "edit" | "post"): Step => {
    if (trouble.kind === "rate-limited") {
      pacer.pause(kind, trouble.retryAfterMs);
      return { waitMs: trouble.retryAfterMs };
    }
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    return { waitMs: Math.min(longestWaitMs, 250 * 2 ** Math.min(count, 7)) };
  };

  const happened = (key: string, type: string, data: Json) => record(key, { type, data });

  const dressed = (state: Standing, reply: Reply, form: Form): Drawn => {
    const under: Text[] = [];
    if (state.message.mayRepeat) under.push(boardNotes.repeated);
    if (state.lost !== undefined) under.push(boardNotes.anew);
    if (state.refuge !== undefined) under.push(boardNotes.elsewhere(state.refuge.from));
    return draw(withNotes(reply, under), form);
  };

  /** The channel takes nothing from us: the report channel does, unless that is the one. */
  const closed = async (state: Standing, channel: string, error: string): Promise<Step> => {
    if (reportChannel === undefined || reportChannel === channel)
      return { stuck: `${channel} takes no message from the bot (${error})` };
    log({
      level: "info",
      msg: "a channel takes no standing message",
      key: state.key,
      channel,
      error,
      instead: reportChannel,
    });
    await happened(state.key, "moved", { to: reportChannel, from: channel });
    return "again";
  };

  /** What Slack said about the content or the place of something we sent. */
  const refused = async (
    state: Standing,
    trouble: Extract<SlackTrouble, { kind: "refused" }>,
    where: Readonly<{ channel: string; version: number | undefined }>,
  ): Promise<Step> => {
    const { key } = state;
    const { error, messages } = trouble;
    if (isContentRefusal(error)) {
      log({ level: "error", msg: "Slack refuses the content of a standing message", key, error, messages });
      if (forms.get(key) !== "plain") {
        forms.set(key, "plain");
        return "again";
      }
      if (where.version !== undefined) unshowable.set(key, where.version);
      return { stuck: `Slack refuses its content (${error})` };
    }
    if (closedToUs.has(error)) return closed(state, where.channel, error);
    log({ level: "error", msg: "Slack refuses a standing message", key, error, messages });
    return { stuck: `Slack refuses it (${error})` };
  };

  /**
   * Whether something that was meant to be sent is there: its time stamp, `no`, or that nobody can tell any more. Then
   * it is sent again and says so.
   */
  const look = async (
    state: Standing,
    what: string,
    id: string,
    at: Readonly<{ channel: string; thread?: string; sinceMs: number }>,
  ): Promise<Readonly<{ ts: string }> | Step> => {
    const found = await api.find({ ...at, sinceMs: at.sinceMs - 60_000 }, id);
    if (found.ok && found.value !== undefined) return { ts: found.value };
    if (!found.ok && found.trouble.kind !== "refused" && (failures.get(state.key) ?? 0) < 8)
      return retry(state.key, found.trouble, "post");
    await happened(state.key, found.ok ? "unsent" : "unsure", { what });
    return "again";
  };

  type Posting = Readonly<{
    what: string;
    id: string;
    to: Readonly<{ channel: string; thread?: string }>;
    drawn: Drawn;
    /** The wish that it shows. */
    shows?: number;
  }>;

  const confirm = async (
    state: Standing,
    posting: Posting,
    at: Readonly<{ channel: string; ts: string }>,
    shows: number | undefined,
  ): Promise<Step> => {
    const { what, to } = posting;
    const before = (now: Standing) =>
      what === theMessage
        ? now.message.posted
        : now.notes.find((note) => noteCalled(note.id) === what)?.sending.posted;
    if (what === theMessage)
      await wishes.placed(state.key, { channel: at.channel, thread: to.thread ?? at.ts });
    if (what === theMessage && to.thread !== undefined)
      await wishes.placed(state.key, { channel: at.channel, thread: at.ts });
    const after = await record(
      state.key,
      {
        type: "posted",
        data: {
          what,
          ...at,
          ...(to.thread === undefined ? {} : { thread: to.thread }),
          ...(shows === undefined ? {} : { shows }),
        },
      },
      (now) => before(now) !== undefined,
    );
    const stands = before(after);
    // Another process was faster while this one was thought to be gone: the first one stands.
    if (stands !== undefined && stands.ts !== at.ts) await api.remove(at);
    failures.delete(state.key);
    return "again";
  };

  const post = async (state: Standing, posting: Posting, intendedAt: number | undefined): Promise<Step> => {
    const { what, id, to, drawn } = posting;
    if (intendedAt !== undefined) {
      const found = await look(state, what, id, { ...to, sinceMs: intendedAt });
      if (typeof found === "string" || !("ts" in found)) return found;
      // It shows what was wanted then; what is wanted now is an edit.
      return confirm(
        state,
        posting,
        { channel: to.channel, ts: found.ts },
        what === theMessage ? 0 : undefined,
      );
    }
    await happened(state.key, "intended", { what });
    const sent = api.post(to, contentOf(drawn, { run: state.key, message: id })).then(async (posted) => {
      if (posted.ok) await confirm(state, posting, posted.value, posting.shows);
      return posted;
    });
    const posted = await (what === theMessage ? wishes.during(to.channel, sent) : sent);
    if (posted.ok) return "again";
    const { trouble } = posted;
    if (trouble.kind === "unavailable" && trouble.arrived === "perhaps")
      return retry(state.key, trouble, "post");
    await happened(state.key, "unsent", { what });
    if (trouble.kind !== "refused") return retry(state.key, trouble, "post");
    if (trouble.error === "thread_not_found") {
      await happened(state.key, "lost", { error: trouble.error });
      return "again";
    }
    return refused(state, trouble, { channel: to.channel, version: posting.shows });
  };

  const postMessage = (state: Standing, channel: string): Promise<Step> | Step => {
    if (state.put === undefined) return "again";
    // A thread that is gone, or of a channel that takes nothing, is not looked for twice.
    const thread = state.lost === undefined && state.refuge === undefined ? state.place?.thread : undefined;
    return post(
      state,
      {
        what: theMessage,
        id: messageId(state),
        to: { channel, ...(thread === undefined ? {} : { thread }) },
        drawn: dressed(state, state.put.reply, forms.get(state.key) ?? "usual"),
        shows: state.put.version,
      },
      state.message.intendedAt,
    );
  };

  const edit = async (state: Standing): Promise<Step> => {
    const { put, message, key } = state;
    if (put === undefined || message.posted === undefined) return "again";
    const at = { channel: message.posted.channel, ts: message.posted.ts };
    const drawn = dressed(state, put.reply, forms.get(key) ?? "usual");
    const updated = await api.update(at, contentOf(drawn, { run: key, message: messageId(state) }));
    if (updated.ok) {
      await happened(key, "shown", { version: put.version });
      failures.delete(key);
      return "again";
    }
    const { trouble } = updated;
    if (trouble.kind !== "refused") return retry(key, trouble, "edit");
    if (lostMessage.has(trouble.error)) {
      if (trouble.error === "block_mismatch") await api.remove(at);
      await happened(key, "lost", { error: trouble.error });
      return "again";
    }
    return refused(state, trouble, { channel: at.channel, version: put.version });
  };

  const noteContent = (note: Note, form: Form): Drawn | undefined =>
    note.reply && draw(withNotes(note.reply, note.sending.mayRepeat ? [notes.repeated] : []), form);

  const postNote = async (state: Standing, note: Note): Promise<Step> => {
    const to = threadOf(state);
    const drawn = noteContent(note, forms.get(`${state.key}/${note.id}`) ?? "usual");
    if (to === undefined) return "again";
    if (drawn === undefined) {
      await happened(state.key, "closed", { what: noteCalled(note.id) });
      return "again";
    }
    const step = await post(
      state,
      { what: noteCalled(note.id), id: `board/${state.key}/${noteCalled(note.id)}`, to, drawn },
      note.sending.intendedAt,
    );
    if (typeof step === "object" && "stuck" in step && forms.get(state.key) === "plain") {
      // One note that Slack does not take must not hold back the others.
      await happened(state.key, "closed", { what: noteCalled(note.id) });
      return "again";
    }
    return step;
  };

  const attach = async (state: Standing, note: Note): Promise<Step> => {
    const drawn = noteContent(note, "usual");
    const what = noteCalled(note.id);
    const attached: readonly SlackUpload[] = [
      ...note.files.map(({ name, text: content }) => ({ filename: name, title: name, content })),
      ...(drawn?.files ?? []),
    ];
    if (attached.length > 0) {
      const uploaded = await files.upload(state, what, attached);
      if (!uploaded.ok) {
        if (uploaded.trouble.kind !== "refused") return retry(state.key, uploaded.trouble, "post");
        const { posted } = note.sending;
        log({
          level: "error",
          msg: "files of a note could not be attached",
          key: state.key,
          note: note.id,
          error: uploaded.trouble.error,
        });
        if (posted !== undefined && note.reply !== undefined) {
          const told = draw(withNotes(note.reply, [files.missing(uploaded.trouble)]));
          const content = contentOf(told, { run: state.key, message: `board/${state.key}/${what}` });
          await files.insist(() => api.update({ channel: posted.channel, ts: posted.ts }, content));
        }
      }
    }
    await happened(state.key, "closed", { what });
    failures.delete(state.key);
    return "again";
  };

  const notYetMs = (state: Standing): number =>
    (state.shown?.at ?? Number.NEGATIVE_INFINITY) + pace.messageMs - clock.now();

  const due = (state: Standing) => {
    const next = nextDue(state, notYetMs(state) <= 0);
    const isHopeless = unshowable.get(state.key) === state.put?.version;
    return (next.do === "edit" || next.do === "post") && isHopeless ? ({ do: "nothing" } as const) : next;
  };

  /** Waits until the next sending may be made; what it will be is decided afterwards, by what is wanted then. */
  const turn = async (state: Standing, next: ReturnType<typeof due>): Promise<void> => {
    if (next.do === "edit") {
      await clock.sleep(Math.max(0, notYetMs(state)), stopping);
      await pacer.edit(state.put?.reply.verdict.outcome === "running" ? "progress" : "final", stopping);
    } else if (next.do === "post") await pacer.post(homeOf(state) ?? "", stopping);
    else if (next.do === "note") await pacer.post(threadOf(state)?.channel ?? "", stopping);
  };

  const perform = async (state: Standing, next: ReturnType<typeof due>): Promise<Step> => {
    switch (next.do) {
      case "post": {
        const channel = homeOf(state);
        if (channel === undefined)
          return { stuck: "it names no channel, and the config has no slack.reportChannel" };
        return postMessage(state, channel);
      }
      case "edit":
        return edit(state);
      case "note":
        return postNote(state, next.note);
      case "attach":
        return attach(state, next.note);
      case "nothing":
        return "again";
    }
  };

  /** How long a kind of sending may take, so that its lease outlives it: looking back and uploading are slow. */
  const leaseMs = (state: Standing, next: ReturnType<typeof due>): number => {
    const looks =
      (next.do === "post" && state.message.intendedAt !== undefined) ||
      (next.do === "note" && next.note.sending.intendedAt !== undefined);
    return looks || next.do === "attach" ? pace.longLeaseMs : pace.leaseMs;
  };

  /** One sending under the thing's lease. */
  const once = async (key: string, planned: Standing, next: ReturnType<typeof due>): Promise<Step> => {
    const held = await ledger.lease(leaseOf(key), owner, leaseMs(planned, next));
    if (!held.ok) return { waitMs: Math.max(20, Math.min(patienceMs, held.held.until - clock.now())) };
    try {
      const state = await stateOf(key);
      const now = due(state);
      // Somebody else did it, or something else has become due: the turn was not for that.
      if (now.do !== next.do) return "again";
      return await perform(state, now);
    } finally {
      await ledger.release(leaseOf(key), held.lease.token);
    }
  };

  const beside = (state: Standing): readonly SlackUpload[] =>
    state.put === undefined ? [] : dressed(state, state.put.reply, "usual").files;

  const overflow = async (key: string): Promise<void> => {
    const held = await ledger.lease(leaseOf(key), owner, pace.longLeaseMs);
    if (!held.ok) return;
    try {
      const state = await stateOf(key);
      if (files.owed(state, beside(state))) await files.overflow(state, beside(state));
    } finally {
      await ledger.release(leaseOf(key), held.lease.token);
    }
  };

  const deliver = async (key: string): Promise<void> => {
    for (let nth = 0; !stopping.aborted; nth++) {
      let step: Step;
      try {
        const state = await stateOf(key);
        const next = due(state);
        if (next.do === "nothing") {
          if (state.message.posted !== undefined) stuck.delete(key);
          if (files.owed(state, beside(state))) await overflow(key);
          if (rung.delete(key)) continue;
          wishes.forget(key);
          return;
        }
        rung.delete(key);
        if (next.do === "post" && homeOf(state) === undefined) step = await perform(state, next);
        else {
          await turn(state, next);
          if (stopping.aborted) return;
          step = await once(key, state, next);
        }
      } catch (error) {
        // The ledger cannot be asked: nothing may be sent that could not be confirmed.
        log({ level: "error", msg: "a standing message waits for the ledger", key, error: String(error) });
        step = { waitMs: Math.min(longestWaitMs, 1_000 * 2 ** Math.min(nth, 5)) };
      }
      if (step === "again") continue;
      if ("stuck" in step) {
        stuck.set(key, step.stuck);
        log({ level: "error", msg: "a standing message is not delivered", key, why: step.stuck });
        if (rung.delete(key)) continue;
        return;
      }
      await clock.sleep(step.waitMs, stopping);
    }
  };

  const wake = (key: string): void => {
    if (stopping.aborted) return;
    rung.add(key);
    if (working.has(key)) return;
    const work = deliver(key)
      .catch((error: unknown) => {
        log({
          level: "error",
          msg: "unexpected fault in the delivery of a standing message",
          key,
          error: String(error),
        });
      })
      .finally(() => {
        working.delete(key);
        // A wish that came while the last look was being taken.
        if (rung.has(key) && !stopping.aborted) wake(key);
      });
    working.set(key, work);
  };

  wishes.onWish(wake);

  return {
    resume: async (days) => {
      try {
        for (const key of await wishes.recent(days)) wake(key);
      } catch (error) {
        log({
          level: "error",
          msg: "undelivered standing messages could not be looked for",
          error: String(error),
        });
      }
    },
    problems: () =>
      [...stuck].map(([key, why]) => ({
        code: "slack-message-undelivered",
        severity: "warning",
        subject: { kind: "config", name: key },
        facts: { key, why },
        text: text`The message of ${code(key)} is not in Slack: ${why}.`,
        remedy: text`invite the bot to the channel, or set ${code("slack.reportChannel")} to one it is in`,
      })),
    waiting: () => working.size,
    settled: async () => {
      while (working.size > 0) await Promise.all(working.values());
    },
  };
}
