import { WebAPIHTTPError, WebAPIPlatformError, WebClient } from "@slack/web-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { labWorkspace } from "#infra/lab/slack/spec.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { stoppedClock } from "./stopped-clock.ts";

const clock = stoppedClock();
let slack: SlackWorkspace;
let client: WebClient;

const clientFor = (workspace: SlackWorkspace, token: string, timeout = 5_000) =>
  new WebClient(token, {
    slackApiUrl: workspace.apiUrl,
    retryConfig: { retries: 0 },
    timeout,
    rejectRateLimitedCalls: true,
    logger: {
      debug() {},
      info() {},
      warn() {},
      error() {},
      setLevel() {},
      getLevel: () => "error",
      setName() {},
    } as never,
  });

beforeEach(async () => {
  slack = await startSlackWorkspace({ clock });
  client = clientFor(slack, slack.spec.app.botToken);
});
afterEach(() => slack.close());

const refusal = async (method: string, args: Record<string, unknown>, by = client): Promise<string> => {
  try {
    await by.apiCall(method, args);
    return "taken";
  } catch (error) {
    if (error instanceof WebAPIPlatformError) return error.data.error;
    throw error;
  }
};

const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });
const blocksOf = (count: number) => Array.from({ length: count }, () => section("x"));
const C = "C0PLATFORM";
const post = async (extra: Record<string, unknown> = {}): Promise<string> =>
  (await client.chat.postMessage({ channel: C, text: "hello", ...extra } as never)).ts ?? "";

