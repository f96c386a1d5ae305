import type { KnownBlock } from "@slack/types";

/** Why Slack did not do what we asked. Retrying is the caller's decision: only it knows what a second message costs. */
export type SlackTrouble =
  | Readonly<{ kind: "rate-limited"; retryAfterMs: number }>
  /**
   * No usable answer. `arrived: "no"`: the request never reached Slack; `"perhaps"`: it may have been carried out
   * (a time-out, a broken connection, a 5xx).
   */
  | Readonly<{ kind: "unavailable"; detail: string; arrived: "no" | "perhaps" }>
  /** Slack's own error word (`not_in_channel`, `missing_scope`), with the scope it asks for. */
  | Readonly<{ kind: "refused"; error: string; needed?: string; messages: readonly string[] }>;

export type SlackResult<T> =
  | Readonly<{ ok: true; value: T }>
  | Readonly<{ ok: false; trouble: SlackTrouble }>;

/** What every message carries: `text` is the whole outcome for notifications, search and screen readers. */
export type SlackContent = Readonly<{
  text: string;
  blocks: readonly KnownBlock[];
  /** Ids only, since any member of the workspace can read metadata: the run and this one message of it. */
  run: string;
  message: string;
}>;

export type SlackSelf = Readonly<{
  team: string;
  botId: string;
  botUserId: string;
  /** Granted scopes as Slack's answer lists them; undefined when it does not. */
  scopes: readonly string[] | undefined;
}>;

export type SlackUpload = Readonly<{ filename: string; title: string; content: string | Uint8Array }>;

/** The few Web API calls that the Slack door makes. None of them rejects. */
export type SlackApi = Readonly<{
  whoAmI: () => Promise<SlackResult<SlackSelf>>;
  /** `channel` may be a user id: the message then goes to the direct conversation with that person. */
  post: (
    to: Readonly<{ channel: string; thread?: string }>,
    content: SlackContent,
  ) => Promise<SlackResult<Readonly<{ channel: string; ts: string }>>>;
  update: (
    at: Readonly<{ channel: string; ts: string }>,
    content: SlackContent,
  ) => Promise<SlackResult<undefined>>;
  remove: (at: Readonly<{ channel: string; ts: string }>) => Promise<SlackResult<undefined>>;
  whisper: (
    to: Readonly<{ channel: string; user: string; thread?: string }>,
    content: SlackContent,
  ) => Promise<SlackResult<undefined>>;
  /** Posts to a `response_url`: five times within 30 minutes, counted by the caller. */
  respond: (
    url: string,
    content: SlackContent & Readonly<{ visible: "ephemeral" | "in_channel"; thread?: string }>,
  ) => Promise<SlackResult<undefined>>;
  upload: (
    to: Readonly<{ channel: string; thread: string }>,
    files: readonly SlackUpload[],
  ) => Promise<SlackResult<undefined>>;
  /** Time stamp of the message that carries this message id in its metadata; needs `channels:history` or `groups:history`. */
  find: (
    at: Readonly<{ channel: string; thread?: string; sinceMs: number }>,
    message: string,
  ) => Promise<SlackResult<string | undefined>>;
  /** Names of the files that were shared in a thread since then; needs the same scopes. */
  filesIn: (
    at: Readonly<{ channel: string; thread: string; sinceMs: number }>,
  ) => Promise<SlackResult<readonly string[]>>;
  groupMembers: (group: string) => Promise<SlackResult<readonly string[]>>;
  channel: (id: string) => Promise<SlackResult<Readonly<{ name: string; archived: boolean }>>>;
  user: (id: string) => Promise<SlackResult<Readonly<{ bot: boolean; guest: boolean; stranger: boolean }>>>;
}>;

/** Metadata's event type on every message of ours. */
export const runEvent = "arpeggio_run";
