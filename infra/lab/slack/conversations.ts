import * as z from "zod";
import { type JsonObject, type Message, wireMessage } from "./message.ts";
import { type Args, field, type Method, needScope, page, parse, scopeFor, visibleChannel } from "./method.ts";
import {
  type Channel,
  directChannel,
  findMessage,
  isMember,
  messagesOf,
  Refusal,
  repliesTo,
  type State,
} from "./state.ts";

const paging = { cursor: field.text, limit: field.number };
const span = {
  oldest: field.text,
  latest: field.text,
  inclusive: field.yes,
  include_all_metadata: field.yes,
};
const aChannel = z.object({ channel: field.needed });
const listing = z.object({ types: field.text, exclude_archived: field.yes, ...paging });
const history = z.object({ channel: field.needed, ...span, ...paging });
const thread = z.object({ channel: field.needed, ts: field.needed, ...span, ...paging });
const members = z.object({ channel: field.needed, ...paging });
const opening = z.object({ users: field.needed });

const wireChannel = (state: State, channel: Channel): JsonObject => ({
  id: channel.id,
  ...(channel.isIm ? { user: channel.members[0] } : { name: channel.name, name_normalized: channel.name }),
  is_channel: !channel.isIm && !channel.isPrivate,
  is_group: channel.isPrivate ?? false,
  is_im: channel.isIm ?? false,
  is_mpim: false,
  is_private: channel.isPrivate ?? channel.isIm ?? false,
  is_archived: channel.isArchived ?? false,
  is_member: isMember(channel, state.spec.app.botUserId),
  is_general: false,
  is_ext_shared: channel.members.some((id) => state.users.get(id)?.isStranger),
  context_team_id: state.spec.team.id,
});

function info(args: Args, state: State): JsonObject {
  const channel = visibleChannel(state, parse(aChannel, args).channel);
  needScope(state, scopeFor(channel, "read"));
  return { channel: wireChannel(state, channel) };
}

function list(args: Args, state: State): JsonObject {
  const asked = parse(listing, args);
  const types = (asked.types ?? "public_channel").split(",").map((type) => type.trim());
  const wanted = [...state.channels.values()].filter((channel) => {
    if (asked.exclude_archived && channel.isArchived) return false;
    if (channel.isIm) return types.includes("im");
    if (channel.isPrivate)
      return types.includes("private_channel") && isMember(channel, state.spec.app.botUserId);
    return types.includes("public_channel");
  });
  if (types.includes("public_channel")) needScope(state, "channels:read");
  if (types.includes("private_channel")) needScope(state, "groups:read");
  if (types.includes("im")) needScope(state, "im:read");
  const { items, next } = page(wanted, asked.limit, asked.cursor);
  return {
    channels: items.map((channel) => wireChannel(state, channel)),
    response_metadata: { next_cursor: next },
  };
}

/** A channel whose messages the bot may read: the scope of its kind, and membership. */
function readableChannel(state: State, id: string): Channel {
  const channel = visibleChannel(state, id);
  needScope(state, scopeFor(channel, "history"));
  if (!isMember(channel, state.spec.app.botUserId)) throw new Refusal("not_in_channel");
  return channel;
}

const within = (message: Message, asked: z.output<typeof history>): boolean => {
  const at = Number(message.ts);
  const oldest = asked.oldest === undefined ? -1 : Number(asked.oldest);
  const latest = asked.latest === undefined ? Number.POSITIVE_INFINITY : Number(asked.latest);
  return asked.inclusive ? at >= oldest && at <= latest : at > oldest && at < latest;
};

const withMetadata = (asked: Readonly<{ include_all_metadata: boolean }>) =>
  asked.include_all_metadata ? "with-metadata" : "without-metadata";

/** Newest first, threads by their parents alone. */
function readHistory(args: Args, state: State): JsonObject {
  const asked = parse(history, args);
  const channel = readableChannel(state, asked.channel);
  const parents = messagesOf(state, channel.id)
    .filter((message) => message.threadTs === undefined && within(message, asked))
    .toReversed();
  const { items, next } = page(parents, asked.limit, asked.cursor);
  return {
    messages: items.map((message) => wireMessage(message, repliesTo(state, message), withMetadata(asked))),
    has_more: next !== "",
    ...(next === "" ? {} : { response_metadata: { next_cursor: next } }),
  };
}

/** The parent, then its replies, oldest first. */
function readThread(args: Args, state: State): JsonObject {
  const asked = parse(thread, args);
  const channel = readableChannel(state, asked.channel);
  const given = findMessage(state, channel.id, asked.ts);
  const parent = given?.threadTs === undefined ? given : findMessage(state, channel.id, given.threadTs);
  if (parent === undefined) throw new Refusal("thread_not_found");
  const replies = repliesTo(state, parent);
  const all = [parent, ...replies.filter((message) => within(message, asked))];
  const { items, next } = page(all, asked.limit, asked.cursor);
  return {
    messages: items.map((message) =>
      wireMessage(message, message.ts === parent.ts ? replies : [], withMetadata(asked)),
    ),
    has_more: next !== "",
    ...(next === "" ? {} : { response_metadata: { next_cursor: next } }),
  };
}

function listMembers(args: Args, state: State): JsonObject {
  const asked = parse(members, args);
  const channel = visibleChannel(state, asked.channel);
  needScope(state, scopeFor(channel, "read"));
  const { items, next } = page(channel.members, asked.limit, asked.cursor);
  return { members: items, response_metadata: { next_cursor: next } };
}

function open(args: Args, state: State): JsonObject {
  const { users } = parse(opening, args);
  const ids = users.split(",");
  if (ids.length !== 1) throw new Refusal("method_not_supported_for_channel_type");
  const channel = directChannel(state, ids[0]!);
  return { channel: { id: channel.id } };
}

export const conversationMethods: Readonly<Record<string, Method>> = {
  "conversations.info": { tier: 3, token: "bot", scopes: [], answer: info },
  "conversations.list": { tier: 2, token: "bot", scopes: [], answer: list },
  "conversations.history": { tier: 3, token: "bot", scopes: [], answer: readHistory },
  "conversations.replies": { tier: 3, token: "bot", scopes: [], answer: readThread },
  "conversations.members": { tier: 4, token: "bot", scopes: [], answer: listMembers },
  "conversations.open": { tier: 3, token: "bot", scopes: ["im:write"], answer: open },
};
