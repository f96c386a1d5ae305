import type { KnownBlock } from "@slack/types";
import {
  LogLevel,
  type WebAPICallResult,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
} from "@slack/web-api";
import {
  runEvent,
  type SlackApi,
  type SlackContent,
  type SlackResult,
  type SlackTrouble,
} from "./slack-api.ts";
import { type SlackLog, slackLogger } from "./slack-log.ts";

export type SlackApiOptions = Readonly<{
  botToken: string;
  /** Base of the Web API, ending in a slash; Slack's own when absent. */
  apiUrl?: string;
  log: SlackLog;
  /** Longest wait for one answer, in milliseconds. */
  timeoutMs?: number;
}>;

const withinMs = 5_000;

/**
 * Words by which Node says that a connection was never made. Anything else may have left after the request was read.
 */
const neverSent = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT/;

const causes = (error: unknown): string => {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 4; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    parts.push(typeof code === "string" ? `${code} ${at.message}` : at.message);
    if (at instanceof WebAPIRequestError && at.cause === undefined) parts.push(at.original.message);
  }
  return parts.join(": ");
};

function troubleOf(error: unknown): SlackTrouble {
  if (error instanceof WebAPIRateLimitedError)
    return { kind: "rate-limited", retryAfterMs: Math.max(1, error.retryAfter) * 1_000 };
  if (error instanceof WebAPIHTTPError)
    return { kind: "unavailable", detail: `HTTP ${error.statusCode}`, arrived: "perhaps" };
  if (error instanceof WebAPIPlatformError) {
    const data = error.data as { needed?: unknown; response_metadata?: { messages?: string[] } };
    return {
      kind: "refused",
      error: error.data.error,
      ...(typeof data.needed === "string" ? { needed: data.needed } : {}),
      messages: data.response_metadata?.messages ?? [],
    };
  }
  const detail = causes(error) || String(error);
  return { kind: "unavailable", detail, arrived: neverSent.test(detail) ? "no" : "perhaps" };
}

async function settle<T>(call: () => Promise<T>): Promise<SlackResult<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, trouble: troubleOf(error) };
  }
}

const metadata = ({ run, message }: SlackContent) => ({
  event_type: runEvent,
  event_payload: { run, message },
});

const said = (content: SlackContent) => ({
  text: content.text,
  blocks: content.blocks as KnownBlock[],
  metadata: metadata(content),
  unfurl_links: false,
  unfurl_media: false,
});

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/**
 * The Web API behind two clients, because a 429 pauses the whole queue of the client that met it: people wait on the
 * first, uploads and look-ups run on the second. The first never repeats a request by itself: the library would send
 * a message whose answer came late a second time, so its caller decides what is sent again.
 */
