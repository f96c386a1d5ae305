import type { Json } from "#shared/json.ts";
import { chatMethods } from "./chat.ts";
import { conversationMethods } from "./conversations.ts";
import { directoryMethods } from "./directory.ts";
import { fileMethods } from "./files.ts";
import type { JsonObject } from "./message.ts";
import { type Args, type Method, needScope } from "./method.ts";
import type { TakeCall } from "./rate-limits.ts";
import { addViolation, Refusal, type State } from "./state.ts";
import { viewMethods } from "./views.ts";

/** One call as it came in and what it was told. */
export type Call = Readonly<{
  method: string;
  args: Args;
  at: number;
  /** HTTP status of the answer; 0 when the connection was dropped. */
  status: number;
  answer: JsonObject;
  /** An answer that a test ordered (`failNext`, `dropConnectionNext`) rather than one the workspace judged. */
  ordered: boolean;
}>;

export type Answer = Readonly<{
  status: number;
  body: JsonObject;
  /** Seconds, with a 429. */
  retryAfter?: number;
  /** What the token was granted, when it is one of the app's (`x-oauth-scopes`). */
  scopes?: readonly string[];
}>;

/** Methods whose refusal means that a person did not get what the app wanted to show. */
const SHOWS_SOMETHING = /^(chat|views|files|reactions)\./;

const authTest = (state: State): JsonObject => ({
  url: `https://${state.spec.team.domain}.slack.com/`,
  team: state.spec.team.domain,
  user: state.users.get(state.spec.app.botUserId)?.name,
  team_id: state.spec.team.id,
  user_id: state.spec.app.botUserId,
  bot_id: state.spec.app.botId,
  is_enterprise_install: false,
});

/** Every method of the workspace; `apps.connections.open` is answered by Socket Mode and handed in. */
export function webApi(
  state: State,
  takeCall: TakeCall,
  openConnection: () => JsonObject,
  uploadUrl: (fileId: string) => string,
): (method: string, token: string | undefined, args: Args) => Answer {
  const methods: Readonly<Record<string, Method>> = {
    "api.test": { tier: "unlimited", token: "none", scopes: [], answer: (args) => ({ args: { ...args } }) },
    "auth.test": { tier: "unlimited", token: "bot", scopes: [], answer: () => authTest(state) },
    "apps.connections.open": { tier: 3, token: "app", scopes: [], answer: openConnection },
    ...chatMethods,
    ...conversationMethods,
    ...directoryMethods,
    ...fileMethods(uploadUrl),
    ...viewMethods,
  };

  const checkToken = (method: Method, token: string | undefined): void => {
    const { app } = state.spec;
    if (method.token === "none") return;
    if (token === undefined || token === "") throw new Refusal("not_authed");
    if (token !== app.botToken && token !== app.appToken) throw new Refusal("invalid_auth");
    if (token !== (method.token === "app" ? app.appToken : app.botToken))
      throw new Refusal("not_allowed_token_type");
    if (method.token === "app" && !app.appScopes.includes("connections:write"))
      throw new Refusal("missing_scope", { needed: "connections:write", provided: app.appScopes.join(",") });
  };

  const granted = (token: string | undefined): Pick<Answer, "scopes"> => {
    const { app } = state.spec;
    if (token === app.botToken) return { scopes: app.scopes };
    return token === app.appToken ? { scopes: app.appScopes } : {};
  };

  return (name, token, args) => {
    const method = methods[name];
    const channel = typeof args.channel === "string" ? args.channel : undefined;
    try {
      if (method === undefined) throw new Refusal("unknown_method", { req_method: name });
      checkToken(method, token);
      const wait = takeCall(name, method.tier, channel === undefined ? undefined : idOf(state, channel));
      if (wait > 0) {
        noteRefusal(state, name, channel, new Refusal("ratelimited"));
        return { status: 429, body: { ok: false, error: "ratelimited" }, retryAfter: wait };
      }
      for (const scope of method.scopes) needScope(state, scope);
      return { status: 200, body: { ok: true, ...method.answer(args, state) }, ...granted(token) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      noteRefusal(state, name, channel, error);
      return { status: 200, body: { ok: false, error: error.error, ...error.extra }, ...granted(token) };
    }
  };
}

/** One channel has one limit, however a sender calls it: by id, by `#name`, or by the person of a direct one. */
function idOf(state: State, channel: string): string {
  if (/^[UW]/.test(channel)) return `D${channel.slice(1)}`;
  return [...state.channels.values()].find((known) => `#${known.name}` === channel)?.id ?? channel;
}

/** Keeps a refusal of something a person should have seen. */
export function noteRefusal(
  state: State,
  method: string,
  channel: string | undefined,
  refusal: Refusal,
): void {
  if (!SHOWS_SOMETHING.test(method)) return;
  const metadata = refusal.extra.response_metadata as { messages?: readonly Json[] } | undefined;
  addViolation(state, {
    where: method,
    ...(channel === undefined ? {} : { channel }),
    error: refusal.error,
    reasons: (metadata?.messages ?? []).map(String),
  });
}
