import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { startPlainApp } from "./plain-app.ts";
import { stoppedClock } from "./stopped-clock.ts";

const C = "C0PLATFORM";
let clock: ReturnType<typeof stoppedClock>;
let slack: SlackWorkspace;
let app: Awaited<ReturnType<typeof startPlainApp>>;

beforeEach(async () => {
  clock = stoppedClock();
  slack = await startSlackWorkspace({ clock });
  app = await startPlainApp();
  slack.setRequestUrl(app.url);
});
afterEach(async () => {
  await app.close();
  await slack.close();
});

const post = async (url: string, body: unknown) => {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return [response.status, await response.text()] as const;
};

const asked = async (channel = C) =>
  (await slack.command({ user: "U0OPERATOR", channel, command: "/arping", text: "all" })).responseUrl;

const botMessage = async () => {
  await fetch(`${slack.apiUrl}chat.postMessage`, {
    method: "POST",
    headers: { authorization: `Bearer ${slack.spec.app.botToken}` },
    body: new URLSearchParams({
      channel: C,
      text: "approve?",
      blocks: JSON.stringify([
        {
          type: "actions",
          elements: [
            { type: "button", action_id: "go", text: { type: "plain_text", text: "Go" }, value: "R-1" },
          ],
        },
      ]),
    }),
  });
  return slack.messages(C).at(-1)!;
};

describe("a response URL", () => {
  test("answers the one person unless told to speak to the channel, member or not", async () => {
    const url = await asked("C0RANDOM");
    expect(await post(url, { text: "only you" })).toEqual([200, "ok"]);
    expect(await post(url, { text: "everybody", response_type: "in_channel" })).toEqual([200, "ok"]);
    expect(slack.ephemerals("U0OPERATOR").map(slack.renderText)).toEqual(["only you"]);
    expect(slack.messages("C0RANDOM").map(slack.renderText)).toEqual(["everybody"]);
  });

  test("takes five posts, then 404", async () => {
    const url = await asked();
    for (let i = 0; i < 5; i += 1) expect((await post(url, { text: `${i}` }))[0]).toBe(200);
    expect(await post(url, { text: "6" })).toEqual([404, '{"ok":false,"error":"used_url"}']);
    expect(slack.violations()).toMatchObject([{ where: "response_url", error: "used_url" }]);
  });

  test("lives thirty minutes, and an invented one never did", async () => {
    const url = await asked();
    clock.pass(30 * 60_000);
    expect((await post(url, { text: "just in time" }))[0]).toBe(200);
    clock.pass(1);
    expect(await post(url, { text: "late" })).toEqual([404, '{"ok":false,"error":"expired_url"}']);
    expect((await post(`${slack.url}/response/R0`, { text: "x" }))[0]).toBe(404);
  });

  test.each<[string, unknown]>([
    ["no words", {}],
    [
      "too long a section",
      { text: "x", blocks: [{ type: "section", text: { type: "mrkdwn", text: "x".repeat(3_001) } }] },
    ],
    ["too many blocks", { text: "x", blocks: Array.from({ length: 51 }, () => ({ type: "divider" })) }],
    ["too long a text", { text: "x".repeat(40_001) }],
    ["no such response type", { text: "x", response_type: "shout" }],
    ["not a message", [1]],
  ])("refuses %s and says so in the violations", async (_, body) => {
    const url = await asked();
    expect((await post(url, body))[0]).toBe(400);
    expect(slack.violations()).toMatchObject([{ where: "response_url", error: "invalid_blocks" }]);
    expect(slack.ephemerals("U0OPERATOR")).toEqual([]);
  });

  test("replaces and deletes the message that was clicked", async () => {
    const message = await botMessage();
    const { responseUrl } = await slack.click({ user: "U0APPROVER", message, actionId: "go" });
    await post(responseUrl, { text: "approved", replace_original: true });
    expect(slack.messages(C).map(slack.renderText)).toEqual(["approved"]);
    expect(slack.edits(C, message.ts)).toHaveLength(1);
    await post(responseUrl, { delete_original: true });
    expect(slack.messages(C)).toEqual([]);
    expect((await post(responseUrl, { text: "again", replace_original: true }))[0]).toBe(200);
  });

  test("replaces its own first answer to a command", async () => {
    const url = await asked();
    await post(url, { text: "looking" });
    await post(url, { text: "found", replace_original: true });
    expect(slack.ephemerals("U0OPERATOR").map(slack.renderText)).toEqual(["found"]);
  });

  test("of a click on an ephemeral message replaces and deletes that message", async () => {
    const first = await asked();
    const elements = [
      { type: "button", action_id: "more", text: { type: "plain_text", text: "More" }, value: "1" },
    ];
    await post(first, { text: "denied", blocks: [{ type: "actions", elements }] });
    const [message] = slack.ephemerals("U0OPERATOR");
    const act = await slack.click({ user: "U0OPERATOR", message: message!, actionId: "more" });
    expect(act.payload.body).toMatchObject({ container: { is_ephemeral: true } });
    expect(act.payload.body).not.toHaveProperty("message");
    await post(act.responseUrl, { text: "who could: approver", replace_original: true });
    expect(slack.ephemerals("U0OPERATOR").map(slack.renderText)).toEqual(["who could: approver"]);
    await post(act.responseUrl, { delete_original: true });
    expect(slack.ephemerals("U0OPERATOR")).toEqual([]);
  });

  test("a message somebody else deleted cannot be replaced", async () => {
    const message = await botMessage();
    const one = await slack.click({ user: "U0APPROVER", message, actionId: "go" });
    const two = await slack.click({ user: "U0OPERATOR", message, actionId: "go" });
    await post(one.responseUrl, { delete_original: true });
    expect((await post(two.responseUrl, { text: "x", replace_original: true }))[0]).toBe(404);
  });
});
