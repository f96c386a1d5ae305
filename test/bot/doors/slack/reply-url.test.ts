import { expect, test } from "vitest";
import { createReplyUrl } from "#bot/doors/slack/reply-url.ts";
import type { SlackApi } from "#shared/adapters/slack-api.ts";

const content = { text: "x", blocks: [], run: "R-1", message: "m", visible: "ephemeral" } as const;

function counted() {
  let now = 0;
  let posts = 0;
  const api = {
    respond: async () => {
      posts += 1;
      return { ok: true, value: undefined };
    },
  } as unknown as SlackApi;
  const url = createReplyUrl(api, "https://hooks.example/x", { now: () => now, sleep: async () => {} });
  return { url, posts: () => posts, later: (ms: number) => (now += ms) };
}

test("a reply address takes five posts, and no sixth is tried", async () => {
  const { url, posts } = counted();
  for (let i = 0; i < 5; i++) expect(await url.respond(content)).toMatchObject({ ok: true });
  expect(url.usable()).toBe(false);
  expect(await url.respond(content)).toMatchObject({
    ok: false,
    trouble: { kind: "refused", error: "used_url" },
  });
  expect(posts()).toBe(5);
});

test("a reply address is not used when its half hour is over", async () => {
  const { url, posts, later } = counted();
  later(29 * 60_000 + 1);
  expect(url.usable()).toBe(false);
  await url.respond(content);
  expect(posts()).toBe(0);
});
