import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import type { Delivery } from "./delivery.ts";
import {
  actMention,
  deliverEvent,
  type EventAct,
  type EventSending,
  eventPayload,
  type Mention,
  say,
} from "./events.ts";
import { type FailNext, faultOrders } from "./faults.ts";
import { receiveUpload } from "./files.ts";
import { actClick, actShortcut, actSubmit, type Click, type Shortcut, type Submit } from "./interactions.ts";
import type { JsonObject, Message } from "./message.ts";
import { namesOf, renderPage } from "./page.ts";
import { type Act, actCommand, type Command, knownChannel, knownUser, type Reach } from "./people.ts";
import { rateLimits } from "./rate-limits.ts";
import { readBlocks, readMessage } from "./render.ts";
import { postToResponseUrl } from "./response-url.ts";
import { type Asked, listen, readCall, readUpload, type Told } from "./server.ts";
import { type DisconnectReason, socketMode } from "./socket-mode.ts";
import { type ChannelSpec, labWorkspace, type WorkspaceSpec } from "./spec.ts";
import {
  addViolation,
  changed,
  createState,
  type FileEntry,
  messagesOf,
  Refusal,
  type View,
  type Violation,
} from "./state.ts";
import { type Answer, type Call, noteRefusal, webApi } from "./web-api.ts";

export type SlackWorkspace = Readonly<{
  /** `http://127.0.0.1:PORT`; `/` is a page for people. */
  url: string;
  /** What a Web API client takes as `slackApiUrl`; ends in `/api/`. */
  apiUrl: string;
  spec: WorkspaceSpec;
  /** Where the app takes commands, interactions and events over HTTP. */
  setRequestUrl: (url: string) => void;

  /** People act. Each resolves when the app has answered or Slack has given up; none rejects over a dead app. */
  command: (typed: Command) => Promise<Act>;
  click: (click: Click) => Promise<Act>;
  shortcut: (used: Shortcut) => Promise<Act>;
  submit: (submit: Submit) => Promise<Act>;
  mention: (mention: Mention) => Promise<EventAct>;
  openHome: (opened: EventSending & Readonly<{ user: string }>) => Promise<readonly Delivery[]>;
  say: (said: Readonly<{ user: string; channel: string; text: string; threadTs?: string }>) => Message;

  /** An administrator acts: archives, renames, moves people in and out. */
  changeChannel: (id: string, change: Partial<Omit<ChannelSpec, "id">>) => void;
  /** Changes a group's members, or removes it with `undefined`; the app gets `subteam_members_changed`. */
  changeGroup: (
    id: string,
    members: readonly string[] | undefined,
    sending?: EventSending,
  ) => Promise<readonly Delivery[]>;

  /** What goes wrong next. A slow or dropped call still happens; a failed one does not. */
  failNext: (method: string, failure: FailNext) => void;
  slowNext: (method: string, ms: number) => void;
  dropConnectionNext: (method: string) => void;
  /** Takes back what was ordered to go wrong and has not. */
  failNothing: () => void;

  /** Open Socket Mode connections. */
  connections: () => number;
  disconnect: (reason: DisconnectReason) => void;
  cutConnections: () => void;

  messages: (channel: string) => readonly Message[];
  /** A message and its replies, oldest first. */
  thread: (channel: string, ts: string) => readonly Message[];
  ephemerals: (user: string) => readonly Message[];
  /** Every earlier state of a message, oldest first. */
  edits: (channel: string, ts: string) => readonly Message[];
  files: () => readonly FileEntry[];
  /** Modals by whoever has them open, and Home tabs. */
  views: () => readonly View[];
  home: (user: string) => View | undefined;
  calls: (method?: string) => readonly Call[];
  violations: () => readonly Violation[];
  renderText: (message: Message) => string;
  renderView: (view: View) => string;

  /** The first message, of a channel or for one person, that fits; rejects after `ms` of machine time. */
  waitForMessage: (predicate: (message: Message) => boolean, ms: number) => Promise<Message>;
  /** Resolves with the first result that is neither undefined nor false; looked at on every change. */
  waitFor: <T>(look: () => T | undefined | false, ms: number, what?: string) => Promise<T>;

  close: () => Promise<void>;
}>;

