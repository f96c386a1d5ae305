import { createHmac } from "node:crypto";
import type { AddressInfo } from "node:net";
import { App, HTTPReceiver, LogLevel } from "@slack/bolt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signature } from "#infra/lab/slack/delivery.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { personIn } from "#test/build/slack-person.ts";

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

test("a stamp older than five minutes is refused by the app", async () => {
  const act = await slack.command({
    user: "U0OPERATOR",
    channel: "C0PLATFORM",
    command: "/arping",
    text: "httpbin",
    stampSkewMs: -301_000,
  });
  expect(act.deliveries[0]).toMatchObject({ outcome: "refused", status: 401 });
});

test("clicks, message shortcuts, modals and mentions reach a real Bolt app", async () => {
  app.command("/migrate", async ({ ack, client, body }) => {
    await ack({
      response_type: "in_channel",
      text: "step 5 waits",
      blocks: [
        {
          type: "actions",
          elements: [
            { type: "button", action_id: "go", text: { type: "plain_text", text: "Approve" }, value: "R-1" },
          ],
        },
      ],
    });
    await client.views.open({
      trigger_id: body.trigger_id,
      view: {
        type: "modal",
        callback_id: "confirm",
        title: { type: "plain_text", text: "Confirm" },
        blocks: [{ type: "section", text: { type: "mrkdwn", text: "Type the cluster" } }],
      },
    });
  });
  app.action("go", async ({ ack, respond, body }) => {
    await ack();
    await respond({ replace_original: true, text: `approved by <@${body.user.id}>` });
  });
  app.shortcut("next-step", async ({ ack, respond }) => {
    await ack();
    await respond("step 6 is next");
  });
  app.view("confirm", async ({ ack }) =>
    ack({ response_action: "errors", errors: { a: "not that cluster" } }),
  );
  const retries: (number | undefined)[] = [];
  app.event("app_mention", async ({ client, event, context }) => {
    retries.push(context.retryNum);
    await client.reactions
      .add({ channel: event.channel, timestamp: event.ts, name: "eyes" })
      .catch(() => undefined);
  });

  const operator = personIn(slack, { user: "U0OPERATOR", channel: "C0PLATFORM" });
  const [message] = (await operator.types("/migrate next")).shown;
  const view = await slack.waitFor(() => slack.views()[0], 2_000, "a modal");
  expect(slack.renderView(view)).toBe("Type the cluster");
  const submitted = await slack.submit({ user: "U0OPERATOR", viewId: view.id });
  expect(submitted.deliveries[0]?.ack).toEqual({
    response_action: "errors",
    errors: { a: "not that cluster" },
  });

  await personIn(slack, { user: "U0APPROVER", channel: "C0PLATFORM" }).presses("Approve", message!);
  await operator.waitsFor("approved by @approver");
  await slack.shortcut({ user: "U0OPERATOR", message: message!, callbackId: "next-step" });
  await operator.waitsFor("step 6 is next");
  const mentioned = await slack.mention({
    user: "U0OPERATOR",
    channel: "C0PLATFORM",
    text: "next",
    redeliver: 1,
  });
  await slack.waitFor(() => retries.length === 2, 2_000, "two deliveries");
  expect(mentioned.deliveries.map((delivery) => delivery.status)).toEqual([200, 200]);
  expect(retries).toEqual([undefined, 1]);
  expect(slack.violations().filter((v) => v.error !== "already_reacted")).toEqual([]);
});
