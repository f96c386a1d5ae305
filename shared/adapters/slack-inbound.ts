import type { AddressInfo } from "node:net";
import { App, HTTPReceiver, type Receiver, SocketModeReceiver } from "@slack/bolt";
import { WebAPIPlatformError } from "@slack/web-api";
import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";
import type { SlackContent } from "./slack-api.ts";
import { type SlackLog, slackLogger } from "./slack-log.ts";

/** What goes back in the acknowledgement itself; nothing acknowledges in silence. */
export type AckMessage = Omit<SlackContent, "run" | "message"> &
  Readonly<{ visible: "ephemeral" | "in_channel" }>;

/** Resolves to false when the acknowledgement did not reach Slack any more; the person then sees Slack's own error. */
export type Ack = (message?: AckMessage) => Promise<boolean>;

export type SlackHandlers = Readonly<{
  /** A command of ours. */
  command: (body: unknown, ack: Ack) => Promise<void>;
  /** A command that somebody set up for this app under a name we do not serve. */
  unknownCommand: (body: unknown, ack: Ack) => Promise<void>;
  mention: (body: unknown) => Promise<void>;
  action: (body: unknown, ack: Ack) => Promise<void>;
  unknownAction: (body: unknown, ack: Ack) => Promise<void>;
  /** A message shortcut of ours. */
  shortcut: (body: unknown, ack: Ack) => Promise<void>;
  /** Shortcuts and views that are none of ours. */
  other: (body: unknown, ack: Ack) => Promise<void>;
  groupChanged: (group: string) => void;
}>;

export type SlackInboundOptions = Readonly<{
  transport:
    | Readonly<{ kind: "http"; signingSecret: string; port: number; host?: string }>
    | Readonly<{ kind: "socket"; appToken: string; apiUrl?: string }>;
  /** With slash: `/arping`. */
  commands: readonly string[];
  handlers: SlackHandlers;
  /** Ids of ourselves once Slack has told them; our own events are dropped by them. */
  self: () => Readonly<{ botId: string; botUserId: string }> | undefined;
  botToken: string;
  clock: Clock;
  log: SlackLog;
}>;

export type SlackInbound = Readonly<{
  /** Where Slack has to send requests to; absent in Socket Mode. */
  requestUrl?: string;
  connected: () => boolean;
  /** No input is taken any more; resolves when the listening socket or connection is closed. */
  stop: () => Promise<void>;
}>;

const path = "/slack/events";

/** Answers of `apps.connections.open` that no waiting mends. */
const hopeless = new Set([
  "not_authed",
  "invalid_auth",
  "account_inactive",
  "user_removed_from_team",
  "team_disabled",
  "not_allowed_token_type",
  "token_revoked",
  "token_expired",
  "missing_scope",
]);

const escaped = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

type BoltAck = (body?: never) => Promise<void>;

/** `isCurrent` tells whether the connection that brought the input is still the one that an answer would leave by. */
function ackOnce(ack: unknown, log: SlackLog, isCurrent: () => boolean): Ack {
  let sent: Promise<boolean> | undefined;
  return (message) => {
    sent ??= (async () => {
      try {
        if (!isCurrent()) throw new Error("the connection it belongs to is gone");
        const body =
          message === undefined
            ? undefined
            : { response_type: message.visible, text: message.text, blocks: message.blocks };
        await (ack as BoltAck)(body as never);
        return true;
      } catch (error) {
        log({ level: "warn", msg: "acknowledgement did not reach Slack", error: String(error) });
        return false;
      }
    })();
    return sent;
  };
}

function listen(app: App, options: SlackInboundOptions, epoch: () => number): void {
  const { commands, handlers, log } = options;
  const once = (ack: unknown): Ack => {
    const born = epoch();
    return ackOnce(ack, log, () => epoch() === born);
  };
  for (const name of commands) {
    app.command(name, async ({ body, ack }) => handlers.command(body, once(ack)));
  }
  const known = commands.map(escaped).join("|");
  const notOurs = new RegExp(`^(?!(?:${known || "(?!)"})$)`);
  app.command(notOurs, async ({ body, ack }) => handlers.unknownCommand(body, once(ack)));
  app.event("app_mention", async ({ body }) => handlers.mention(body));
  app.event("subteam_members_changed", async ({ event }) => handlers.groupChanged(event.subteam_id));
  app.action(/^arpeggio:/, async ({ body, ack }) => handlers.action(body, once(ack)));
  app.action(/^(?!arpeggio:)/, async ({ body, ack }) => handlers.unknownAction(body, once(ack)));
  app.shortcut({ type: "message_action", callback_id: /^arpeggio-/ }, async ({ body, ack }) =>
    handlers.shortcut(body, once(ack)),
  );
  app.shortcut(/^(?!arpeggio-)/, async ({ body, ack }) => handlers.other(body, once(ack)));
  app.shortcut({ type: "shortcut", callback_id: /^arpeggio-/ }, async ({ body, ack }) =>
    handlers.other(body, once(ack)),
  );
  app.view(/^/, async ({ body, ack }) => handlers.other(body, once(ack)));
}

