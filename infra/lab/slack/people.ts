import { type Delivery, deliverByHttp, type Payload } from "./delivery.ts";
import type { JsonObject, Message } from "./message.ts";
import { newResponseUrl, readSaid, show } from "./response-url.ts";
import { isEmptyAck } from "./socket-mode.ts";
import type { UserSpec } from "./spec.ts";
import { addMessage, addViolation, type Channel, type State } from "./state.ts";

/** How a payload travels, and what a test makes go wrong on the way. */
export type Sending = Readonly<{
  /** Default: a Socket Mode connection when there is one, else the request URL. */
  via?: "http" | "socket";
  /** Instead of the registered request URL. */
  requestUrl?: string;
  /** Signed with something else than the signing secret. */
  signature?: "wrong";
  /** Added to the time the request claims to be from, in milliseconds; negative is the past. */
  stampSkewMs?: number;
  /** The same payload a second time, after the first was answered. */
  duplicate?: boolean;
}>;

/** What came of an act: each attempt to deliver it, and what the person saw at once. */
export type Act = Readonly<{
  payload: Payload;
  deliveries: readonly Delivery[];
  triggerId: string;
  responseUrl: string;
  /** Shown by the acknowledgement, or Slack's own error. */
  shown: readonly Message[];
}>;

export type Command = Sending & Readonly<{ user: string; channel: string; command: string; text: string }>;

/** The workspace's side of an act: where the app is reached. */
export type Reach = Readonly<{
  base: () => string;
  requestUrl: () => string | undefined;
  /** Undefined when no Socket Mode connection is open. */
  socket: () => ((payload: Payload, retryNum?: number) => Promise<Delivery>) | undefined;
}>;

export const knownUser = (state: State, id: string): UserSpec => {
  const user = state.users.get(id);
  if (user === undefined)
    throw new Error(`no user ${id} in the workspace; there are ${[...state.users.keys()].join(", ")}`);
  return user;
};

export const knownChannel = (state: State, id: string): Channel => {
  const channel = state.channels.get(id);
  if (channel === undefined)
    throw new Error(`no channel ${id} in the workspace; there are ${[...state.channels.keys()].join(", ")}`);
  return channel;
};

export function newTrigger(state: State, user: string): string {
  const id = `${state.newId("")}.${state.spec.team.id}.${state.newId("")}`;
  const expiresAt = state.clock.now() + state.spec.triggerLivesMs;
  state.triggers.set(id, { user, expiresAt, used: false });
  return id;
}

/** One attempt, by the way that was asked for. */
export async function send(
  state: State,
  reach: Reach,
  payload: Payload,
  sending: Sending,
  retryNum?: number,
  retryReason = "timeout",
): Promise<Delivery> {
  const socket = reach.socket();
  if (
    sending.via === "socket" ||
    (sending.via === undefined && sending.requestUrl === undefined && socket !== undefined)
  ) {
    if (socket === undefined)
      return { via: "socket", outcome: "unreachable", status: 0, ack: undefined, ms: 0 };
    const delivery = await socket(payload, retryNum);
    return retryNum === undefined ? delivery : { ...delivery, retryNum };
  }
  const url = sending.requestUrl ?? reach.requestUrl();
  if (url === undefined) return { via: "http", outcome: "unreachable", status: 0, ack: undefined, ms: 0 };
  const delivery = await deliverByHttp(payload, {
    url,
    secret: sending.signature === "wrong" ? "not the signing secret" : state.spec.app.signingSecret,
    timestamp: Math.floor((state.clock.now() + (sending.stampSkewMs ?? 0)) / 1_000),
    withinMs: state.spec.ackWithinMs,
    headers:
      retryNum === undefined
        ? {}
        : { "x-slack-retry-num": String(retryNum), "x-slack-retry-reason": retryReason },
  });
  return retryNum === undefined ? delivery : { ...delivery, retryNum };
}

/** The line that Slack itself shows to one person. */
export function slackSays(state: State, user: string, channel: string, text: string): Message {
  return addMessage(state, {
    channel,
    user: "USLACKBOT",
    text,
    blocks: [],
    attachments: [],
    onlyFor: user,
    fromSlack: true,
  });
}

const failureWord = (delivery: Delivery): string =>
  delivery.outcome === "timed-out" ? "operation_timeout" : "dispatch_failed";

/** Types a slash command. Slack offers them in channels and direct messages, never in threads. */
export async function actCommand(state: State, reach: Reach, typed: Command): Promise<Act> {
  const user = knownUser(state, typed.user);
  const channel = knownChannel(state, typed.channel);
  const triggerId = newTrigger(state, user.id);
  const responseId = newResponseUrl(state, { user: user.id, channel: channel.id });
  const responseUrl = `${reach.base()}/response/${responseId}`;
  const body: JsonObject = {
    token: "deprecated-verification-token",
    team_id: user.team ?? state.spec.team.id,
    team_domain: state.spec.team.domain,
    channel_id: channel.id,
    channel_name: channel.isPrivate ? "privategroup" : channel.name,
    user_id: user.id,
    user_name: user.name,
    command: typed.command,
    text: typed.text,
    api_app_id: state.spec.app.id,
    is_enterprise_install: "false",
    response_url: responseUrl,
    trigger_id: triggerId,
  };
  const payload: Payload = { kind: "slash_commands", body };
  const deliveries: Delivery[] = [];
  const shown: Message[] = [];
  for (let i = 0; i < (typed.duplicate ? 2 : 1); i += 1) {
    const delivery = await send(state, reach, payload, typed);
    deliveries.push(delivery);
    shown.push(...showAck(state, typed, delivery, responseId));
  }
  return { payload, deliveries, triggerId, responseUrl, shown };
}

function showAck(state: State, typed: Command, delivery: Delivery, responseId: string): readonly Message[] {
  const fail = (error: string, reasons: readonly string[]): readonly Message[] => {
    addViolation(state, { where: "ack", channel: typed.channel, error, reasons });
    return [slackSays(state, typed.user, typed.channel, `${typed.command} failed with the error "${error}"`)];
  };
  if (delivery.outcome !== "acked")
    return fail(failureWord(delivery), [
      `${typed.command} ${typed.text}: ${delivery.outcome} after ${Math.round(delivery.ms)} ms, status ${delivery.status}`,
    ]);
  if (isEmptyAck(delivery.ack)) return [];
  const read = readSaid(delivery.ack);
  if (!("content" in read)) return fail("invalid_command_response", read);
  const url = state.responseUrls.get(responseId)!;
  const message = show(state, read, url);
  state.responseUrls.set(responseId, { ...url, original: message });
  return [message];
}
