import { createHmac } from "node:crypto";
import type { AddressInfo } from "node:net";
import { App, HTTPReceiver, LogLevel } from "@slack/bolt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signature } from "#infra/lab/slack/delivery.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";

let slack: SlackWorkspace;
let app: App;

beforeEach(async () => {
  slack = await startSlackWorkspace();
  const receiver = new HTTPReceiver({
    signingSecret: slack.spec.app.signingSecret,
    logLevel: LogLevel.ERROR,
  });
  app = new App({
    receiver,
    token: slack.spec.app.botToken,
    botId: slack.spec.app.botId,
    botUserId: slack.spec.app.botUserId,
    convoStore: false,
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, timeout: 5_000 },
  });
  const server = await receiver.start({ port: 0, host: "127.0.0.1" } as never);
  const { port } = server.address() as AddressInfo;
  slack.setRequestUrl(`http://127.0.0.1:${port}/slack/events`);
});

afterEach(async () => {
  await app.stop();
  await slack.close();
});

test("the signature is the documented HMAC", () => {
  const by = createHmac("sha256", "secret").update("v0:1700000000:a=b&c=d").digest("hex");
  expect(signature("secret", 1_700_000_000, "a=b&c=d")).toBe(`v0=${by}`);
});

test("a slash command reaches a real Bolt app and its ack is shown to the typist alone", async () => {
  app.command("/arping", async ({ ack, command, client }) => {
    await ack(`asked: ${command.text}`);
    await client.chat.postMessage({ channel: command.channel_id, text: "OK  goldentooth · httpbin" });
  });
  const act = await slack.command({
    user: "U0OPERATOR",
    channel: "C0PLATFORM",
    command: "/arping",
    text: "httpbin --count 3",
  });
  expect(act.deliveries[0]).toMatchObject({ outcome: "acked", status: 200 });
  expect(slack.ephemerals("U0OPERATOR").map((message) => message.text)).toEqual(["asked: httpbin --count 3"]);
  await expect
    .poll(() => slack.messages("C0PLATFORM").map((message) => message.text))
    .toEqual(["OK  goldentooth · httpbin"]);
  expect(slack.violations()).toEqual([]);
});

test("a wrong signature is refused by the app and the person sees Slack's own error", async () => {
  const act = await slack.command({
    user: "U0OPERATOR",
    channel: "C0PLATFORM",
    command: "/arping",
    text: "httpbin",
    signature: "wrong",
  });
  expect(act.deliveries[0]).toMatchObject({ outcome: "refused", status: 401 });
  expect(act.shown[0]).toMatchObject({
    fromSlack: true,
    text: '/arping failed with the error "dispatch_failed"',
  });
});
