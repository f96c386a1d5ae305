import { createHash } from "node:crypto";
import type { SlackResult, SlackTrouble, SlackUpload } from "#shared/adapters/slack-api.ts";
import { type Standing, theMessage, threadOf } from "#shared/board/standing.ts";
import type { Text } from "#shared/text.ts";
import type { Wishes } from "./board.ts";
import { inWords } from "./directory.ts";
import type { Sending } from "./live.ts";
import { notes } from "./sentences.ts";

/** Files in the threads of standing messages. */
export type BoardFiles = Readonly<{
  /** Uploads once: what was begun and not confirmed is looked for by its names first. */
  upload: (state: Standing, what: string, files: readonly SlackUpload[]) => Promise<SlackResult<undefined>>;
  /** What does not fit the standing message itself goes into its thread, once for each content that stays. */
  overflow: (state: Standing, files: readonly SlackUpload[]) => Promise<void>;
  /** Whether the standing message names files that are not in its thread yet. Passing states upload nothing. */
  owed: (state: Standing, files: readonly SlackUpload[]) => boolean;
  /** A few tries of a call that may be repeated. */
  insist: <T>(call: () => Promise<SlackResult<T>>) => Promise<SlackResult<T>>;
  /** Why files are missing, in the words of the message that names them. */
  missing: (trouble: SlackTrouble) => Text;
}>;

const tries = 3;

const digestOf = (files: readonly SlackUpload[]): string =>
  files
    .reduce(
      (hash, file) => hash.update(file.filename).update("\n").update(file.content),
      createHash("sha256"),
    )
    .digest("hex")
    .slice(0, 16);

export function createBoardFiles(options: Readonly<{ sending: Sending; wishes: Wishes }>): BoardFiles {
  const { api, clock, log, stopping } = options.sending;
  const { record } = options.wishes;

  const insist: BoardFiles["insist"] = async (call) => {
    let result = await call();
    for (
      let nth = 0;
      nth < tries && !result.ok && result.trouble.kind !== "refused" && !stopping.aborted;
      nth++
    ) {
      const { trouble } = result;
      await clock.sleep(trouble.kind === "rate-limited" ? trouble.retryAfterMs : 1_000 * 2 ** nth, stopping);
      result = await call();
    }
    return result;
  };

  const upload: BoardFiles["upload"] = async (state, what, files) => {
    const to = threadOf(state);
    const begun = state.uploads.get(what);
    if (to === undefined || begun?.done) return { ok: true, value: undefined };
    let left = files;
    if (begun !== undefined) {
      const there = await api.filesIn({ ...to, sinceMs: begun.intendedAt - 60_000 });
      if (there.ok) left = files.filter((file) => !there.value.includes(file.filename));
    } else await record(state.key, { type: "uploading", data: { what } });
    const uploaded: SlackResult<undefined> =
      left.length === 0 ? { ok: true, value: undefined } : await insist(() => api.upload(to, left));
    if (uploaded.ok || uploaded.trouble.kind === "refused")
      await record(state.key, { type: "uploaded", data: { what } });
    return uploaded;
  };

  const nameOf = (files: readonly SlackUpload[]): string => `${theMessage}/${digestOf(files)}`;

  return {
    insist,
    upload,
    owed: (state, files) =>
      files.length > 0 &&
      threadOf(state) !== undefined &&
      state.put?.reply.verdict.outcome !== "running" &&
      state.uploads.get(nameOf(files))?.done !== true,
    overflow: async (state, files) => {
      const uploaded = await upload(state, nameOf(files), files);
      if (!uploaded.ok)
        log({
          level: "error",
          msg: "files of a standing message could not be attached",
          key: state.key,
          error: inWords(uploaded.trouble),
        });
    },
    missing: (trouble) =>
      trouble.kind === "refused" && trouble.error === "missing_scope"
        ? notes.filesNeedScope
        : notes.filesFailed(inWords(trouble)),
  };
}
