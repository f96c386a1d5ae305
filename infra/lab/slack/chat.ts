import * as z from "zod";
import { contentProblems, metadataProblems } from "./content.ts";
import { type Content, type JsonObject, type Message, wireMessage } from "./message.ts";
import { type Args, field, type Method, parse, visibleChannel } from "./method.ts";
import {
  addMessage,
  addViolation,
  type Channel,
  directChannel,
  findMessage,
  isMember,
  Refusal,
  refusalWith,
  removeMessage,
  replaceMessage,
  repliesTo,
  type State,
} from "./state.ts";

/** Longest `text` of a post and of an update, in characters. */
const POST_TEXT = 40_000;
const UPDATE_TEXT = 4_000;

const content = {
  text: field.text,
  blocks: field.objects,
  attachments: field.objects,
  metadata: field.object,
};

const posting = z.object({
  channel: field.needed,
  thread_ts: field.text,
  reply_broadcast: field.yes,
  ...content,
});
const updating = z.object({ channel: field.needed, ts: field.needed, ...content });
const whispering = z.object({ channel: field.needed, user: field.needed, thread_ts: field.text, ...content });
const pointing = z.object({ channel: field.needed, ts: field.needed });
const linking = z.object({ channel: field.needed, message_ts: field.needed });

type Said = Readonly<{
  text?: string | undefined;
  blocks?: readonly JsonObject[] | undefined;
  attachments?: readonly JsonObject[] | undefined;
  metadata?: JsonObject | undefined;
}>;

/** Slack does not publish the size at which it refuses metadata; 8 kB is what its SDK authors plan with. */
const METADATA_BYTES = 8_000;

function checkedContent(
  state: State,
  said: Said,
  method: string,
  channel: string,
  mostText: number,
): Content {
  const text = said.text ?? "";
  const blocks = said.blocks ?? [];
  const attachments = said.attachments ?? [];
  if (text === "" && blocks.length === 0 && attachments.length === 0) throw new Refusal("no_text");
  if (text.length > mostText) throw new Refusal("msg_too_long");
  const problems = contentProblems({ blocks, attachments });
  if (problems.length > 0)
    throw refusalWith(
      "invalid_blocks",
      problems.map((problem) => `[ERROR] ${problem}`),
    );
  if (said.metadata !== undefined) {
    const faults = metadataProblems(said.metadata);
    if (faults.length > 0) throw refusalWith("invalid_metadata_format", faults);
    if (JSON.stringify(said.metadata).length > METADATA_BYTES) throw new Refusal("metadata_too_large");
  }
  if (text === "")
    addViolation(state, {
      where: method,
      channel,
      error: "no_fallback_text",
      reasons: ["blocks without text: notifications, screen readers and search have nothing to show"],
    });
  return { text, blocks, attachments, ...(said.metadata === undefined ? {} : { metadata: said.metadata }) };
}

/** Where the bot may write: by id, by `#name`, or to a person by user id. */
function writableChannel(state: State, id: string): Channel {
  const { botUserId, scopes } = state.spec.app;
  if (id.startsWith("U") || id.startsWith("W")) {
    if (!state.users.has(id)) throw new Refusal("channel_not_found");
    return directChannel(state, id);
  }
  const named = [...state.channels.values()].find((channel) => `#${channel.name}` === id);
  const channel = visibleChannel(state, named?.id ?? id);
  if (channel.isArchived) throw new Refusal("is_archived");
  if (!isMember(channel, botUserId) && !scopes.includes("chat:write.public"))
    throw new Refusal("not_in_channel");
  return channel;
}

function threadOf(state: State, channel: string, ts: string | undefined): string | undefined {
  if (ts === undefined || ts === "") return undefined;
  const parent = findMessage(state, channel, ts);
  if (parent === undefined) throw new Refusal("thread_not_found");
  return parent.threadTs ?? parent.ts;
}

const hasRichText = (blocks: readonly JsonObject[]): boolean =>
  blocks.some((block) => block.type === "rich_text");