async function createApp(
  receiver: Receiver,
  options: SlackInboundOptions,
  epoch: () => number,
): Promise<void> {
  const app = new App({
    receiver,
    logger: slackLogger(options.log),
    // Answers without asking Slack: input is taken, and answered by acknowledgement, while the Web API is away.
    authorize: async () => ({ botToken: options.botToken, ...options.self() }),
    convoStore: false,
    deferInitialization: true,
  });
  await app.init();
  listen(app, options, epoch);
  app.error(async (error) => {
    options.log({ level: "error", msg: "Slack input was not handled", error: error.message });
  });
}

async function overHttp(
  transport: Extract<SlackInboundOptions["transport"], { kind: "http" }>,
  options: SlackInboundOptions,
): Promise<SlackInbound> {
  const receiver = new HTTPReceiver({
    signingSecret: transport.signingSecret,
    endpoints: path,
    logger: slackLogger(options.log),
  });
  await createApp(receiver, options, () => 0);
  const host = transport.host ?? "0.0.0.0";
  // Bolt's type knows a number only; its code hands an object on to `server.listen`.
  const server = await receiver.start({ port: transport.port, host } as never);
  const { port } = server.address() as AddressInfo;
  return {
    requestUrl: `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}${path}`,
    connected: () => true,
    stop: async () => {
      const closed = receiver.stop();
      server.closeIdleConnections();
      await closed;
    },
  };
}

const longestWaitMs = 30_000;
const helloWithinMs = 15_000;

async function overSocket(
  transport: Extract<SlackInboundOptions["transport"], { kind: "socket" }>,
  options: SlackInboundOptions,
): Promise<SlackInbound> {
  const { clock, log } = options;
  const receiver = new SocketModeReceiver({
    appToken: transport.appToken,
    logger: slackLogger(log),
    // The library waits 5 s before it comes back and dies of an unhandled rejection when that attempt fails.
    autoReconnectEnabled: false,
    installerOptions: {
      clientOptions: {
        ...(transport.apiUrl === undefined ? {} : { slackApiUrl: transport.apiUrl }),
        retryConfig: { retries: 0 },
        timeout: 10_000,
      },
    },
  });
  let epoch = 0;
  await createApp(receiver, options, () => epoch);
  const stopping = new AbortController();
  let up = false;
  let connecting = false;

  const connectOnce = async (): Promise<void> => {
    const late = new AbortController();
    try {
      const started = receiver.start();
      const inTime = await Promise.race([
        started.then(() => true),
        clock.sleep(helloWithinMs, late.signal).then(() => false),
      ]);
      if (inTime) return;
      started.catch(() => {});
      await receiver.stop();
      throw new Error(`no hello from Slack within ${helloWithinMs / 1_000} s`);
    } finally {
      late.abort();
    }
  };

  const keepTrying = async (firstError?: unknown): Promise<void> => {
    if (connecting) return;
    connecting = true;
    let wait = firstError === undefined ? 0 : 1_000;
    while (!stopping.signal.aborted) {
      await clock.sleep(wait, stopping.signal);
      if (stopping.signal.aborted) break;
      try {
        await connectOnce();
        up = true;
        log({ level: "info", msg: "connected to Slack in Socket Mode" });
        break;
      } catch (error) {
        wait = Math.min(longestWaitMs, Math.max(1_000, wait * 2));
        log({
          level: "warn",
          msg: "no Socket Mode connection to Slack",
          error: String(error),
          retryInMs: wait,
        });
      }
    }
    connecting = false;
  };

  receiver.client.on("disconnected", () => {
    const was = up;
    up = false;
    epoch += 1;
    if (was && !stopping.signal.aborted) void keepTrying();
  });

  try {
    await connectOnce();
    up = true;
  } catch (error) {
    if (error instanceof WebAPIPlatformError && hopeless.has(error.data.error)) {
      throw new FaultError({
        kind: "denied",
        what: "Slack in Socket Mode",
        detail: `Slack refuses the app-level token (${error.data.error}): SLACK_APP_TOKEN needs a token of this app with the scope connections:write`,
      });
    }
    log({ level: "warn", msg: "no Socket Mode connection to Slack", error: String(error) });
    void keepTrying(error);
  }

  return {
    connected: () => up,
    stop: async () => {
      stopping.abort();
      await receiver.stop();
    },
  };
}

/** Takes what Slack sends, over signed HTTP or Socket Mode. Throws FaultError when Slack refuses the app-level token. */
export const openSlackInbound = (options: SlackInboundOptions): Promise<SlackInbound> =>
  options.transport.kind === "http"
    ? overHttp(options.transport, options)
    : overSocket(options.transport, options);
