import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { slackRewrites, smartTyping } from "#infra/lab/slack/events.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { type Answered, startPlainApp } from "./plain-app.ts";
import { stoppedClock } from "./stopped-clock.ts";

const C = "C0PLATFORM";
const clock = stoppedClock();
let slack: SlackWorkspace;
let app: Awaited<ReturnType<typeof startPlainApp>>;
let answer: (count: number) => Answered;

beforeEach(async () => {
  answer = () => ({});
  slack = await startSlackWorkspace({
    clock,
    workspace: { ackWithinMs: 1_000, redeliverAfterMs: [0, 60_000, 300_000] },
  });
  app = await startPlainApp((_, count) => answer(count));
  slack.setRequestUrl(app.url);
});
afterEach(async () => {
  await app.close();
  await slack.close();
});

const arping = { user: "U0OPERATOR", channel: C, command: "/arping", text: "httpbin --count 3" };
const api = async (method: string, args: Record<string, unknown>) =>
  (await (
    await fetch(`${slack.apiUrl}${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${slack.spec.app.botToken}`, "content-type": "application/json" },
      body: JSON.stringify(args),
    })
  ).json()) as Record<string, unknown>;

const button = (id: string, label: string) => ({
  type: "button",
  action_id: id,
  text: { type: "plain_text", text: label },
  value: `R-1:${id}`,
});

const asks = async (extra: Record<string, unknown> = {}) => {
  await api("chat.postMessage", {
    channel: C,
    text: "approve?",
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: "step 5" }, accessory: button("why", "Why") },
      { type: "actions", block_id: "moves", elements: [button("go", "Approve"), button("no", "Refuse")] },
    ],
    ...extra,
  });
  return slack.messages(C).at(-1)!;
};

const payloadOf = (index: number) =>
  JSON.parse(new URLSearchParams(app.received[index]!.body).get("payload")!) as Record<string, never>;

