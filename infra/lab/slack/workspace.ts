import type { Clock } from "#shared/clock.ts";
import { receiveUpload } from "./files.ts";
import type { JsonObject, Message } from "./message.ts";
import { type Act, actCommand, type Command, type Reach } from "./people.ts";
import { rateLimits } from "./rate-limits.ts";
import { postToResponseUrl } from "./response-url.ts";
import { type Asked, listen, readCall, readUpload, type Told } from "./server.ts";
import { labWorkspace, type WorkspaceSpec } from "./spec.ts";
import { createState, type FileEntry, messagesOf, type Violation } from "./state.ts";
import { systemClock } from "./system-clock.ts";
import { type Call, webApi } from "./web-api.ts";

export type SlackWorkspace = Readonly<{
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** What a Web API client takes as `slackApiUrl`; ends in `/api/`. */
  apiUrl: string;
  spec: WorkspaceSpec;
  /** Where the app takes commands, interactions and events over HTTP. */
  setRequestUrl: (url: string) => void;

  command: (typed: Command) => Promise<Act>;

  messages: (channel: string) => readonly Message[];
  thread: (channel: string, ts: string) => readonly Message[];
  ephemerals: (user: string) => readonly Message[];
  /** Every earlier state of a message, oldest first. */
  edits: (channel: string, ts: string) => readonly Message[];
  files: () => readonly FileEntry[];
  calls: (method?: string) => readonly Call[];
  violations: () => readonly Violation[];

  close: () => Promise<void>;
}>;

export type Starting = Readonly<{
  port?: number;
  host?: "127.0.0.1";
  clock?: Clock;
  workspace?: Partial<WorkspaceSpec>;
}>;

const json = (status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}): Told => ({
  status,
  type: "application/json; charset=utf-8",
  body: JSON.stringify(body),
  headers,
});

/**
 * A strict Slack workspace on loopback: Web API, response URLs and people who act. What Slack
 * remembers and expires goes by `clock`; waiting for the app goes by the machine's time.
 */
export async function startSlackWorkspace(starting: Starting = {}): Promise<SlackWorkspace> {
  const clock = starting.clock ?? systemClock;
  const spec: WorkspaceSpec = { ...labWorkspace, ...starting.workspace };
  const state = createState(spec, clock);
  const calls: Call[] = [];
  let base = "";
  let requestUrl: string | undefined;

  const api = webApi(
    state,
    rateLimits(clock),
    () => ({}),
    (id) => `${base}/upload/${id}`,
  );

  const answerCall = async (asked: Asked): Promise<Told> => {
    const method = asked.path.slice("/api/".length);
    const { args, token } = await readCall(asked);
    const answer = api(method, token, args);
    calls.push({ method, args, at: clock.now(), status: answer.status, answer: answer.body, ordered: false });
    return json(
      answer.status,
      answer.body,
      answer.retryAfter === undefined ? {} : { "retry-after": String(answer.retryAfter) },
    );
  };

  const served = await listen(
    async (asked) => {
      if (asked.path.startsWith("/api/")) return answerCall(asked);
      if (asked.path.startsWith("/response/") && asked.method === "POST") {
        const told = postToResponseUrl(state, asked.path.slice("/response/".length), readJson(asked.body));
        return typeof told.body === "string"
          ? { status: told.status, type: "text/html", body: told.body }
          : json(told.status, told.body);
      }
      if (asked.path.startsWith("/upload/") && asked.method === "POST") {
        const status = receiveUpload(state, asked.path.slice("/upload/".length), await readUpload(asked));
        return { status, type: "text/plain", body: status === 200 ? "OK" : "failed" };
      }
      return { status: 404, type: "text/plain", body: "not found" };
    },
    { port: starting.port ?? 0, host: starting.host ?? "127.0.0.1" },
  );
  base = served.base;

  const reach: Reach = { base: () => base, requestUrl: () => requestUrl, socket: () => undefined };

  return {
    url: base,
    apiUrl: `${base}/api/`,
    spec,
    setRequestUrl: (url) => {
      requestUrl = url;
    },
    command: (typed) => actCommand(state, reach, typed),
    messages: (channel) => [...messagesOf(state, channel)],
    thread: (channel, ts) =>
      messagesOf(state, channel).filter((message) => message.ts === ts || message.threadTs === ts),
    ephemerals: (user) => state.ephemerals.filter((message) => message.onlyFor === user),
    edits: (channel, ts) => [...(state.earlier.get(`${channel} ${ts}`) ?? [])],
    files: () => [...state.files.values()],
    calls: (method) => calls.filter((call) => method === undefined || call.method === method),
    violations: () => [...state.violations],
    close: served.close,
  };
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
