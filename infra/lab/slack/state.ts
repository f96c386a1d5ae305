import type { Clock } from "#shared/clock.ts";
import type { Json } from "#shared/json.ts";
import type { Content, JsonObject, Message } from "./message.ts";
import type { ChannelSpec, UserGroupSpec, UserSpec, WorkspaceSpec } from "./spec.ts";

/** Thrown by whatever Slack would refuse; `error` is Slack's own word, `extra` goes beside it in the answer. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly error: string;
  readonly extra: JsonObject;

  constructor(error: string, extra: JsonObject = {}) {
    super(error);
    this.error = error;
    this.extra = extra;
  }
}

export const refusalWith = (error: string, messages: readonly string[]): Refusal =>
  new Refusal(error, { response_metadata: { messages } });

/** A message or call that Slack would have refused or that a person would have seen go wrong. */
export type Violation = Readonly<{
  /** Web API method, `response_url`, `ack` or `socket`. */
  where: string;
  channel?: string;
  error: string;
  reasons: readonly string[];
  at: number;
}>;

export type FileEntry = Readonly<{
  id: string;
  name: string;
  title: string;
  length: number;
  bytes: Uint8Array | undefined;
  /** Channel and thread it was shared in; absent until the upload is completed. */
  sharedIn?: Readonly<{ channel: string; threadTs?: string }>;
}>;

export type View = Readonly<{
  id: string;
  hash: string;
  /** Who has it open. */
  user: string;
  view: JsonObject;
  open: boolean;
}>;

export type Channel = ChannelSpec & Readonly<{ isIm?: boolean }>;

export type ResponseUrl = Readonly<{
  id: string;
  user: string;
  channel: string;
  threadTs?: string;
  /** What `replace_original` and `delete_original` are about. */
  original: Message | undefined;
  used: number;
  expiresAt: number;
}>;

/** Everything a workspace remembers. Only the functions of this folder touch it; callers outside get values. */
export type State = Readonly<{
  spec: WorkspaceSpec;
  clock: Clock;
  users: Map<string, UserSpec>;
  groups: Map<string, UserGroupSpec>;
  channels: Map<string, Channel>;
  messages: Map<string, Message[]>;
  ephemerals: Message[];
  earlier: Map<string, Message[]>;
  files: Map<string, FileEntry>;
  views: Map<string, View>;
  homes: Map<string, View>;
  triggers: Map<string, Readonly<{ user: string; expiresAt: number; used: boolean }>>;
  responseUrls: Map<string, ResponseUrl>;
  violations: Violation[];
  watchers: Set<() => void>;
  newTs: () => string;
  newId: (prefix: string) => string;
}>;

export function createState(spec: WorkspaceSpec, clock: Clock): State {
  let lastMicros = 0;
  let count = 0;
  return {
    spec,
    clock,
    users: new Map(spec.users.map((user) => [user.id, user])),
    groups: new Map(spec.userGroups.map((group) => [group.id, group])),
    channels: new Map(spec.channels.map((channel) => [channel.id, channel])),
    messages: new Map(),
    ephemerals: [],
    earlier: new Map(),
    files: new Map(),
    views: new Map(),
    homes: new Map(),
    triggers: new Map(),
    responseUrls: new Map(),
    violations: [],
    watchers: new Set(),
    newTs: () => {
      lastMicros = Math.max(lastMicros + 1, clock.now() * 1_000);
      return `${Math.floor(lastMicros / 1_000_000)}.${String(lastMicros % 1_000_000).padStart(6, "0")}`;
    },
    newId: (prefix) => {
      count += 1;
      return `${prefix}${count.toString(36).toUpperCase().padStart(8, "0")}`;
    },
  };
}

export const changed = (state: State): void => {
  for (const watcher of [...state.watchers]) watcher();
};

export function addViolation(state: State, violation: Omit<Violation, "at">): void {
  state.violations.push({ ...violation, at: state.clock.now() });
  changed(state);
}

export const messagesOf = (state: State, channel: string): readonly Message[] =>
  state.messages.get(channel) ?? [];

export const findMessage = (state: State, channel: string, ts: string): Message | undefined =>
  messagesOf(state, channel).find((message) => message.ts === ts);

