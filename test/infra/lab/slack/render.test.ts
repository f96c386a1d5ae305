import { expect, test } from "vitest";
import { elementsOf } from "#infra/lab/slack/elements.ts";
import type { JsonObject } from "#infra/lab/slack/message.ts";
import { readBlocks, readMrkdwn } from "#infra/lab/slack/render.ts";

const nameOf = (id: string) => ({ U1: "ada", S1: "approvers", C1: "platform" })[id];
const plain = (text: string) => ({ type: "plain_text", text });
const mrkdwn = (text: string) => ({ type: "mrkdwn", text });
const rich = (...elements: JsonObject[]) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements }],
});

test.each<[string, string]>([
  ["<@U1> and <!subteam^S1> in <#C1>", "@ada and @approvers in #platform"],
  ["<!channel>", "@channel"],
  ["<https://a.net|docs> <https://b.net>", "docs https://b.net"],
  ["a &lt;b&gt; &amp;amp;", "a <b> &amp;"],
])("%s reads as %s", (wire, read) => {
  expect(readMrkdwn(wire, nameOf)).toBe(read);
});

const cell = (text: string) => ({ type: "raw_text", text });

test.each<[string, JsonObject, string]>([
  ["header", { type: "header", text: plain("CONFLICT") }, "CONFLICT"],
  [
    "section",
    {
      type: "section",
      text: mrkdwn("one"),
      fields: [mrkdwn("two")],
      accessory: { type: "button", text: plain("Why") },
    },
    "one\ntwo\n[Why]",
  ],
  ["context", { type: "context", elements: [mrkdwn("R-1"), plain("plan 7c1e")] }, "R-1 · plan 7c1e"],
  [
    "actions",
    {
      type: "actions",
      elements: [
        { type: "button", text: plain("Approve") },
        { type: "button", text: plain("Hold") },
      ],
    },
    "[Approve]  [Hold]",
  ],
  ["divider", { type: "divider" }, "---"],
  ["image", { type: "image", alt_text: "a chart" }, "[image: a chart]"],
  [
    "table",
    {
      type: "table",
      rows: [
        [cell("node"), cell("nic")],
        [cell("karstark"), rich({ type: "text", text: "eth0" })],
      ],
    },
    "node | nic\nkarstark | eth0",
  ],
  [
    "data_table",
    { type: "data_table", caption: "NICs", rows: [[cell("n")], [{ type: "raw_number", value: 3 }]] },
    "NICs\nn\n3",
  ],
  [
    "plan",
    {
      type: "plan",
      title: "bgp-to-l2",
      tasks: [
        {
          type: "task_card",
          title: "Survey",
          status: "complete",
          output: rich({ type: "text", text: "14 findings" }),
        },
      ],
    },
    "bgp-to-l2\ncomplete  Survey\n  14 findings",
  ],
  [
    "container",
    { type: "container", title: plain("Evidence"), child_blocks: [{ type: "section", text: plain("line") }] },
    "Evidence\n  line",
  ],
  [
    "rich text",
    {
      type: "rich_text",
      elements: [
        {
          type: "rich_text_section",
          elements: [
            { type: "user", user_id: "U1" },
            { type: "text", text: " says" },
          ],
        },
        {
          type: "rich_text_list",
          style: "ordered",
          elements: [{ type: "rich_text_section", elements: [{ type: "text", text: "first" }] }],
        },
        { type: "rich_text_preformatted", elements: [{ type: "text", text: "a  b" }] },
      ],
    },
    "@ada says\n1. first\na  b",
  ],
  ["an unknown block", { type: "video" }, "[video]"],
])("%s reads as a person reads it", (_, block, read) => {
  expect(readBlocks([block], nameOf)).toBe(read);
});

test("elements are found in sections, actions and containers, in reading order, images left out", () => {
  const button = (id: string) => ({ type: "button", action_id: id, text: plain(id) });
  const found = elementsOf([
    { type: "section", block_id: "a", accessory: button("one") },
    { type: "section", accessory: { type: "image", alt_text: "x" } },
    {
      type: "container",
      child_blocks: [{ type: "actions", block_id: "b", elements: [button("two"), button("three")] }],
    },
  ]);
  expect(found.map((element) => [element.blockId, element.actionId, element.label])).toEqual([
    ["a", "one", "one"],
    ["b", "two", "two"],
    ["b", "three", "three"],
  ]);
});
