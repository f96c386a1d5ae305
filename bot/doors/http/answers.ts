import type { HttpAnswer } from "#shared/adapters/http-server.ts";
import type { Json } from "#shared/json.ts";

/** Every answer says in one sentence what came of it; machines go by `ok` and the status. */
export const jsonAnswer = (
  status: number,
  text: string,
  more: Readonly<Record<string, Json>> = {},
  headers?: Readonly<Record<string, string>>,
): HttpAnswer => ({
  status,
  type: "application/json; charset=utf-8",
  body: `${JSON.stringify({ ok: status < 300, text, ...more })}\n`,
  ...(headers === undefined ? {} : { headers }),
});

export const textAnswer = (status: number, body: string, type = "text/plain; charset=utf-8"): HttpAnswer => ({
  status,
  type,
  body,
});

export const wrongMethod = (allowed: string): HttpAnswer =>
  jsonAnswer(405, `Only ${allowed} works here.`, {}, { allow: allowed });