export const repliesTo = (state: State, message: Message): readonly Message[] =>
  messagesOf(state, message.channel).filter(
    (other) => other.threadTs === message.ts && other.ts !== message.ts,
  );

export const isMember = (channel: Channel, user: string): boolean => channel.members.includes(user);

/** The direct conversation of the bot with somebody, made on first use. */
export function directChannel(state: State, user: string): Channel {
  if (!state.users.has(user)) throw new Refusal("user_not_found");
  const id = `D${user.slice(1)}`;
  const known = state.channels.get(id);
  if (known !== undefined) return known;
  const channel: Channel = {
    id,
    name: "directmessage",
    isIm: true,
    members: [user, state.spec.app.botUserId],
  };
  state.channels.set(id, channel);
  return channel;
}

/** Clients show an ephemeral message in a thread only when the thread has replies already. */
const isShown = (state: State, message: Message): boolean =>
  message.threadTs === undefined ||
  messagesOf(state, message.channel).some(
    (other) => other.threadTs === message.threadTs && other.ts !== message.threadTs,
  );

export type NewMessage = Content &
  Readonly<{
    channel: string;
    user: string;
    botId?: string;
    threadTs?: string;
    files?: readonly JsonObject[];
    onlyFor?: string;
    fromSlack?: boolean;
  }>;

/** Keeps a message and gives it its time stamp, which is its identity in the channel. */
export function addMessage(state: State, fresh: NewMessage): Message {
  const message: Message = {
    ...fresh,
    blocks: withIds(state, fresh.blocks),
    ts: state.newTs(),
    team: state.users.get(fresh.user)?.team ?? state.spec.team.id,
    files: fresh.files ?? [],
    reactions: [],
  };
  if (message.onlyFor !== undefined) {
    if (isShown(state, message)) state.ephemerals.push(message);
    else
      addViolation(state, {
        where: "ephemeral",
        channel: message.channel,
        error: "not_shown",
        reasons: ["an ephemeral message in a thread without replies is shown to nobody"],
      });
  } else {
    const list = state.messages.get(message.channel);
    if (list === undefined) state.messages.set(message.channel, [message]);
    else list.push(message);
  }
  changed(state);
  return message;
}

function placeOf(state: State, message: Message): Readonly<{ list: Message[]; index: number }> {
  const list = message.onlyFor === undefined ? state.messages.get(message.channel) : state.ephemerals;
  const index = list?.findIndex((m) => m.ts === message.ts && m.channel === message.channel) ?? -1;
  if (list === undefined || index < 0) throw new Refusal("message_not_found");
  return { list, index };
}

/** Puts `next` where `before` stood and remembers what it said before. */
export function replaceMessage(state: State, before: Message, next: Message): Message {
  const { list, index } = placeOf(state, before);
  const key = `${before.channel} ${before.ts}`;
  const kept = { ...next, blocks: withIds(state, next.blocks) };
  state.earlier.set(key, [...(state.earlier.get(key) ?? []), list[index]!]);
  list[index] = kept;
  changed(state);
  return kept;
}

/** Reactions change beside a message; they are no edit of it. */
export function setReactions(state: State, message: Message, reactions: Message["reactions"]): void {
  const { list, index } = placeOf(state, message);
  list[index] = { ...message, reactions };
  changed(state);
}

export function removeMessage(state: State, message: Message): void {
  const { list, index } = placeOf(state, message);
  list.splice(index, 1);
  changed(state);
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Slack names every block and every interactive element that the sender left without an id. */
function withIds(state: State, blocks: readonly JsonObject[]): readonly JsonObject[] {
  return blocks.map((block) => ({
    ...block,
    block_id: block.block_id ?? state.newId("b"),
    ...(isObject(block.accessory) ? { accessory: elementWithId(state, block.accessory) } : {}),
    ...(block.type === "actions" && Array.isArray(block.elements)
      ? { elements: block.elements.map((e: Json) => (isObject(e) ? elementWithId(state, e) : e)) }
      : {}),
    ...(Array.isArray(block.child_blocks)
      ? { child_blocks: withIds(state, (block.child_blocks as readonly Json[]).filter(isObject)) }
      : {}),
  }));
}

const elementWithId = (state: State, element: JsonObject): JsonObject =>
  element.type === "image" ? element : { ...element, action_id: element.action_id ?? state.newId("a") };
