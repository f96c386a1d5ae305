import { createHmac } from "node:crypto";
import type { Json } from "#shared/json.ts";
import type { JsonObject } from "./message.ts";

/** `v0=` and the hex HMAC-SHA256 of `v0:{timestamp}:{raw body}`, as Slack signs every request it makes. */
export const signature = (secret: string, timestamp: number, rawBody: string): string =>
  `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${rawBody}`).digest("hex")}`;

export type PayloadKind = "slash_commands" | "interactive" | "events_api";
export type Payload = Readonly<{ kind: PayloadKind; body: JsonObject }>;

/** One attempt to hand a payload to the app. */
export type Delivery = Readonly<{
  via: "http" | "socket";
  outcome: "acked" | "refused" | "timed-out" | "unreachable";
  /** HTTP status; 0 without an answer, 200 for an acknowledged socket envelope. */
  status: number;
  /** What the acknowledgement carried: JSON when it was JSON, else its text; undefined when it was empty. */
  ack: Json | undefined;
  /** Machine milliseconds until the answer or the giving up. */
  ms: number;
  retryNum?: number;
}>;

export type HttpSending = Readonly<{
  url: string;
  secret: string;
  /** Seconds since the epoch, as signed. */
  timestamp: number;
  withinMs: number;
  headers?: Readonly<Record<string, string>>;
}>;

/** The body as Slack writes it: commands as form fields, interactions as one `payload` field, events as JSON. */
export function httpBody(payload: Payload): Readonly<{ contentType: string; body: string }> {
  const form = "application/x-www-form-urlencoded";
  if (payload.kind === "events_api")
    return { contentType: "application/json", body: JSON.stringify(payload.body) };
  if (payload.kind === "interactive")
    return {
      contentType: form,
      body: new URLSearchParams({ payload: JSON.stringify(payload.body) }).toString(),
    };
  const fields = Object.entries(payload.body)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, string] => [name, String(value)]);
  return { contentType: form, body: new URLSearchParams(fields).toString() };
}

/** Posts a payload to the app's request URL. Never rejects: an app that is not there is a delivery too. */
export async function deliverByHttp(payload: Payload, sending: HttpSending): Promise<Delivery> {
  const { contentType, body } = httpBody(payload);
  const started = performance.now();
  const done = (outcome: Delivery["outcome"], status: number, ack?: Json): Delivery => ({
    via: "http",
    outcome,
    status,
    ack,
    ms: performance.now() - started,
  });
  try {
    const response = await fetch(sending.url, {
      method: "POST",
      redirect: "error",
      signal: AbortSignal.timeout(sending.withinMs),
      headers: {
        "content-type": contentType,
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "x-slack-request-timestamp": String(sending.timestamp),
        "x-slack-signature": signature(sending.secret, sending.timestamp, body),
        ...sending.headers,
      },
      body,
    });
    const text = await response.text();
    return done(
      response.status >= 200 && response.status < 300 ? "acked" : "refused",
      response.status,
      readAck(text, response.headers.get("content-type")),
    );
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    return done(timedOut ? "timed-out" : "unreachable", 0);
  }
}

function readAck(text: string, contentType: string | null): Json | undefined {
  if (text === "") return undefined;
  if (!contentType?.startsWith("application/json")) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
