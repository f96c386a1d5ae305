import { describe, expect, test } from "vitest";
import { rateLimits, type Tier } from "#infra/lab/slack/rate-limits.ts";
import { labWorkspace } from "#infra/lab/slack/spec.ts";
import { startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { stoppedClock } from "./stopped-clock.ts";

describe("tiers", () => {
  test.each<[Tier, number]>([
    [2, 22],
    [3, 55],
    [4, 110],
  ])("tier %s takes %i calls in a minute, then says how long to wait", (tier, most) => {
    const clock = stoppedClock();
    const take = rateLimits(clock);
    for (let i = 0; i < most; i += 1) expect(take("m", tier, undefined)).toBe(0);
    clock.pass(20_000);
    expect(take("m", tier, undefined)).toBe(40);
    expect(take("another method", tier, undefined)).toBe(0);
    clock.pass(39_000);
    expect(take("m", tier, undefined)).toBe(1);
    clock.pass(1_000);
    expect(take("m", tier, undefined)).toBe(0);
  });

  test("each channel takes a burst of five, then one a second", () => {
    const clock = stoppedClock();
    const take = rateLimits(clock);
    for (let i = 0; i < 5; i += 1) expect(take("chat.postMessage", "per-channel", "C1")).toBe(0);
    expect(take("chat.postMessage", "per-channel", "C1")).toBe(1);
    expect(take("chat.postMessage", "per-channel", "C2")).toBe(0);
    clock.pass(1_000);
    expect(take("chat.postMessage", "per-channel", "C1")).toBe(0);
    expect(take("chat.postMessage", "per-channel", "C1")).toBe(1);
  });
});

test("over HTTP a limit is a 429 with Retry-After, and a violation for what was to be shown", async () => {
  const clock = stoppedClock();
  const slack = await startSlackWorkspace({ clock });
  const call = (method: string, args: Record<string, string>) =>
    fetch(`${slack.apiUrl}${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${slack.spec.app.botToken}` },
      body: new URLSearchParams(args),
    });
  for (let i = 0; i < 5; i += 1)
    await call("chat.postMessage", { channel: i % 2 === 0 ? "C0DNS" : "#dns-drift", text: `${i}` });
  const refused = await call("chat.postMessage", { channel: "C0DNS", text: "too much" });
  expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
    429,
    "1",
    { ok: false, error: "ratelimited" },
  ]);
  for (let i = 0; i < 22; i += 1) await call("usergroups.list", {});
  expect((await call("usergroups.list", {})).headers.get("retry-after")).toBe("60");
  expect(slack.messages("C0DNS")).toHaveLength(5);
  expect(slack.violations().map((v) => [v.where, v.error])).toEqual([["chat.postMessage", "ratelimited"]]);
  await slack.close();
});

test("methods sit in the tiers Slack publishes", async () => {
  const clock = stoppedClock();
  const slack = await startSlackWorkspace({ clock, workspace: { app: { ...labWorkspace.app } } });
  const countUntil429 = async (
    method: string,
    args: Record<string, string> = {},
    token = slack.spec.app.botToken,
  ) => {
    for (let count = 0; count < 200; count += 1) {
      const response = await fetch(`${slack.apiUrl}${method}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: new URLSearchParams(args),
      });
      await response.text();
      if (response.status === 429) return count;
    }
    return "never";
  };
  expect(await countUntil429("usergroups.users.list", { usergroup: "S0APPROVERS" })).toBe(22);
  expect(await countUntil429("chat.update", { channel: "C0DNS", ts: "1.1", text: "x" })).toBe(55);
  expect(await countUntil429("conversations.info", { channel: "C0DNS" })).toBe(55);
  expect(await countUntil429("users.info", { user: "U0VIEWER" })).toBe(110);
  expect(await countUntil429("apps.connections.open", {}, slack.spec.app.appToken)).toBe(55);
  await slack.close();
});
