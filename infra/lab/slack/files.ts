import * as z from "zod";
import type { JsonObject } from "./message.ts";
import { type Args, field, type Method, parse, visibleChannel } from "./method.ts";
import { addMessage, type FileEntry, findMessage, isMember, Refusal, type State } from "./state.ts";

const asking = z.object({ filename: field.needed, length: z.coerce.number().int().positive() });
const completing = z.object({
  files: z.preprocess(
    (value) => (typeof value === "string" ? safeJson(value) : value),
    z.array(z.object({ id: z.string().min(1), title: z.string().optional() })).min(1),
  ),
  channel_id: field.text,
  thread_ts: field.text,
  initial_comment: field.text,
});

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const wireFile = (state: State, file: FileEntry): JsonObject => ({
  id: file.id,
  name: file.name,
  title: file.title,
  size: file.length,
  user: state.spec.app.botUserId,
});

/** Shares every file of the call as one message; the answer does not carry that message's time stamp, as Slack's does not. */
function complete(args: Args, state: State): JsonObject {
  const asked = parse(completing, args);
  const entries = asked.files.map(({ id, title }) => {
    const file = state.files.get(id);
    if (file === undefined || file.bytes === undefined) throw new Refusal("file_not_found");
    return { ...file, title: title ?? file.name };
  });
  if (asked.channel_id === undefined) {
    for (const file of entries) state.files.set(file.id, file);
    return { files: entries.map((file) => wireFile(state, file)) };
  }
  const channel = visibleChannel(state, asked.channel_id);
  if (channel.isArchived) throw new Refusal("is_archived");
  if (!isMember(channel, state.spec.app.botUserId)) throw new Refusal("not_in_channel");
  const parent = asked.thread_ts === undefined ? undefined : findMessage(state, channel.id, asked.thread_ts);
  if (asked.thread_ts !== undefined && parent === undefined) throw new Refusal("thread_not_found");
  const threadTs = parent === undefined ? undefined : (parent.threadTs ?? parent.ts);
  for (const file of entries)
    state.files.set(file.id, {
      ...file,
      sharedIn: { channel: channel.id, ...(threadTs === undefined ? {} : { threadTs }) },
    });
  addMessage(state, {
    channel: channel.id,
    user: state.spec.app.botUserId,
    botId: state.spec.app.botId,
    text: asked.initial_comment ?? "",
    blocks: [],
    attachments: [],
    files: entries.map((file) => wireFile(state, file)),
    ...(threadTs === undefined ? {} : { threadTs }),
  });
  return { files: entries.map((file) => wireFile(state, file)) };
}

/** Takes the bytes that the upload URL got. HTTP status for the sender: Slack answers plain text here, not JSON. */
export function receiveUpload(state: State, id: string, bytes: Uint8Array): number {
  const file = state.files.get(id);
  if (file === undefined || file.bytes !== undefined) return 404;
  if (bytes.byteLength !== file.length) return 400;
  state.files.set(id, { ...file, bytes });
  return 200;
}

export function fileMethods(uploadUrl: (fileId: string) => string): Readonly<Record<string, Method>> {
  const ask = (args: Args, state: State): JsonObject => {
    const asked = parse(asking, args);
    const id = state.newId("F");
    state.files.set(id, {
      id,
      name: asked.filename,
      title: asked.filename,
      length: asked.length,
      bytes: undefined,
    });
    return { upload_url: uploadUrl(id), file_id: id };
  };
  return {
    "files.getUploadURLExternal": { tier: 4, token: "bot", scopes: ["files:write"], answer: ask },
    "files.completeUploadExternal": { tier: 4, token: "bot", scopes: ["files:write"], answer: complete },
  };
}