describe("a call is refused with Slack's word for it", () => {
  test.each<[string, string, Record<string, unknown>]>([
    ["channel_not_found", "chat.postMessage", { channel: "C0NOWHERE", text: "x" }],
    ["channel_not_found", "chat.postMessage", { channel: "C0PRIVATE", text: "x" }],
    ["not_in_channel", "chat.postMessage", { channel: "C0RANDOM", text: "x" }],
    ["is_archived", "chat.postMessage", { channel: "C0OLD", text: "x" }],
    ["no_text", "chat.postMessage", { channel: C }],
    ["invalid_arguments", "chat.postMessage", { text: "x" }],
    ["invalid_arguments", "chat.postMessage", { channel: C, text: "x", blocks: "{not json" }],
    ["msg_too_long", "chat.postMessage", { channel: C, text: "x".repeat(40_001) }],
    ["invalid_blocks", "chat.postMessage", { channel: C, text: "x", blocks: blocksOf(51) }],
    ["invalid_blocks", "chat.postMessage", { channel: C, text: "x", blocks: [section("x".repeat(3_001))] }],
    ["invalid_blocks", "chat.postMessage", { channel: C, text: "x", blocks: [{ type: "mystery" }] }],
    [
      "invalid_blocks",
      "chat.postMessage",
      { channel: C, text: "x", attachments: [{ color: "#f00", blocks: [section("")] }] },
    ],
    ["thread_not_found", "chat.postMessage", { channel: C, text: "x", thread_ts: "1700000000.000001" }],
    [
      "invalid_metadata_format",
      "chat.postMessage",
      { channel: C, text: "x", metadata: { event_type: "run" } },
    ],
    ["user_not_in_channel", "chat.postEphemeral", { channel: "C0DNS", user: "U0VIEWER", text: "x" }],
    ["message_not_found", "chat.update", { channel: C, ts: "1700000000.000001", text: "x" }],
    ["message_not_found", "chat.delete", { channel: C, ts: "1700000000.000001" }],
    ["message_not_found", "chat.getPermalink", { channel: C, message_ts: "1700000000.000001" }],
    ["channel_not_found", "conversations.info", { channel: "C0PRIVATE" }],
    ["not_in_channel", "conversations.history", { channel: "C0RANDOM" }],
    ["thread_not_found", "conversations.replies", { channel: C, ts: "1700000000.000001" }],
    ["user_not_found", "conversations.open", { users: "U0NOBODY" }],
    ["invalid_cursor", "conversations.list", { cursor: "junk" }],
    ["no_such_subteam", "usergroups.users.list", { usergroup: "approvers" }],
    ["user_not_found", "users.info", { user: "U0NOBODY" }],
    ["message_not_found", "reactions.add", { channel: C, timestamp: "1700000000.000001", name: "eyes" }],
    ["file_not_found", "files.completeUploadExternal", { files: [{ id: "F0" }], channel_id: C }],
    [
      "invalid_trigger_id",
      "views.open",
      { trigger_id: "1.2.3", view: { type: "modal", title: { type: "plain_text", text: "T" }, blocks: [] } },
    ],
    ["invalid_arguments", "views.open", { trigger_id: "1.2.3", view: { type: "modal", blocks: [] } }],
    ["not_found", "views.update", { view_id: "V0", view: { type: "modal" } }],
    ["user_not_found", "views.publish", { user_id: "U0NOBODY", view: { type: "home", blocks: [] } }],
    ["unknown_method", "chat.shout", {}],
    ["not_allowed_token_type", "apps.connections.open", {}],
  ])("%s by %s", async (error, method, args) => {
    expect(await refusal(method, args)).toBe(error);
  });

  test("not_authed without a token, invalid_auth with a strange one", async () => {
    expect(await refusal("auth.test", {}, clientFor(slack, ""))).toBe("not_authed");
    expect(await refusal("auth.test", {}, clientFor(slack, "xoxb-strange"))).toBe("invalid_auth");
    expect(await refusal("api.test", {}, clientFor(slack, ""))).toBe("taken");
  });

  test("invalid_json for a JSON body that is none", async () => {
    const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${slack.spec.app.botToken}` },
      body: "{",
    });
    expect([response.status, await response.json()]).toEqual([200, { ok: false, error: "invalid_json" }]);
  });

  test("what people should have seen and did not is a violation with its reasons; a look-up is none", async () => {
    await refusal("conversations.info", { channel: "C0NOWHERE" });
    expect(slack.violations()).toEqual([]);
    await refusal("chat.postMessage", { channel: C, text: "x", blocks: blocksOf(51) });
    expect(slack.violations()).toMatchObject([
      {
        where: "chat.postMessage",
        channel: C,
        error: "invalid_blocks",
        reasons: [expect.stringContaining("51")],
      },
    ]);
  });

  test("blocks without text are shown and noted: nobody is notified of anything", async () => {
    await client.apiCall("chat.postMessage", { channel: C, blocks: [section("x")] });
    expect(slack.violations()).toMatchObject([{ error: "no_fallback_text" }]);
  });
});

describe("scopes", () => {
  const scoped: [string, string, Record<string, unknown>][] = [
    ["chat:write", "chat.postMessage", { channel: C, text: "x" }],
    ["channels:read", "conversations.info", { channel: C }],
    ["channels:read", "conversations.members", { channel: C }],
    ["channels:history", "conversations.history", { channel: C }],
    ["im:write", "conversations.open", { users: "U0OPERATOR" }],
    ["usergroups:read", "usergroups.list", {}],
    ["usergroups:read", "usergroups.users.list", { usergroup: "S0APPROVERS" }],
    ["users:read", "users.info", { user: "U0OPERATOR" }],
    ["files:write", "files.getUploadURLExternal", { filename: "a.txt", length: 1 }],
    ["reactions:write", "reactions.add", { channel: C, timestamp: "1.1", name: "eyes" }],
  ];
  test("each missing one is named, with what the app has", async () => {
    const bare = await startSlackWorkspace({
      clock,
      workspace: { app: { ...labWorkspace.app, scopes: ["commands"], appScopes: [] } },
    });
    const by = clientFor(bare, bare.spec.app.botToken);
    for (const [needed, method, args] of scoped) {
      const answer = await by.apiCall(method, args).catch((error: WebAPIPlatformError) => error.data);
      expect({ method, ...answer }).toMatchObject({
        method,
        error: "missing_scope",
        needed,
        provided: "commands",
      });
    }
    expect(await refusal("apps.connections.open", {}, clientFor(bare, bare.spec.app.appToken))).toBe(
      "missing_scope",
    );
    await bare.close();
  });

  test("chat:write.public posts where the bot is not a member", async () => {
    const open = await startSlackWorkspace({
      clock,
      workspace: { app: { ...labWorkspace.app, scopes: [...labWorkspace.app.scopes, "chat:write.public"] } },
    });
    const by = clientFor(open, open.spec.app.botToken);
    expect(await refusal("chat.postMessage", { channel: "C0RANDOM", text: "x" }, by)).toBe("taken");
    expect(await refusal("chat.postMessage", { channel: "C0PRIVATE", text: "x" }, by)).toBe(
      "channel_not_found",
    );
    await open.close();
  });
});

describe("messages", () => {
  test("time stamps are unique in a channel even when no time passes", async () => {
    const all = [await post(), await post(), await post()];
    expect(new Set(all).size).toBe(3);
    expect(all.toSorted()).toEqual(all);
    for (const ts of all) expect(ts).toMatch(/^\d{10}\.\d{6}$/);
  });

  test("JSON bodies and forms with JSON fields say the same", async () => {
    await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        authorization: `Bearer ${slack.spec.app.botToken}`,
      },
      body: JSON.stringify({ channel: C, text: "x", blocks: [section("from JSON")] }),
    });
    await post({ blocks: [section("from a form")] });
    expect(slack.messages(C).map(slack.renderText)).toEqual(["from JSON", "from a form"]);
  });

  test("an update with text alone takes the blocks away, keeps metadata and shows as edited", async () => {
    const metadata = { event_type: "run", event_payload: { run: "R-17" } };
    const ts = await post({ blocks: [section("block")], metadata });
    await client.chat.update({ channel: C, ts, text: "words only" });
    const [message] = slack.messages(C);
    expect(message).toMatchObject({ text: "words only", blocks: [], metadata });
    expect(message?.editedTs).toBeDefined();
    expect(slack.edits(C, ts).map(slack.renderText)).toEqual(["block"]);
  });

  test("an update with blocks shows no edited mark", async () => {
    const ts = await post();
    await client.chat.update({ channel: C, ts, text: "t", blocks: [section("b")] });
    expect(slack.messages(C)[0]?.editedTs).toBeUndefined();
  });

  test("updates are held to 4,000 characters, to the author and to rich text staying rich", async () => {
    const ts = await post({
      blocks: [
        {
          type: "rich_text",
          elements: [{ type: "rich_text_section", elements: [{ type: "text", text: "x" }] }],
        },
      ],
    });
    const other = slack.say({ user: "U0OPERATOR", channel: C, text: "mine" });
    expect(await refusal("chat.update", { channel: C, ts, text: "x".repeat(4_001) })).toBe("msg_too_long");
    expect(await refusal("chat.update", { channel: C, ts, text: "x", blocks: [section("x")] })).toBe(
      "block_mismatch",
    );
    expect(await refusal("chat.update", { channel: C, ts: other.ts, text: "x" })).toBe("cant_update_message");
    expect(await refusal("chat.delete", { channel: C, ts: other.ts })).toBe("cant_delete_message");
  });

  test("an ephemeral message is in no history and can be neither updated nor deleted by its stamp", async () => {
    const { message_ts: ts } = await client.chat.postEphemeral({
      channel: C,
      user: "U0VIEWER",
      text: "psst",
    });
    expect(slack.ephemerals("U0VIEWER").map(slack.renderText)).toEqual(["psst"]);
    expect(slack.ephemerals("U0OPERATOR")).toEqual([]);
    expect((await client.conversations.history({ channel: C })).messages).toEqual([]);
    expect(await refusal("chat.update", { channel: C, ts, text: "x" })).toBe("message_not_found");
    expect(await refusal("chat.delete", { channel: C, ts })).toBe("message_not_found");
  });

  test("an ephemeral message in a thread without replies is shown to nobody", async () => {
    const ts = await post();
    const whisper = () =>
      client.chat.postEphemeral({ channel: C, user: "U0VIEWER", thread_ts: ts, text: "psst" });
    await whisper();
    expect(slack.ephemerals("U0VIEWER")).toEqual([]);
    expect(slack.violations()).toMatchObject([{ where: "ephemeral", error: "not_shown" }]);
    await post({ thread_ts: ts });
    await whisper();
    expect(slack.ephemerals("U0VIEWER")).toHaveLength(1);
  });

  test("delete removes; the permalink names channel, message and thread", async () => {
    const ts = await post();
    const reply = await post({ thread_ts: ts });
    const link = await client.chat.getPermalink({ channel: C, message_ts: reply });
    expect(link.permalink).toBe(
      `https://goldentooth-lab.slack.com/archives/${C}/p${reply.replace(".", "")}?thread_ts=${ts}&cid=${C}`,
    );
    await client.chat.delete({ channel: C, ts: reply });
    expect(slack.thread(C, ts).map((message) => message.ts)).toEqual([ts]);
  });

  test("a person's id opens a direct conversation", async () => {
    const opened = await client.conversations.open({ users: "U0OPERATOR" });
    const sent = await client.chat.postMessage({ channel: "U0OPERATOR", text: "hello" });
    expect(sent.channel).toBe(opened.channel?.id);
  });

  test("history pages newest first, replies oldest first, metadata only when asked for", async () => {
    const parent = await post({
      text: "first",
      metadata: { event_type: "run", event_payload: { run: "R-1" } },
    });
    await post({ text: "reply one", thread_ts: parent });
    await post({ text: "reply two", thread_ts: parent });
    await post({ text: "second" });
    const first = await client.conversations.history({ channel: C, limit: 1, include_all_metadata: true });
    expect(first.messages?.map((message) => message.text)).toEqual(["second"]);
    expect(first.has_more).toBe(true);
    const cursor = first.response_metadata?.next_cursor ?? "";
    const next = await client.conversations.history({
      channel: C,
      limit: 1,
      cursor,
      include_all_metadata: true,
    });
    expect(next.messages).toMatchObject([{ text: "first", reply_count: 2, metadata: { event_type: "run" } }]);
    const plain = await client.conversations.history({ channel: C });
    expect(plain.messages?.some((message) => "metadata" in message)).toBe(false);
    const replies = await client.conversations.replies({ channel: C, ts: parent });
    expect(replies.messages?.map((message) => message.text)).toEqual(["first", "reply one", "reply two"]);
    const since = await client.conversations.history({ channel: C, oldest: parent });
    expect(since.messages?.map((message) => message.text)).toEqual(["second"]);
  });

  test("reactions count once", async () => {
    const ts = await post();
    await client.reactions.add({ channel: C, timestamp: ts, name: "eyes" });
    expect(await refusal("reactions.add", { channel: C, timestamp: ts, name: "eyes" })).toBe(
      "already_reacted",
    );
    expect(await refusal("reactions.add", { channel: C, timestamp: ts, name: "No Such" })).toBe(
      "invalid_name",
    );
    expect(slack.messages(C)[0]?.reactions).toEqual([{ name: "eyes", users: ["U0ARPEGGIO"] }]);
    expect(slack.edits(C, ts)).toEqual([]);
  });
});