describe("a slash command", () => {
  test("is the form Slack sends, signed over the raw body", async () => {
    const act = await slack.command(arping);
    const [received] = app.received;
    const stamp = String(Math.floor(clock.now() / 1_000));
    expect(received?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(received?.headers["x-slack-request-timestamp"]).toBe(stamp);
    expect(received?.headers["x-slack-signature"]).toBe(
      `v0=${createHmac("sha256", "lab-signing-secret").update(`v0:${stamp}:${received?.body}`).digest("hex")}`,
    );
    expect(Object.fromEntries(new URLSearchParams(received?.body))).toEqual({
      token: "deprecated-verification-token",
      team_id: "T0LAB",
      team_domain: "goldentooth-lab",
      channel_id: C,
      channel_name: "platform",
      user_id: "U0OPERATOR",
      user_name: "operator",
      command: "/arping",
      text: "httpbin --count 3",
      api_app_id: "A0ARPEGGIO",
      is_enterprise_install: "false",
      response_url: act.responseUrl,
      trigger_id: act.triggerId,
    });
  });

  test.each<[string, Answered, readonly string[], readonly string[]]>([
    ["nothing", {}, [], []],
    ["text for the typist", { body: "usage: /arping SERVICE" }, ["usage: /arping SERVICE"], []],
    ["a message for the typist", { type: "application/json", body: '{"text":"psst"}' }, ["psst"], []],
    [
      "a message for the channel",
      { type: "application/json", body: '{"response_type":"in_channel","text":"all"}' },
      [],
      ["all"],
    ],
  ])("may be acknowledged with %s", async (_, told, mine, everybodys) => {
    answer = () => told;
    await slack.command(arping);
    expect(slack.ephemerals("U0OPERATOR").map(slack.renderText)).toEqual(mine);
    expect(slack.messages(C).map(slack.renderText)).toEqual(everybodys);
    expect(slack.violations()).toEqual([]);
  });

  test.each<[string, Answered, string]>([
    ["an error", { status: 500 }, "dispatch_failed"],
    ["a slow answer", { afterMs: 1_600 }, "operation_timeout"],
    [
      "a message over the limits",
      { type: "application/json", body: '{"text":"x","blocks":[{"type":"mystery"}]}' },
      "invalid_command_response",
    ],
  ])("shows Slack's own line after %s", async (_, told, error) => {
    answer = () => told;
    const act = await slack.command(arping);
    expect(act.shown.map(slack.renderText)).toEqual([`/arping failed with the error "${error}"`]);
    expect(slack.violations()).toMatchObject([{ where: "ack", error }]);
  });

  test("shows dispatch_failed when nobody listens", async () => {
    await app.close();
    const act = await slack.command(arping);
    expect(act.deliveries).toMatchObject([{ outcome: "unreachable", status: 0 }]);
    expect(act.shown.map(slack.renderText)).toEqual(['/arping failed with the error "dispatch_failed"']);
  });

  test("can arrive twice, with a wrong signature, from the past, and from another team", async () => {
    await slack.command({ ...arping, duplicate: true });
    expect(app.received[0]?.body).toBe(app.received[1]?.body);
    await slack.command({ ...arping, signature: "wrong" });
    const forged = app.received[2]!;
    const stamp = forged.headers["x-slack-request-timestamp"];
    expect(forged.headers["x-slack-signature"]).not.toBe(
      `v0=${createHmac("sha256", "lab-signing-secret").update(`v0:${stamp}:${forged.body}`).digest("hex")}`,
    );
    await slack.command({ ...arping, stampSkewMs: -600_000 });
    expect(app.received[3]?.headers["x-slack-request-timestamp"]).toBe(
      String(Math.floor((clock.now() - 600_000) / 1_000)),
    );
    await slack.command({ ...arping, user: "U0FOREIGN" });
    expect(new URLSearchParams(app.received[4]?.body).get("team_id")).toBe("T0OTHER");
  });

  test("by somebody or somewhere unknown is a mistake of the test, and says who there is", async () => {
    await expect(slack.command({ ...arping, user: "U0NOBODY" })).rejects.toThrow(
      /no user U0NOBODY.*U0OPERATOR/,
    );
    await expect(slack.command({ ...arping, channel: "C0" })).rejects.toThrow(/no channel C0.*C0PLATFORM/);
  });
});

describe("a click", () => {
  test("carries message, container, action and a fresh trigger", async () => {
    const parent = slack.say({ user: "U0OPERATOR", channel: C, text: "go on" });
    const message = await asks({ thread_ts: parent.ts });
    const act = await slack.click({ user: "U0APPROVER", message, label: "Approve" });
    expect(app.received[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(payloadOf(0)).toMatchObject({
      type: "block_actions",
      api_app_id: "A0ARPEGGIO",
      team: { id: "T0LAB" },
      user: { id: "U0APPROVER", team_id: "T0LAB" },
      channel: { id: C, name: "platform" },
      container: {
        type: "message",
        message_ts: message.ts,
        channel_id: C,
        is_ephemeral: false,
        thread_ts: parent.ts,
      },
      message: { ts: message.ts, thread_ts: parent.ts, bot_id: "B0ARPEGGIO", text: "approve?" },
      response_url: act.responseUrl,
      trigger_id: act.triggerId,
      actions: [{ type: "button", action_id: "go", block_id: "moves", value: "R-1:go" }],
    });
  });

  test("finds elements by place and id, and says what there is when there is no such thing", async () => {
    const message = await asks();
    await slack.click({ user: "U0APPROVER", message, index: 0 });
    await slack.click({ user: "U0APPROVER", message, actionId: "no" });
    expect(
      [payloadOf(0), payloadOf(1)].map(
        (p) => (p.actions as unknown as { action_id: string }[])[0]?.action_id,
      ),
    ).toEqual(["why", "no"]);
    await expect(slack.click({ user: "U0APPROVER", message, label: "Undo" })).rejects.toThrow(/go "Approve"/);
  });

  test("on an old copy of the message still reaches the app, as from a client that has not caught up", async () => {
    const message = await asks();
    await api("chat.update", { channel: C, ts: message.ts, text: "approved" });
    await slack.click({ user: "U0APPROVER2", message, actionId: "go" });
    expect(app.received).toHaveLength(1);
  });

  test("that the app does not take is a warning; words in its acknowledgement are lost", async () => {
    const message = await asks();
    answer = () => ({ status: 404 });
    const act = await slack.click({ user: "U0APPROVER", message, actionId: "go" });
    expect(act.shown.map(slack.renderText)).toEqual([
      'the button "Approve" failed with the error "dispatch_failed"',
    ]);
    answer = () => ({ body: "thanks" });
    await slack.click({ user: "U0APPROVER", message, actionId: "go" });
    expect(slack.violations().map((v) => v.error)).toEqual(["dispatch_failed", "ack_body_ignored"]);
  });

  test("by somebody of another team says so", async () => {
    await slack.click({ user: "U0FOREIGN", message: await asks(), actionId: "go" });
    expect(payloadOf(0)).toMatchObject({ user: { id: "U0FOREIGN", team_id: "T0OTHER" } });
  });

  test("picks an option of a menu", async () => {
    const options = ["a", "b"].map((value) => ({ text: { type: "plain_text", text: value }, value }));
    const menu = {
      type: "static_select",
      action_id: "pick",
      placeholder: { type: "plain_text", text: "Which" },
      options,
    };
    const message = await asks({ blocks: [{ type: "actions", elements: [menu] }] });
    await slack.click({ user: "U0APPROVER", message, actionId: "pick", option: "b" });
    expect(payloadOf(0).actions).toMatchObject([{ selected_option: { value: "b" } }]);
    await expect(slack.click({ user: "U0APPROVER", message, actionId: "pick", option: "c" })).rejects.toThrow(
      /a, b/,
    );
  });
});

describe("modals", () => {
  const modal = (extra: Record<string, unknown> = {}) => ({
    type: "modal",
    title: { type: "plain_text", text: "Apply" },
    blocks: [
      { type: "alert", text: { type: "mrkdwn", text: "This withdraws 12 addresses" }, level: "error" },
    ],
    ...extra,
  });

  test("a trigger opens one view, for three seconds", async () => {
    const first = await slack.command(arping);
    expect(await api("views.open", { trigger_id: first.triggerId, view: modal() })).toMatchObject({
      ok: true,
    });
    expect(await api("views.open", { trigger_id: first.triggerId, view: modal() })).toMatchObject({
      error: "exchanged_trigger_id",
    });
    const second = await slack.command(arping);
    clock.pass(3_001);
    expect(await api("views.open", { trigger_id: second.triggerId, view: modal() })).toMatchObject({
      error: "expired_trigger_id",
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["a long title", { title: { type: "plain_text", text: "x".repeat(25) } }],
    ["a mrkdwn submit", { submit: { type: "mrkdwn", text: "Go" } }],
    ["long private metadata", { private_metadata: "x".repeat(3_001) }],
    ["101 blocks", { blocks: Array.from({ length: 101 }, () => ({ type: "divider" })) }],
    [
      "an input without submit",
      {
        blocks: [
          {
            type: "input",
            label: { type: "plain_text", text: "L" },
            element: { type: "plain_text_input", action_id: "a" },
          },
        ],
      },
    ],
  ])("%s is refused with a pointer", async (_, extra) => {
    const { triggerId } = await slack.command(arping);
    const answer = await api("views.open", { trigger_id: triggerId, view: modal(extra) });
    expect(answer).toMatchObject({
      error: "invalid_arguments",
      response_metadata: { messages: [expect.stringContaining("json-pointer")] },
    });
  });

  test("is updated by the hash it had, submitted, and closed by an empty acknowledgement", async () => {
    const { triggerId } = await slack.command(arping);
    const opened = (await api("views.open", { trigger_id: triggerId, view: modal() })).view as {
      id: string;
      hash: string;
    };
    expect(await api("views.update", { view_id: opened.id, hash: "0.0", view: modal() })).toMatchObject({
      error: "hash_conflict",
    });
    expect(await api("views.update", { view_id: opened.id, hash: opened.hash, view: modal() })).toMatchObject(
      { ok: true },
    );
    answer = () => ({ type: "application/json", body: '{"response_action":"errors","errors":{"b":"no"}}' });
    const values = { b: { a: { type: "plain_text_input", value: "goldentooth" } } };
    await slack.submit({ user: "U0OPERATOR", viewId: opened.id, values });
    expect(payloadOf(1)).toMatchObject({
      type: "view_submission",
      view: { id: opened.id, state: { values } },
    });
    answer = () => ({});
    await slack.submit({ user: "U0OPERATOR", viewId: opened.id });
    await expect(slack.submit({ user: "U0OPERATOR", viewId: opened.id })).rejects.toThrow(/no open view/);
  });

  test("Home is published per person", async () => {
    await api("views.publish", {
      user_id: "U0OPERATOR",
      view: { type: "home", blocks: [{ type: "header", text: { type: "plain_text", text: "All quiet" } }] },
    });
    expect(slack.renderView(slack.home("U0OPERATOR")!)).toBe("All quiet");
    expect(slack.home("U0VIEWER")).toBeUndefined();
  });
});

describe("events", () => {
  const eventOf = (index: number) => JSON.parse(app.received[index]!.body) as Record<string, never>;

  test("a mention stands in the thread and comes as signed JSON", async () => {
    const parent = await asks();
    const act = await slack.mention({ user: "U0OPERATOR", channel: C, threadTs: parent.ts, text: "next" });
    expect(slack.thread(C, parent.ts).map(slack.renderText).at(-1)).toBe("@arpeggio next");
    expect(app.received[0]?.headers["content-type"]).toBe("application/json");
    expect(eventOf(0)).toMatchObject({
      type: "event_callback",
      team_id: "T0LAB",
      event: {
        type: "app_mention",
        user: "U0OPERATOR",
        text: "<@U0ARPEGGIO> next",
        thread_ts: parent.ts,
        ts: act.message.ts,
        channel: C,
      },
    });
  });

  test("comes again at once, after a minute and after five when it is not acknowledged, under one id", async () => {
    answer = (count) => (count < 4 ? { status: 500 } : {});
    const before = clock.now();
    const act = await slack.mention({ user: "U0OPERATOR", channel: C, text: "next" });
    expect(act.deliveries.map((d) => [d.retryNum, d.status])).toEqual([
      [undefined, 500],
      [1, 500],
      [2, 500],
      [3, 200],
    ]);
    expect(clock.now() - before).toBe(360_000);
    expect(
      app.received.map((r) => [r.headers["x-slack-retry-num"], r.headers["x-slack-retry-reason"]]),
    ).toEqual([
      [undefined, undefined],
      ["1", "http_error"],
      ["2", "http_error"],
      ["3", "http_error"],
    ]);
    expect(new Set(app.received.map((_, i) => String(eventOf(i).event_id))).size).toBe(1);
  });

  test("comes again after a time-out, and when a test wants it although it was acknowledged", async () => {
    answer = (count) => (count === 1 ? { afterMs: 1_600 } : {});
    await slack.mention({ user: "U0OPERATOR", channel: C, text: "next" });
    expect(app.received[1]?.headers["x-slack-retry-reason"]).toBe("http_timeout");
    const act = await slack.mention({ user: "U0OPERATOR", channel: C, text: "next", redeliver: 2 });
    expect(act.deliveries.map((delivery) => delivery.retryNum)).toEqual([undefined, 1, 2]);
  });

  test("is not sent where the bot is not a member", async () => {
    const act = await slack.mention({ user: "U0OPERATOR", channel: "C0RANDOM", text: "next" });
    expect([act.deliveries, app.received.length]).toEqual([[], 0]);
  });

  test("by a stranger names the other team", async () => {
    await slack.mention({ user: "U0FOREIGN", channel: C, text: "next" });
    expect(eventOf(0).event).toMatchObject({ user: "U0FOREIGN", user_team: "T0OTHER" });
  });

  test("a changed group, and an opened Home, are told", async () => {
    await slack.changeGroup("S0APPROVERS", ["U0APPROVER", "U0VIEWER"]);
    await slack.openHome({ user: "U0OPERATOR" });
    expect(eventOf(0).event).toMatchObject({
      type: "subteam_members_changed",
      added_users: ["U0VIEWER"],
      removed_users: ["U0APPROVER2"],
    });
    expect(eventOf(1).event).toMatchObject({ type: "app_home_opened", user: "U0OPERATOR" });
    await slack.changeGroup("S0APPROVERS", undefined);
    expect(await api("usergroups.users.list", { usergroup: "S0APPROVERS" })).toMatchObject({
      error: "no_such_subteam",
    });
  });

  test("an archived channel refuses from then on", async () => {
    slack.changeChannel("C0DNS", { isArchived: true });
    expect(await api("chat.postMessage", { channel: "C0DNS", text: "x" })).toMatchObject({
      error: "is_archived",
    });
  });
});

test("a message shortcut carries the message and its thread; ephemerals offer none", async () => {
  const parent = slack.say({ user: "U0OPERATOR", channel: C, text: "here" });
  const message = await asks({ thread_ts: parent.ts });
  await slack.shortcut({ user: "U0OPERATOR", message, callbackId: "next-step" });
  expect(payloadOf(0)).toMatchObject({
    type: "message_action",
    callback_id: "next-step",
    message_ts: message.ts,
    message: { thread_ts: parent.ts },
  });
  answer = () => ({ body: "psst" });
  const [mine] = (await slack.command(arping)).shown;
  await expect(slack.shortcut({ user: "U0OPERATOR", message: mine!, callbackId: "x" })).rejects.toThrow(
    /no shortcuts/,
  );
});

test.each<[string, string]>([
  ["node1.goldentooth.net", "<http://node1.goldentooth.net|node1.goldentooth.net>"],
  ["check 10.4.11.1 now", "check 10.4.11.1 now"],
  ["see https://goldentooth.net/a?b=1", "see <https://goldentooth.net/a?b=1>"],
  ["a < b & c > d", "a &lt; b &amp; c &gt; d"],
  ["ask <@U0APPROVER>", "ask <@U0APPROVER>"],
  ["me@goldentooth.net", "me@goldentooth.net"],
])("what is typed as %s arrives as %s", (typed, arrives) => {
  expect(slackRewrites(typed)).toBe(arrives);
});

test("phones make em dashes and curly quotes", () => {
  expect(smartTyping(`skip 3 --reason "it's done"`)).toBe("skip 3 —reason “it’s done”");
});
