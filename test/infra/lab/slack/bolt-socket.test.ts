import { App, LogLevel, SocketModeReceiver } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { personIn } from "#test/build/slack-person.ts";

const C = "C0PLATFORM";
let slack: SlackWorkspace;
const closers: (() => Promise<unknown> | unknown)[] = [];

beforeEach(async () => {
  slack = await startSlackWorkspace({
    workspace: { ackWithinMs: 150, redeliverAfterMs: [0, 0], pingEveryMs: 50 },
  });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await slack.close();
});

async function startBolt(): Promise<App> {
  const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, timeout: 5_000 };
  const receiver = new SocketModeReceiver({
    appToken: slack.spec.app.appToken,
    logLevel: LogLevel.ERROR,
    clientPingTimeout: 100,
    installerOptions: { clientOptions },
  });
  const app = new App({
    receiver,
    token: slack.spec.app.botToken,
    botId: slack.spec.app.botId,
    botUserId: slack.spec.app.botUserId,
    convoStore: false,
    logLevel: LogLevel.ERROR,
    clientOptions,
  });
  const before = slack.connections();
  await app.start();
  await slack.waitFor(() => slack.connections() > before, 2_000, "a connection");
  closers.push(() => app.stop());
  return app;
}

/** A bare connection, for what Bolt would never do. */
async function connect(answer: (frame: Record<string, unknown>, socket: WebSocket) => void) {
  const opened = (await (
    await fetch(`${slack.apiUrl}apps.connections.open`, {
      method: "POST",
      headers: { authorization: `Bearer ${slack.spec.app.appToken}` },
    })
  ).json()) as { url: string };
  const frames: Record<string, unknown>[] = [];
  const socket = new WebSocket(opened.url);
  let pings = 0;
  socket.on("ping", () => {
    pings += 1;
  });
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data)) as Record<string, unknown>;
    frames.push(frame);
    if (frame.envelope_id !== undefined) answer(frame, socket);
  });
  const first = new Promise<void>((resolve, reject) => {
    socket.once("message", () => resolve());
    socket.once("error", reject);
  });
  closers.push(() => socket.terminate());
  await first;
  return { url: opened.url, socket, frames, pings: () => pings };
}

const ack = (frame: Record<string, unknown>, socket: WebSocket, payload?: unknown) =>
  socket.send(
    JSON.stringify({ envelope_id: frame.envelope_id, ...(payload === undefined ? {} : { payload }) }),
  );

const typed = { user: "U0OPERATOR", channel: C, command: "/arping", text: "all" };

describe("a real Bolt app over Socket Mode", () => {
  test("takes commands, clicks and mentions, and answers each", async () => {
    const app = await startBolt();
    app.command("/arping", async ({ ack, client, command }) => {
      await ack(`asked: ${command.text}`);
      await client.chat.postMessage({
        channel: command.channel_id,
        text: "approve?",
        blocks: [
          {
            type: "actions",
            elements: [
              {
                type: "button",
                action_id: "go",
                text: { type: "plain_text", text: "Approve" },
                value: "R-1",
              },
            ],
          },
        ],
      });
    });
    app.action("go", async ({ ack, respond, body }) => {
      await ack();
      await respond({ text: `approved by <@${body.user.id}>`, replace_original: true });
    });
    app.event("app_mention", async ({ event, client }) => {
      await client.chat.postMessage({
        channel: event.channel,
        thread_ts: event.ts,
        text: `heard: ${event.text}`,
      });
    });

    const operator = personIn(slack, { user: "U0OPERATOR", channel: C });
    const act = await operator.types("/arping httpbin --count 3");
    expect(act.deliveries[0]).toMatchObject({ via: "socket", outcome: "acked" });
    expect(act.shown.map(slack.renderText)).toEqual(["asked: httpbin --count 3"]);

    const message = await operator.waitsFor("[Approve]");
    await personIn(slack, { user: "U0APPROVER", channel: C }).presses("Approve", message);
    await operator.waitsFor("approved by @approver");
    expect(slack.edits(C, message.ts)).toHaveLength(1);

    await operator.mentions("status");
    await operator.waitsFor(["heard: @arpeggio status"]);
    expect(slack.violations()).toEqual([]);
  });

  test("a command that nobody handles is silence to Slack, and an error to the person", async () => {
    await startBolt();
    const act = await slack.command(typed);
    expect(act.deliveries[0]?.outcome).toBe("timed-out");
    expect(act.shown.map(slack.renderText)).toEqual(['/arping failed with the error "operation_timeout"']);
  });

  test("comes back after it was sent away, and people are refused in between", async () => {
    const app = await startBolt();
    app.command("/arping", async ({ ack }) => ack());
    slack.disconnect("refresh_requested");
    await slack.waitFor(() => slack.connections() === 0, 2_000, "the connection to end");
    const between = await slack.command(typed);
    expect(between.shown.map(slack.renderText)).toEqual(['/arping failed with the error "dispatch_failed"']);
    await expect.poll(() => slack.connections(), { timeout: 5_000 }).toBe(1);
    expect((await slack.command(typed)).deliveries[0]?.outcome).toBe("acked");
    expect(slack.calls("apps.connections.open").length).toBe(2);
  });
});