describe("who and where", () => {
  test("auth.test names the bot", async () => {
    expect(await client.auth.test()).toMatchObject({
      user_id: "U0ARPEGGIO",
      bot_id: "B0ARPEGGIO",
      team_id: "T0LAB",
    });
  });

  test("every answer tells the token's scopes, as the real client reads them", async () => {
    const answer = await client.auth.test();
    expect(answer.response_metadata?.scopes).toEqual(slack.spec.app.scopes);
  });

  test("channels the bot may know, in pages", async () => {
    const page = await client.conversations.list({ limit: 2, exclude_archived: true });
    expect(page.channels?.map((channel) => channel.name)).toEqual(["platform", "dns-drift"]);
    const rest = await client.conversations.list({
      limit: 10,
      exclude_archived: true,
      cursor: page.response_metadata?.next_cursor ?? "",
    });
    expect(rest.channels?.map((channel) => channel.name)).toEqual(["alerts", "random"]);
    const old = await client.conversations.info({ channel: "C0OLD" });
    expect(old.channel?.is_archived).toBe(true);
    const members = await client.conversations.members({ channel: "C0DNS" });
    expect(members.members).toEqual(["U0OPERATOR", "U0APPROVER", "U0ARPEGGIO"]);
  });

  test("groups by id, strangers and guests marked", async () => {
    const groups = await client.usergroups.list({ include_users: true });
    expect(groups.usergroups?.map((group) => group.handle)).toEqual(["operators", "approvers"]);
    const users = await client.usergroups.users.list({ usergroup: "S0APPROVERS" });
    expect(users.users).toEqual(["U0APPROVER", "U0APPROVER2"]);
    const foreign = await client.users.info({ user: "U0FOREIGN" });
    expect(foreign.user).toMatchObject({ team_id: "T0OTHER", is_stranger: true });
    expect((await client.users.info({ user: "U0GUEST" })).user?.is_restricted).toBe(true);
  });
});

