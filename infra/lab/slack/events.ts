import type { Delivery, Payload } from "./delivery.ts";
import type { JsonObject, Message } from "./message.ts";
import { knownChannel, knownUser, type Reach, type Sending, send } from "./people.ts";
import type { UserSpec } from "./spec.ts";
import { addMessage, findMessage, isMember, type State } from "./state.ts";

export type EventSending = Omit<Sending, "duplicate"> &
  Readonly<{
    /** Sent this often again although it was acknowledged, as Slack does when an answer is lost on its way. */
    redeliver?: number;
    /** The same delivery, without retry marks, a second time. */
    duplicate?: boolean;
  }>;

export type Mention = EventSending &
  Readonly<{
    user: string;
    channel: string;
    /** Without the mention itself, which is put in front unless the text already has it. */
    text: string;
    threadTs?: string;
    /** `smart` types as phones do: dashes become em dashes, straight quotes curly ones. */
    keyboard?: "plain" | "smart";
  }>;

export type EventAct = Readonly<{
  payload: Payload;
  deliveries: readonly Delivery[];
  /** What stands in the channel. */
  message: Message;
}>;

/** What a phone makes of typed text. */
export const smartTyping = (text: string): string =>
  text
    .replaceAll("--", "—")
    .replaceAll(/(^|[\s(])"/g, "$1“")
    .replaceAll('"', "”")
    .replaceAll(/(^|[\s(])'/g, "$1‘")
    .replaceAll("'", "’");

/** A few of the top-level domains after which Slack takes words for links. */
const HOST =
  /(?<![\w@./:-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:net|com|org|io|dev|de|uk|eu))(?![\w@.-])/gi;

/** Slack rewrites what is typed into a message: entities, links, and host names that look like links. */
export const slackRewrites = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll(/<(?![@#!][A-Z])/g, "&lt;")
    .replaceAll(/(?<!<[@#!][A-Z0-9^|a-z-]*)>/g, "&gt;")
    .replaceAll(/https?:\/\/[^\s<>|]+/g, "<$&>")
    .replaceAll(HOST, "<http://$1|$1>");

export function eventPayload(state: State, user: UserSpec | undefined, event: JsonObject): Payload {
  return {
    kind: "events_api",
    body: {
      token: "deprecated-verification-token",
      team_id: state.spec.team.id,
      context_team_id: state.spec.team.id,
      context_enterprise_id: null,
      api_app_id: state.spec.app.id,
      event: {
        ...event,
        ...(user?.isStranger ? { user_team: user.team, source_team: user.team, user_profile: {} } : {}),
      },
      type: "event_callback",
      event_id: state.newId("Ev"),
      event_time: Math.floor(state.clock.now() / 1_000),
      authorizations: [
        {
          enterprise_id: null,
          team_id: state.spec.team.id,
          user_id: state.spec.app.botUserId,
          is_bot: true,
          is_enterprise_install: false,
        },
      ],
      is_ext_shared_channel: user?.isStranger ?? false,
      event_context: state.newId("4-"),
    },
  };
}

const reasonOf = (delivery: Delivery): string => {
  if (delivery.outcome === "timed-out") return "http_timeout";
  return delivery.outcome === "refused" ? "http_error" : "connection_failed";
};

/** Delivers an event; what is not acknowledged comes again, each time under the same event id. */
export async function deliverEvent(
  state: State,
  reach: Reach,
  payload: Payload,
  sending: EventSending,
  closing: AbortSignal,
): Promise<readonly Delivery[]> {
  let last = await send(state, reach, payload, sending);
  const deliveries = [last];
  for (const [i, afterMs] of state.spec.redeliverAfterMs.entries()) {
    if (last.outcome === "acked") break;
    await state.clock.sleep(afterMs, closing);
    if (closing.aborted) return deliveries;
    last = await send(state, reach, payload, sending, i + 1, reasonOf(last));
    deliveries.push(last);
  }
  for (let i = 1; i <= (sending.redeliver ?? 0); i += 1)
    deliveries.push(await send(state, reach, payload, sending, i));
  if (sending.duplicate) deliveries.push(await send(state, reach, payload, sending));
  return deliveries;
}

/** Something a person writes in a channel or thread; the app hears nothing of it. */
export function say(
  state: State,
  said: Readonly<{ user: string; channel: string; text: string; threadTs?: string }>,
): Message {
  const user = knownUser(state, said.user);
  const channel = knownChannel(state, said.channel);
  if (!isMember(channel, user.id)) throw new Error(`${user.name} is not in #${channel.name}`);
  if (said.threadTs !== undefined && findMessage(state, channel.id, said.threadTs) === undefined)
    throw new Error(`no message ${said.threadTs} in #${channel.name} to answer`);
  return addMessage(state, {
    channel: channel.id,
    user: user.id,
    text: said.text,
    blocks: [],
    attachments: [],
    ...(said.threadTs === undefined ? {} : { threadTs: said.threadTs }),
  });
}

/** Mentions the bot. In a channel it is not in, the words stand there and the app hears nothing. */
export async function actMention(
  state: State,
  reach: Reach,
  mention: Mention,
  closing: AbortSignal,
): Promise<EventAct> {
  const user = knownUser(state, mention.user);
  const channel = knownChannel(state, mention.channel);
  const at = `<@${state.spec.app.botUserId}>`;
  const typed = mention.keyboard === "smart" ? smartTyping(mention.text) : mention.text;
  const words = slackRewrites(typed);
  const message = say(state, { ...mention, text: words.includes(at) ? words : `${at} ${words}` });
  const payload = eventPayload(state, user, {
    type: "app_mention",
    user: user.id,
    team: user.team ?? state.spec.team.id,
    text: message.text,
    ts: message.ts,
    event_ts: message.ts,
    channel: channel.id,
    client_msg_id: state.newId("client-"),
    ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
  });
  const deliveries = isMember(channel, state.spec.app.botUserId)
    ? await deliverEvent(state, reach, payload, mention, closing)
    : [];
  return { payload, deliveries, message };
}