describe("the connection", () => {
  test("says hello with how many there are, pings, and its URL works once", async () => {
    const one = await connect(() => undefined);
    expect(one.frames[0]).toMatchObject({
      type: "hello",
      num_connections: 1,
      connection_info: { app_id: "A0ARPEGGIO" },
      debug_info: { approximate_connection_time: 18_060 },
    });
    await expect.poll(one.pings).toBeGreaterThan(0);
    const again = new WebSocket(one.url);
    await expect(
      new Promise((resolve, reject) => {
        again.once("open", resolve);
        again.once("error", reject);
      }),
    ).rejects.toThrow(/401/);
  });

  test("each payload goes to one of several; the eleventh connection is sent away", async () => {
    const all = [];
    for (let i = 0; i < 10; i += 1) all.push(await connect((frame, socket) => ack(frame, socket)));
    for (let i = 0; i < 10; i += 1) await slack.command(typed);
    expect(all.map((one) => one.frames.length)).toEqual(Array.from({ length: 10 }, () => 2));
    const eleventh = await connect(() => undefined);
    expect(eleventh.frames).toMatchObject([{ type: "disconnect", reason: "too_many_websockets" }]);
    expect(slack.connections()).toBe(10);
  });

  test("envelopes say whether a payload is welcome, and the command's is shown", async () => {
    const one = await connect((frame, socket) =>
      ack(frame, socket, frame.accepts_response_payload === true ? { text: "from the payload" } : undefined),
    );
    const { shown } = await slack.command(typed);
    expect(shown.map(slack.renderText)).toEqual(["from the payload"]);
    await slack.mention({ user: "U0OPERATOR", channel: C, text: "next" });
    expect(one.frames.slice(1).map((f) => [f.type, f.accepts_response_payload, f.retry_attempt])).toEqual([
      ["slash_commands", true, undefined],
      ["events_api", false, 0],
    ]);
  });

  test("an event that is not acknowledged comes again with its attempt; a command never does", async () => {
    const one = await connect((frame, socket) => {
      if (frame.retry_attempt === 2) ack(frame, socket);
    });
    const act = await slack.mention({ user: "U0OPERATOR", channel: C, text: "next" });
    expect(act.deliveries.map((d) => [d.outcome, d.retryNum])).toEqual([
      ["timed-out", undefined],
      ["timed-out", 1],
      ["acked", 2],
    ]);
    expect(one.frames.slice(1).map((frame) => frame.retry_reason)).toEqual(["", "timeout", "timeout"]);
    expect((await slack.command(typed)).deliveries).toHaveLength(1);
  });

  test("late, strange and broken frames are violations", async () => {
    const one = await connect((frame, socket) => {
      setTimeout(() => ack(frame, socket), 250);
    });
    await slack.command(typed);
    one.socket.send("{");
    one.socket.send('{"payload":{}}');
    await slack.waitFor(() => slack.violations().length >= 4, 2_000);
    expect(
      slack
        .violations()
        .map((v) => v.error)
        .toSorted(),
    ).toEqual(["invalid_frame", "invalid_frame", "late_or_unknown_ack", "operation_timeout"]);
  });

  test("that breaks in the middle of a command leaves the person with an error", async () => {
    await connect(() => slack.cutConnections());
    const act = await slack.command(typed);
    expect(act.deliveries).toMatchObject([{ via: "socket", outcome: "unreachable" }]);
    expect(act.shown.map(slack.renderText)).toEqual(['/arping failed with the error "dispatch_failed"']);
  });

  test("nobody connected is dispatch_failed when the socket was asked for", async () => {
    const act = await slack.command({ ...typed, via: "socket" });
    expect(act.deliveries).toMatchObject([{ via: "socket", outcome: "unreachable" }]);
  });
});
