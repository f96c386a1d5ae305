import fc from "fast-check";
import { expect, test } from "vitest";
import { httpBody } from "#infra/lab/slack/delivery.ts";
import { slackRewrites } from "#infra/lab/slack/events.ts";
import { page } from "#infra/lab/slack/method.ts";
import { readMrkdwn } from "#infra/lab/slack/render.ts";
import { readCall } from "#infra/lab/slack/server.ts";

const typed = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        "a.goldentooth.net",
        "https://x.io/a?b=1&c",
        "<b>",
        "&amp;",
        "10.4.11.1",
        "--from",
        "a<b.com",
      ),
    ),
  )
  .map((words) => words.join(" "))
  .filter((text) => !/<[@#!]/.test(text));

test("whatever Slack rewrites reads as it was typed", () => {
  fc.assert(
    fc.property(typed, (text) => {
      expect(readMrkdwn(slackRewrites(text), () => undefined)).toBe(text);
    }),
  );
});

test("a form carries any argument, JSON-encoded or plain, to the method", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
      const sent = httpBody({ kind: "slash_commands", body: { text, nothing: undefined } });
      const { args, token } = await readCall({
        method: "POST",
        path: "/api/api.test",
        query: new URLSearchParams(),
        contentType: sent.contentType,
        authorization: "Bearer xoxb-1",
        body: Buffer.from(sent.body),
      });
      expect([args, token]).toEqual([{ text }, "xoxb-1"]);
    }),
  );
});

test("pages join up to the whole list, whatever their size", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 7 }), (items, limit) => {
      const read: number[] = [];
      let cursor: string | undefined;
      do {
        const next = page(items, limit, cursor);
        expect(next.items.length).toBeLessThanOrEqual(limit);
        read.push(...next.items);
        cursor = next.next;
      } while (cursor !== "");
      expect(read).toEqual(items);
    }),
  );
});
