import * as z from "zod";
import type { Json } from "#shared/json.ts";
import type { JsonObject } from "./message.ts";
import type { Tier } from "./rate-limits.ts";
import { type Channel, isMember, Refusal, refusalWith, type State } from "./state.ts";

/** Arguments as they came in: form fields are strings, JSON bodies carry any JSON. */
export type Args = { readonly [name: string]: Json | undefined };

export type Method = Readonly<{
  tier: Tier;
  token: "bot" | "app" | "none";
  /** Scopes of which each is needed, before the channel's own kind asks for more. */
  scopes: readonly string[];
  answer: (args: Args, state: State) => JsonObject;
}>;

/** A field that is JSON in a JSON body and JSON-encoded text in a form. */
const jsonField = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

const object = z.record(z.string(), z.json());

export const field = {
  text: z.string().optional(),
  needed: z.string().min(1),
  object: z.preprocess(jsonField, object.optional()),
  objects: z.preprocess(jsonField, z.array(object).optional()),
  yes: z
    .union([z.boolean(), z.literal(["true", "false", "1", "0"])])
    .optional()
    .transform((value) => value === true || value === "true" || value === "1"),
  number: z.coerce.number().int().nonnegative().optional(),
} as const;

/** Parses arguments; every problem is named in `response_metadata.messages`, in Slack's form. */
export function parse<T extends z.ZodType>(schema: T, args: Args): z.output<T> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  throw refusalWith(
    "invalid_arguments",
    parsed.error.issues.map((issue) => {
      const name = issue.path.join("/");
      const missing = issue.path.length === 1 && args[String(issue.path[0])] === undefined;
      return missing
        ? `[ERROR] missing required field: ${name}`
        : `[ERROR] ${issue.message} [json-pointer:/${name}]`;
    }),
  );
}

/** Refuses unless the app was granted `needed`. */
export function needScope(state: State, needed: string): void {
  const { scopes } = state.spec.app;
  if (!scopes.includes(needed)) throw new Refusal("missing_scope", { needed, provided: scopes.join(",") });
}

/** `channels:history` for a public channel, `groups:history` for a private one, `im:history` for a direct one. */
export const scopeFor = (channel: Channel, what: "read" | "history"): string =>
  `${channel.isIm ? "im" : channel.isPrivate ? "groups" : "channels"}:${what}`;

/** The channel as the bot may know it: a private channel it is not in does not exist for it. */
export function visibleChannel(state: State, id: string): Channel {
  const channel = state.channels.get(id);
  if (channel === undefined || (channel.isPrivate && !isMember(channel, state.spec.app.botUserId)))
    throw new Refusal("channel_not_found");
  return channel;
}

/** A page of `items`: cursors are offsets in disguise, as opaque to the caller as Slack's. */
export function page<T>(
  items: readonly T[],
  limit: number | undefined,
  cursor: string | undefined,
  most = 1_000,
): Readonly<{ items: readonly T[]; next: string }> {
  const start = cursor === undefined || cursor === "" ? 0 : Number(decodeCursor(cursor));
  if (!Number.isInteger(start) || start < 0) throw new Refusal("invalid_cursor");
  const size = Math.min(limit === undefined || limit === 0 ? 100 : limit, most);
  const end = start + size;
  return {
    items: items.slice(start, end),
    next: end < items.length ? Buffer.from(`next:${end}`).toString("base64") : "",
  };
}

const decodeCursor = (cursor: string): string => {
  const plain = Buffer.from(cursor, "base64").toString("utf8");
  return plain.startsWith("next:") ? plain.slice(5) : "-1";
};