describe("files", () => {
  test("the real client's upload ends up in the thread, byte for byte", async () => {
    const ts = await post();
    await client.filesUploadV2({
      channel_id: C,
      thread_ts: ts,
      file: Buffer.from("all 412 records\n"),
      filename: "drift.txt",
      title: "Drift",
      initial_comment: "the whole list",
    } as never);
    expect(slack.files()).toMatchObject([
      { name: "drift.txt", title: "Drift", sharedIn: { channel: C, threadTs: ts } },
    ]);
    expect(Buffer.from(slack.files()[0]?.bytes ?? []).toString()).toBe("all 412 records\n");
    expect(slack.thread(C, ts).map(slack.renderText)).toEqual(["hello", "the whole list\n[file: Drift]"]);
    expect(slack.violations()).toEqual([]);
  });

  test("bytes of another length than announced, and a second upload, are refused", async () => {
    const asked = await client.files.getUploadURLExternal({ filename: "a.txt", length: 4 });
    const send = async (body: string) => (await fetch(asked.upload_url!, { method: "POST", body })).status;
    expect(await send("12345")).toBe(400);
    expect(await refusal("files.completeUploadExternal", { files: [{ id: asked.file_id }] })).toBe(
      "file_not_found",
    );
    expect(await send("1234")).toBe(200);
    expect(await send("1234")).toBe(404);
    expect(
      await refusal("files.completeUploadExternal", {
        files: [{ id: asked.file_id }],
        channel_id: "C0RANDOM",
      }),
    ).toBe("not_in_channel");
  });
});