export function createSlackApi(options: SlackApiOptions): SlackApi {
  const timeout = options.timeoutMs ?? withinMs;
  const common = {
    ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
    logger: slackLogger(options.log),
    logLevel: LogLevel.WARN,
    timeout,
    rejectRateLimitedCalls: true,
  };
  const interactive = new WebClient(options.botToken, { ...common, retryConfig: { retries: 0 } });
  const background = new WebClient(options.botToken, {
    ...common,
    timeout: timeout * 4,
    retryConfig: { retries: 2, minTimeout: 500, maxTimeout: 2_000 },
  });

  const pages = async (
    method: string,
    args: Record<string, unknown>,
    pick: (page: WebAPICallResult) => string | undefined,
  ): Promise<string | undefined> => {
    let cursor: string | undefined;
    // Ten pages of 100 cover the minutes between a restart and the message it looks for.
    for (let nth = 0; nth < 10; nth++) {
      const page = await background.apiCall(method, { ...args, limit: 100, ...(cursor ? { cursor } : {}) });
      const found = pick(page);
      if (found !== undefined) return found;
      cursor = page.response_metadata?.next_cursor;
      if (!cursor) return undefined;
    }
    return undefined;
  };

  return {
    whoAmI: () =>
      settle(async () => {
        const answer = await interactive.auth.test();
        return {
          team: answer.team_id ?? "",
          botId: answer.bot_id ?? "",
          botUserId: answer.user_id ?? "",
          scopes: answer.response_metadata?.scopes,
        };
      }),
    post: (to, content) =>
      settle(async () => {
        const answer = await interactive.chat.postMessage({
          channel: to.channel,
          ...(to.thread === undefined ? {} : { thread_ts: to.thread }),
          ...said(content),
        });
        return { channel: answer.channel ?? to.channel, ts: answer.ts ?? "" };
      }),
    update: (at, content) =>
      settle(async () => {
        const { unfurl_links, unfurl_media, ...rest } = said(content);
        await interactive.chat.update({ channel: at.channel, ts: at.ts, ...rest });
        return undefined;
      }),
    remove: (at) =>
      settle(async () => {
        await interactive.chat.delete({ channel: at.channel, ts: at.ts });
        return undefined;
      }),
    whisper: (to, content) =>
      settle(async () => {
        await interactive.chat.postEphemeral({
          channel: to.channel,
          user: to.user,
          ...(to.thread === undefined ? {} : { thread_ts: to.thread }),
          text: content.text,
          blocks: content.blocks as KnownBlock[],
        });
        return undefined;
      }),
    respond: async (url, content) => {
      try {
        const answer = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            response_type: content.visible,
            replace_original: false,
            ...(content.thread === undefined ? {} : { thread_ts: content.thread }),
            ...said(content),
          }),
          redirect: "error",
          signal: AbortSignal.timeout(timeout),
        });
        const body = await answer.text();
        if (answer.status === 429)
          return {
            ok: false,
            trouble: {
              kind: "rate-limited",
              retryAfterMs: Math.max(1, Number(answer.headers.get("retry-after")) || 1) * 1_000,
            },
          };
        if (answer.status >= 500)
          return {
            ok: false,
            trouble: { kind: "unavailable", detail: `HTTP ${answer.status}`, arrived: "perhaps" },
          };
        if (!answer.ok)
          return {
            ok: false,
            trouble: { kind: "refused", error: body.slice(0, 100) || `http_${answer.status}`, messages: [] },
          };
        return { ok: true, value: undefined };
      } catch (error) {
        return { ok: false, trouble: troubleOf(error) };
      }
    },
    upload: (to, files) =>
      settle(async () => {
        await background.filesUploadV2({
          channel_id: to.channel,
          thread_ts: to.thread,
          file_uploads: files.map((file) => ({
            filename: file.filename,
            title: file.title,
            file: Buffer.from(file.content),
          })),
        });
        return undefined;
      }),
    find: (at, id) =>
      settle(() => {
        const isIt = (message: unknown): boolean => {
          const carried = field(message, "metadata");
          return (
            field(carried, "event_type") === runEvent &&
            field(field(carried, "event_payload"), "message") === id
          );
        };
        return pages(
          at.thread === undefined ? "conversations.history" : "conversations.replies",
          {
            channel: at.channel,
            ...(at.thread === undefined ? {} : { ts: at.thread }),
            oldest: String(Math.floor(at.sinceMs / 1_000)),
            include_all_metadata: true,
          },
          (page) => {
            const messages = field(page, "messages");
            const found = Array.isArray(messages) ? messages.find(isIt) : undefined;
            const ts = field(found, "ts");
            return typeof ts === "string" ? ts : undefined;
          },
        );
      }),
    filesIn: (at) =>
      settle(async () => {
        const names: string[] = [];
        const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
        await pages(
          "conversations.replies",
          { channel: at.channel, ts: at.thread, oldest: String(Math.floor(at.sinceMs / 1_000)) },
          (page) => {
            for (const message of list(field(page, "messages")))
              for (const file of list(field(message, "files"))) {
                const name = field(file, "name");
                if (typeof name === "string") names.push(name);
              }
            return undefined;
          },
        );
        return names;
      }),
    groupMembers: (group) =>
      settle(async () => (await background.usergroups.users.list({ usergroup: group })).users ?? []),
    channel: (id) =>
      settle(async () => {
        const { channel } = await background.conversations.info({ channel: id });
        return { name: channel?.name ?? id, archived: channel?.is_archived ?? false };
      }),
    user: (id) =>
      settle(async () => {
        const { user } = await interactive.users.info({ user: id });
        return {
          bot: user?.is_bot ?? false,
          guest: (user?.is_restricted ?? false) || (user?.is_ultra_restricted ?? false),
          stranger: field(user, "is_stranger") === true,
        };
      }),
  };
}