function post(args: Args, state: State): JsonObject {
  const asked = parse(posting, args);
  const channel = writableChannel(state, asked.channel);
  const threadTs = threadOf(state, channel.id, asked.thread_ts);
  const said = checkedContent(state, asked, "chat.postMessage", channel.id, POST_TEXT);
  const { botUserId, botId } = state.spec.app;
  const message = addMessage(state, {
    ...said,
    channel: channel.id,
    user: botUserId,
    botId,
    ...(threadTs === undefined ? {} : { threadTs }),
  });
  return { channel: channel.id, ts: message.ts, message: wireMessage(message, [], "with-metadata") };
}

function ownMessage(state: State, channel: string, ts: string, refusal: string): Message {
  visibleChannel(state, channel);
  const message = findMessage(state, channel, ts);
  if (message === undefined) throw new Refusal("message_not_found");
  if (message.botId !== state.spec.app.botId) throw new Refusal(refusal);
  return message;
}

/** Text without blocks takes the blocks away; metadata stays unless it is replaced. */
function update(args: Args, state: State): JsonObject {
  const asked = parse(updating, args);
  const before = ownMessage(state, asked.channel, asked.ts, "cant_update_message");
  if (state.channels.get(before.channel)?.isArchived) throw new Refusal("is_archived");
  const said = checkedContent(state, asked, "chat.update", before.channel, UPDATE_TEXT);
  if (hasRichText(before.blocks) && !hasRichText(said.blocks)) throw new Refusal("block_mismatch");
  const after = replaceMessage(state, before, {
    ...before,
    ...said,
    ...(said.blocks.length > 0 ? {} : { editedTs: state.newTs() }),
  });
  return {
    channel: after.channel,
    ts: after.ts,
    text: after.text,
    message: wireMessage(after, repliesTo(state, after), "with-metadata"),
  };
}

function whisper(args: Args, state: State): JsonObject {
  const asked = parse(whispering, args);
  const channel = writableChannel(state, asked.channel);
  if (!isMember(channel, asked.user)) throw new Refusal("user_not_in_channel");
  const threadTs = threadOf(state, channel.id, asked.thread_ts);
  const said = checkedContent(state, asked, "chat.postEphemeral", channel.id, POST_TEXT);
  const message = addMessage(state, {
    ...said,
    channel: channel.id,
    user: state.spec.app.botUserId,
    botId: state.spec.app.botId,
    onlyFor: asked.user,
    ...(threadTs === undefined ? {} : { threadTs }),
  });
  return { message_ts: message.ts };
}

function remove(args: Args, state: State): JsonObject {
  const asked = parse(pointing, args);
  const message = ownMessage(state, asked.channel, asked.ts, "cant_delete_message");
  removeMessage(state, message);
  return { channel: message.channel, ts: message.ts };
}

function permalink(args: Args, state: State): JsonObject {
  const asked = parse(linking, args);
  const channel = visibleChannel(state, asked.channel);
  const message = findMessage(state, channel.id, asked.message_ts);
  if (message === undefined) throw new Refusal("message_not_found");
  const thread = message.threadTs === undefined ? "" : `?thread_ts=${message.threadTs}&cid=${channel.id}`;
  return {
    channel: channel.id,
    permalink: `https://${state.spec.team.domain}.slack.com/archives/${channel.id}/p${message.ts.replace(".", "")}${thread}`,
  };
}

const WRITE = ["chat:write"];

export const chatMethods: Readonly<Record<string, Method>> = {
  "chat.postMessage": { tier: "per-channel", token: "bot", scopes: WRITE, answer: post },
  "chat.update": { tier: 3, token: "bot", scopes: WRITE, answer: update },
  "chat.postEphemeral": { tier: 4, token: "bot", scopes: WRITE, answer: whisper },
  "chat.delete": { tier: 3, token: "bot", scopes: WRITE, answer: remove },
  "chat.getPermalink": { tier: "unlimited", token: "bot", scopes: [], answer: permalink },
};