describe("ordered faults", () => {
  test("a 429 tells when to come back and happens not at all", async () => {
    slack.failNext("chat.postMessage", { status: 429, retryAfter: 7 });
    await expect(post()).rejects.toMatchObject({ retryAfter: 7 });
    expect(slack.messages(C)).toEqual([]);
    await post();
    expect(slack.messages(C)).toHaveLength(1);
    expect(slack.violations()).toEqual([]);
  });

  test("500 and 503 as often as ordered", async () => {
    slack.failNext("chat.update", { status: 503, times: 2 });
    const ts = await post();
    for (let i = 0; i < 2; i += 1)
      await expect(client.chat.update({ channel: C, ts, text: "x" })).rejects.toBeInstanceOf(WebAPIHTTPError);
    await client.chat.update({ channel: C, ts, text: "x" });
    expect(slack.calls("chat.update").map((call) => [call.status, call.ordered])).toEqual([
      [503, true],
      [503, true],
      [200, false],
    ]);
  });

  test("a timed-out post happened: sent again, it stands there twice", async () => {
    const hasty = clientFor(slack, slack.spec.app.botToken, 50);
    slack.slowNext("chat.postMessage", 2_000);
    await expect(hasty.chat.postMessage({ channel: C, text: "once" })).rejects.toThrow();
    await client.chat.postMessage({ channel: C, text: "once" });
    expect(slack.messages(C).map((message) => message.text)).toEqual(["once", "once"]);
  });

  test("a dropped connection leaves the post behind and the sender without an answer", async () => {
    slack.dropConnectionNext("chat.postMessage");
    await expect(post()).rejects.toThrow();
    expect(slack.messages(C)).toHaveLength(1);
    expect(slack.calls("chat.postMessage")[0]?.status).toBe(0);
  });
});

test("waiting ends with what the workspace shows", async () => {
  const waiting = slack.waitForMessage((message) => message.text === "later", 5_000);
  await post({ text: "sooner" });
  await post({ text: "later" });
  expect((await waiting).text).toBe("later");
  await expect(slack.waitForMessage((message) => message.text === "never", 20)).rejects.toThrow(
    /platform: sooner/,
  );
});

test("the page shows channels, messages and refusals, and escapes what people wrote", async () => {
  slack.say({ user: "U0OPERATOR", channel: C, text: "&lt;script&gt;alert(1)&lt;/script&gt;" });
  await client.chat.postEphemeral({ channel: C, user: "U0VIEWER", text: "psst" });
  await refusal("chat.postMessage", { channel: "C0OLD", text: "x" });
  const html = await (await fetch(slack.url)).text();
  expect(html).toContain("&lt;script&gt;alert(1)");
  expect(html).not.toContain("<script>");
  expect(html).toContain("only viewer sees this");
  expect(html).toContain("chat.postMessage · C0OLD · is_archived");
});