export type Starting = Readonly<{
  port?: number;
  host?: "127.0.0.1";
  clock?: Clock;
  /** Replaces parts of the lab's workspace. */
  workspace?: Partial<WorkspaceSpec>;
}>;

const json = (status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}): Told => ({
  status,
  type: "application/json; charset=utf-8",
  body: JSON.stringify(body),
  headers,
});

/**
 * A strict Slack workspace on loopback: Web API, response URLs, Socket Mode and people who act. What Slack
 * remembers and expires goes by `clock`; waiting for the app goes by the machine's time.
 */
export async function startSlackWorkspace(starting: Starting = {}): Promise<SlackWorkspace> {
  const clock = starting.clock ?? systemClock;
  const spec: WorkspaceSpec = { ...labWorkspace, ...starting.workspace };
  const state = createState(spec, clock);
  const calls: Call[] = [];
  const faults = faultOrders();
  const closing = new AbortController();
  let base = "";
  let requestUrl: string | undefined;

  const sockets = socketMode(state, () => base);
  const api = webApi(state, rateLimits(clock), sockets.open, (id) => `${base}/upload/${id}`);

  const answerCall = async (asked: Asked): Promise<Told> => {
    const method = asked.path.slice("/api/".length);
    const order = faults.take(method);
    const { args, token } = await readCall(asked);
    const keep = (status: number, answer: JsonObject) => {
      calls.push({ method, args, at: clock.now(), status, answer, ordered: order !== undefined });
      changed(state);
    };
    if (order?.kind === "fail") {
      const error = order.status === 429 ? "ratelimited" : "internal_error";
      keep(order.status, { ok: false, error });
      return json(
        order.status,
        { ok: false, error },
        order.status === 429 ? { "retry-after": String(order.retryAfter) } : {},
      );
    }
    const answer: Answer = api(method, token, args);
    if (order?.kind === "drop") {
      keep(0, answer.body);
      return { drop: true };
    }
    keep(answer.status, answer.body);
    const told = json(answer.status, answer.body, {
      ...(answer.retryAfter === undefined ? {} : { "retry-after": String(answer.retryAfter) }),
      ...(answer.scopes === undefined ? {} : { "x-oauth-scopes": answer.scopes.join(",") }),
    });
    return order?.kind === "slow" ? { ...told, afterMs: order.ms } : told;
  };

  const route = async (asked: Asked): Promise<Told> => {
    const post = asked.method === "POST";
    if (asked.path.startsWith("/api/"))
      return answerCall(asked).catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        noteRefusal(state, asked.path.slice("/api/".length), undefined, error);
        return json(200, { ok: false, error: error.error, ...error.extra });
      });
    if (post && asked.path.startsWith("/response/")) {
      const told = postToResponseUrl(state, asked.path.slice("/response/".length), readJson(asked.body));
      return typeof told.body === "string"
        ? { status: told.status, type: "text/html", body: told.body }
        : json(told.status, told.body);
    }
    if (post && asked.path.startsWith("/upload/")) {
      const status = receiveUpload(state, asked.path.slice("/upload/".length), await readUpload(asked));
      if (status !== 200)
        addViolation(state, {
          where: "upload",
          error: String(status),
          reasons: ["unknown or used upload URL, or another length than announced"],
        });
      return { status, type: "text/plain", body: status === 200 ? "OK" : "failed" };
    }
    if (asked.path === "/") return { status: 200, type: "text/html; charset=utf-8", body: renderPage(state) };
    return { status: 404, type: "text/plain", body: "not found" };
  };

  const served = await listen(route, { port: starting.port ?? 0, host: starting.host ?? "127.0.0.1" });
  base = served.base;
  served.server.on("upgrade", sockets.upgrade);

  const reach: Reach = {
    base: () => base,
    requestUrl: () => requestUrl,
    socket: () => (sockets.connections() > 0 ? sockets.send : undefined),
  };
  const event = (user: string | undefined, body: JsonObject, sending: EventSending) =>
    deliverEvent(
      state,
      reach,
      eventPayload(state, user === undefined ? undefined : knownUser(state, user), body),
      sending,
      closing.signal,
    );

  const waitFor = <T>(look: () => T | undefined | false, ms: number, what = "it"): Promise<T> =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        state.watchers.delete(check);
      };
      const check = () => {
        const found = look();
        if (found === undefined || found === false) return;
        stop();
        resolve(found);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`waited ${ms} ms for ${what}; the workspace shows:\n${lastLines()}`));
      }, ms);
      state.watchers.add(check);
      check();
    });

  const everyMessage = () => [...state.messages.values()].flat().concat(state.ephemerals);
  const nameOf = namesOf(state);
  const lastLines = () =>
    everyMessage()
      .slice(-8)
      .map((message) => `  ${nameOf(message.channel)}: ${readMessage(message, nameOf)}`)
      .join("\n") || "  nothing";

  return {
    url: base,
    apiUrl: `${base}/api/`,
    spec,
    setRequestUrl: (url) => {
      requestUrl = url;
    },

    command: (typed) => actCommand(state, reach, typed),
    click: (click) => actClick(state, reach, click),
    shortcut: (used) => actShortcut(state, reach, used),
    submit: (submit) => actSubmit(state, reach, submit),
    mention: (mention) => actMention(state, reach, mention, closing.signal),
    openHome: (opened) =>
      event(
        opened.user,
        { type: "app_home_opened", user: opened.user, channel: `D${opened.user.slice(1)}`, tab: "home" },
        opened,
      ),
    say: (said) => say(state, said),

    changeChannel: (id, change) => {
      state.channels.set(id, { ...knownChannel(state, id), ...change });
    },
    changeGroup: (id, members, sending = {}) => {
      const known = state.groups.get(id);
      if (known === undefined) throw new Error(`no user group ${id} in the workspace`);
      if (members === undefined) state.groups.delete(id);
      else state.groups.set(id, { ...known, members });
      const now = members ?? [];
      return event(
        undefined,
        {
          type: "subteam_members_changed",
          subteam_id: id,
          team_id: spec.team.id,
          date_update: Math.floor(clock.now() / 1_000),
          added_users: now.filter((user) => !known.members.includes(user)),
          removed_users: known.members.filter((user) => !now.includes(user)),
        },
        sending,
      );
    },

    failNext: (method, { status, retryAfter = 1, times = 1 }) =>
      faults.add(method, { kind: "fail", status, retryAfter }, times),
    slowNext: (method, ms) => faults.add(method, { kind: "slow", ms }),
    dropConnectionNext: (method) => faults.add(method, { kind: "drop" }),
    failNothing: faults.clear,

    connections: sockets.connections,
    disconnect: sockets.disconnect,
    cutConnections: sockets.cut,

    messages: (channel) => [...messagesOf(state, channel)],
    thread: (channel, ts) =>
      messagesOf(state, channel).filter((message) => message.ts === ts || message.threadTs === ts),
    ephemerals: (user) => state.ephemerals.filter((message) => message.onlyFor === user),
    edits: (channel, ts) => [...(state.earlier.get(`${channel} ${ts}`) ?? [])],
    files: () => [...state.files.values()],
    views: () => [...state.views.values()],
    home: (user) => state.homes.get(user),
    calls: (method) => calls.filter((call) => method === undefined || call.method === method),
    violations: () => [...state.violations],
    renderText: (message) => readMessage(message, nameOf),
    renderView: (view) =>
      readBlocks(Array.isArray(view.view.blocks) ? (view.view.blocks as JsonObject[]) : [], nameOf),

    waitFor,
    waitForMessage: (predicate, ms) => waitFor(() => everyMessage().find(predicate), ms, "a message"),

    close: async () => {
      closing.abort();
      await sockets.close();
      await served.close();
    },
  };
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
