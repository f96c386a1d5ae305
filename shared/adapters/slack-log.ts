import type { Logger, LogLevel } from "@slack/web-api";

export type SlackLog = (entry: Readonly<Record<string, unknown>>) => void;

/** Tokens and one-time addresses that the libraries may put into a message of theirs. */
const hidden = /\bx(?:ox[a-z]|app)-[\w-]+|wss?:\/\/\S+|https:\/\/hooks\.slack\.com\/\S+/g;

/**
 * The libraries' logger on our log. Their debug and info levels print whole payloads, so only warnings and errors
 * pass, without tokens.
 */
export function slackLogger(log: SlackLog): Logger {
  const say = (level: string, parts: readonly unknown[]): void =>
    log({ level, msg: parts.map(String).join(" ").replace(hidden, "[secret]").slice(0, 500), from: "slack" });
  return {
    debug: () => {},
    info: () => {},
    warn: (...parts) => say("warn", parts),
    error: (...parts) => say("error", parts),
    setLevel: () => {},
    getLevel: () => "warn" as LogLevel,
    setName: () => {},
  };
}
