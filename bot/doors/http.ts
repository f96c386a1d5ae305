import type { HttpAnswer, HttpRequest } from "#shared/adapters/http-server.ts";
import type { Json } from "#shared/json.ts";
import { type AlertDoor, answerAlerts } from "./http/alerts.ts";
import { jsonAnswer, textAnswer, wrongMethod } from "./http/answers.ts";
import type { Readiness } from "./http/readiness.ts";

export type HttpDoor = Readonly<{
  version: string;
  readiness: () => Promise<Readiness>;
  /** In Prometheus' text format. */
  metrics: () => Promise<Readonly<{ type: string; text: string }>>;
  /** Absent where the config has no `alerts`. */
  alerts?: AlertDoor;
}>;

const paths = ["/healthz", "/readyz", "/metrics", "/alerts"];

/** One line that says it all, as a terminal or a probe's log shows it, or JSON with the parts. */
function readyAnswer({ ok, text, parts }: Readiness, accept: string): HttpAnswer {
  const status = ok ? 200 : 503;
  if (/\btext\/plain\b/.test(accept)) return textAnswer(status, `${text}\n`);
  return jsonAnswer(status, text, { parts: parts.map((part): Json => ({ ...part })) });
}

/** Answers machines. Nothing here needs Slack, and only `/alerts` needs the ledger. */
export const httpHandler =
  (door: HttpDoor) =>
  async (request: HttpRequest): Promise<HttpAnswer> => {
    const { path, method } = request;
    if (path === "/alerts") return answerAlerts(request, door.alerts);
    if (!paths.includes(path))
      return jsonAnswer(404, `There is nothing at this path; here are ${paths.join(", ")}.`);
    if (method !== "GET" && method !== "HEAD") return wrongMethod("GET, HEAD");
    switch (path) {
      case "/healthz":
        return jsonAnswer(200, "alive", { version: door.version });
      case "/readyz":
        return readyAnswer(await door.readiness(), request.headers.accept ?? "");
      default: {
        const { type, text } = await door.metrics();
        return textAnswer(200, text, type);
      }
    }
  };
