import { badRequest } from "#shared/kubernetes/refusals.ts";
import { Refused } from "./refused.ts";
import type { Answer, ApiRequest } from "./request.ts";
import type { PodLogs } from "./start.ts";
import type { Target } from "./target.ts";

function count(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^-?\d+$/.test(text))
    throw new Refused(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`));
  if (Number(text) < least)
    throw new Refused({
      code: 422,
      reason: "Invalid",
      message: `PodLogOptions "" is invalid: ${name}: Invalid value: ${text}: must be greater than ${least === 0 ? "or equal to 0" : "0"}`,
    });
  return Number(text);
}

/** Lines that a container has written so far. Nothing is followed: the answer ends where the log does. */
export function log(podLog: PodLogs, { namespace = "", name = "" }: Target, { query }: ApiRequest): Answer {
  const container = query.get("container");
  const tailLines = count(query, "tailLines", 0);
  const sinceSeconds = count(query, "sinceSeconds", 1);
  const found = podLog({
    namespace,
    pod: name,
    ...(container ? { container } : {}),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
  });
  if ("refusal" in found) throw new Refused(found.refusal);
  return { code: 200, text: found.lines.map((line) => `${line}\n`).join("") };
}
