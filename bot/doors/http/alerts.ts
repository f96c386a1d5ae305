import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpAnswer, HttpRequest } from "#shared/adapters/http-server.ts";
import type { Delivery } from "#shared/alerts/alert.ts";
import { readWebhook } from "#shared/alerts/read-webhook.ts";
import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Secret } from "../../environment.ts";
import { jsonAnswer, wrongMethod } from "./answers.ts";

/** Every end that a POST can have; a label of a metric. */
export const deliveryResults = ["taken", "unauthorized", "not-understood", "too-large", "not-kept"] as const;
export type DeliveryResult = (typeof deliveryResults)[number];

export type AlertDoor = Readonly<{
  token: Secret;
  /** Resolves when it is in the ledger. Rejects with FaultError when that is not known. */
  take: (delivery: Delivery) => Promise<unknown>;
  clock: Clock;
  /** How long the ledger is waited for. */
  waitMs?: number;
  counted?: (result: DeliveryResult) => void;
  log: (entry: Readonly<Record<string, unknown>>) => void;
}>;

/** Less than the whole answer may take, so that this is what is said. */
const waitMs = 10_000;

const digest = (value: string): Buffer => createHash("sha256").update(value).digest();

/** Takes the same time wherever the first difference is; lengths are hidden by the digest. */
const isSame = (given: string, expected: Secret): boolean =>
  timingSafeEqual(digest(given), digest(expected.reveal()));

const challenge = { "www-authenticate": 'Bearer realm="arpeggio"' } as const;

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work,
      clock.sleep(ms, over.signal).then(() => {
        if (over.signal.aborted) return work;
        throw new FaultError({
          kind: "timed-out",
          what: "ledger",
          detail: `no answer within ${ms / 1_000} s`,
        });
      }),
    ]);
  } finally {
    over.abort();
  }
}

/**
 * `POST /alerts`: 2xx is said only when the whole delivery is in the ledger. Alertmanager repeats at once what got a
 * 5xx, and with its group's next notification what got a 4xx; a delivery that comes again is taken once.
 */
export async function answerAlerts(request: HttpRequest, door: AlertDoor | undefined): Promise<HttpAnswer> {
  if (request.method !== "POST") return wrongMethod("POST");
  if (door === undefined) return jsonAnswer(404, "No alerts are configured: add alerts: to the config.");
  const { token, take, clock, log, counted = () => {} } = door;
  const end = (result: DeliveryResult, answer: HttpAnswer): HttpAnswer => {
    counted(result);
    if (result !== "taken")
      log({
        level: result === "not-kept" ? "error" : "warn",
        msg: "alerts were not taken",
        result,
        status: answer.status,
      });
    return answer;
  };
  const given = /^bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? "")?.[1];
  if (given === undefined)
    return end(
      "unauthorized",
      jsonAnswer(401, "A bearer token is needed (http_config.authorization in Alertmanager).", {}, challenge),
    );
  if (!isSame(given, token))
    return end(
      "unauthorized",
      jsonAnswer(401, "That is another bearer token than the one configured here.", {}, challenge),
    );
  if (!/^application\/json(?:\s*;.*)?$/i.test(request.headers["content-type"] ?? ""))
    return end("not-understood", jsonAnswer(415, "The content type must be application/json."));
  if (!/^(?:|identity)$/i.test(request.headers["content-encoding"] ?? ""))
    return end("not-understood", jsonAnswer(415, "The body must not be encoded."));
  const body = await request.body();
  if (!body.ok)
    return body.why === "too-large"
      ? end(
          "too-large",
          jsonAnswer(413, "The body is too long: set max_alerts in Alertmanager, or group by more labels."),
        )
      : end(
          "not-understood",
          jsonAnswer(400, body.why === "cut-off" ? "The body ended too early." : "The body is not UTF-8."),
        );
  let json: unknown;
  try {
    json = JSON.parse(body.text);
  } catch {
    return end("not-understood", jsonAnswer(400, "The body is not JSON."));
  }
  const read = readWebhook(json);
  if (!read.ok)
    return end(
      "not-understood",
      jsonAnswer(400, "The body is not Alertmanager's webhook, version 4.", { problems: read.problems }),
    );
  const { alerts, truncated } = read.delivery;
  try {
    await within(clock, door.waitMs ?? waitMs, take(read.delivery));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return end(
      "not-kept",
      jsonAnswer(
        503,
        `The ledger did not take it (${error.fault.detail}): send it again, it is taken once.`,
        {},
        { "retry-after": "5" },
      ),
    );
  }
  const malformed = alerts.filter((one) => one.malformed !== undefined).length;
  return end(
    "taken",
    jsonAnswer(200, `${alerts.length} ${alerts.length === 1 ? "alert is" : "alerts are"} in the ledger.`, {
      alerts: alerts.length,
      malformed,
      truncated,
    }),
  );
}
