import * as z from "zod";
import { contentProblems } from "./content.ts";
import type { Content, JsonObject, Message } from "./message.ts";
import { field } from "./method.ts";
import {
  addMessage,
  addViolation,
  findMessage,
  type ResponseUrl,
  removeMessage,
  replaceMessage,
  type State,
} from "./state.ts";

/** A response URL takes this many posts within this long. */
const MOST_POSTS = 5;
const LIVES_MS = 30 * 60_000;
/** Characters of `text` beyond which Slack cuts without a word. */
const MOST_TEXT = 40_000;

const said = z.object({
  text: z.string().optional(),
  blocks: field.objects,
  attachments: field.objects,
  metadata: field.object,
  response_type: z.enum(["ephemeral", "in_channel"]).optional(),
  replace_original: field.yes,
  delete_original: field.yes,
  thread_ts: z.string().optional(),
});

export function newResponseUrl(
  state: State,
  about: Readonly<{ user: string; channel: string; threadTs?: string; original?: Message }>,
): string {
  const id = state.newId("R");
  state.responseUrls.set(id, {
    id,
    user: about.user,
    channel: about.channel,
    ...(about.threadTs === undefined ? {} : { threadTs: about.threadTs }),
    original: about.original,
    used: 0,
    expiresAt: state.clock.now() + LIVES_MS,
  });
  return id;
}

type Read = Readonly<{ content: Content; asked: z.output<typeof said> }>;

/** Reads what an ack or a response URL was given; a list is what is wrong with it. */
export function readSaid(body: unknown): Read | readonly string[] {
  const parsed = said.safeParse(typeof body === "string" ? { text: body } : body);
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join("/")}: ${issue.message}`);
  const asked = parsed.data;
  const content: Content = {
    text: asked.text ?? "",
    blocks: asked.blocks ?? [],
    attachments: asked.attachments ?? [],
    ...(asked.metadata === undefined ? {} : { metadata: asked.metadata }),
  };
  if (asked.delete_original) return { content, asked };
  if (content.text === "" && content.blocks.length === 0 && content.attachments.length === 0)
    return ["no text, no blocks, no attachments"];
  if (content.text.length > MOST_TEXT)
    return [`text: ${content.text.length} characters, at most ${MOST_TEXT}`];
  const problems = contentProblems(content);
  return problems.length > 0 ? problems : { content, asked };
}

/** Shows a person what an ack or a response URL carried: to them alone unless it says `in_channel`. */
export function show(
  state: State,
  read: Read,
  to: Pick<ResponseUrl, "user" | "channel" | "threadTs">,
): Message {
  const threadTs = read.asked.thread_ts ?? to.threadTs;
  return addMessage(state, {
    ...read.content,
    channel: to.channel,
    user: state.spec.app.botUserId,
    botId: state.spec.app.botId,
    ...(read.asked.response_type === "in_channel" ? {} : { onlyFor: to.user }),
    ...(threadTs === undefined ? {} : { threadTs }),
  });
}

type Answer = Readonly<{ status: number; body: JsonObject | string }>;

/** One post to a response URL. */
export function postToResponseUrl(state: State, id: string, body: unknown): Answer {
  const url = state.responseUrls.get(id);
  const refuse = (status: number, error: string, reasons: readonly string[] = []): Answer => {
    addViolation(state, {
      where: "response_url",
      ...(url === undefined ? {} : { channel: url.channel }),
      error,
      reasons,
    });
    return { status, body: { ok: false, error } };
  };
  if (url === undefined) return refuse(404, "invalid_url");
  if (state.clock.now() > url.expiresAt) return refuse(404, "expired_url");
  if (url.used >= MOST_POSTS) return refuse(404, "used_url");
  const used = { ...url, used: url.used + 1 };
  state.responseUrls.set(id, used);
  const read = readSaid(body);
  if (!("content" in read)) return refuse(400, "invalid_blocks", read);
  const original = url.original === undefined ? undefined : currentOf(state, url.original);
  if ((read.asked.delete_original || read.asked.replace_original) && url.original !== undefined && !original)
    return refuse(404, "message_not_found");
  if (read.asked.delete_original) {
    if (original === undefined) return refuse(404, "message_not_found");
    removeMessage(state, original);
    state.responseUrls.set(id, { ...used, original: undefined });
    return { status: 200, body: "ok" };
  }
  const shown =
    read.asked.replace_original && original !== undefined
      ? replaceMessage(state, original, { ...original, ...read.content })
      : show(state, read, url);
  state.responseUrls.set(id, { ...used, original: original ?? shown });
  return { status: 200, body: "ok" };
}

/** A response URL may be older than the message it speaks of: what stands there now, if anything does. */
const currentOf = (state: State, message: Message): Message | undefined =>
  message.onlyFor === undefined
    ? findMessage(state, message.channel, message.ts)
    : state.ephemerals.find((other) => other.ts === message.ts);
