import { describe, expect, it } from "vitest";
import { checkMessage } from "#shared/report/slack-limits.ts";

const x = (n: number): string => "x".repeat(n);
const plain = (text: string) => ({ type: "plain_text", text });
const mrkdwn = (text: string) => ({ type: "mrkdwn", text });
const rich = (text: string) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }],
});
const section = (text: string) => ({ type: "section", text: mrkdwn(text) });
const button = (changes: Record<string, unknown> = {}) => ({
  type: "button",
  action_id: "a",
  text: plain("Go"),
  ...changes,
});
const buttons = (n: number) => Array.from({ length: n }, (_, i) => button({ action_id: `a${i}` }));
const actions = (...elements: unknown[]) => ({ type: "actions", elements });
const confirm = (changes: Record<string, unknown>) =>
  actions(
    button({
      confirm: { title: plain("t"), text: plain("t"), confirm: plain("y"), deny: plain("n"), ...changes },
    }),
  );
const cells = (rows: number, columns: number, text = "x") =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => ({ type: "raw_text", text })));
const table = (rows: unknown, more: Record<string, unknown> = {}) => ({ type: "table", rows, ...more });
const dataTable = (changes: Record<string, unknown> = {}) => ({
  type: "data_table",
  caption: "c",
  rows: cells(2, 2),
  ...changes,
});
const container = (changes: Record<string, unknown> = {}) => ({
  type: "container",
  title: plain("t"),
  child_blocks: [rich("x")],
  ...changes,
});
const many = (n: number, item: unknown) => Array.from({ length: n }, () => item);
const card = (changes: Record<string, unknown> = {}) => ({ type: "card", title: mrkdwn("t"), ...changes });
const task = (changes: Record<string, unknown> = {}) => ({
  type: "task_card",
  task_id: "t1",
  title: "t",
  status: "pending",
  ...changes,
});
const option = (changes: Record<string, unknown> = {}) => ({ text: plain("o"), value: "v", ...changes });
const select = (options: unknown) => actions({ type: "static_select", action_id: "a", options });
const list = (indent: number) => ({
  type: "rich_text",
  elements: [
    {
      type: "rich_text_list",
      style: "bullet",
      indent,
      elements: [{ type: "rich_text_section", elements: [{ type: "text", text: "x" }] }],
    },
  ],
});
const leaf = (element: unknown) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements: [element] }],
});

const blocks = (...given: unknown[]) => ({ text: "t", blocks: given });

/** Each limit: the last message Slack takes, the first it refuses, and how the refusal reads. */
const limits: readonly (readonly [string, object, object, string])[] = [
  ["text is there", { text: "t" }, {}, "text: is missing"],
  ["text has a character", { text: "t" }, { text: "" }, "text: is empty"],
  ["text 4,000", { text: x(4_000) }, { text: x(4_001) }, "text: has 4001 characters, at most 4000 allowed"],
  [
    "50 blocks",
    blocks(...many(50, { type: "divider" })),
    blocks(...many(51, { type: "divider" })),
    "blocks: has 51",
  ],
  [
    "attachments 100",
    { text: "t", attachments: many(100, {}) },
    { text: "t", attachments: many(101, {}) },
    "attachments: has 101",
  ],
  [
    "section text 3,000",
    blocks(section(x(3_000))),
    blocks(section(x(3_001))),
    "blocks[0].text.text: has 3001",
  ],
  ["section text min 1", blocks(section("x")), blocks(section("")), "blocks[0].text.text: is empty"],
  ["section needs text or fields", blocks(section("x")), blocks({ type: "section" }), "needs text or fields"],
  [
    "section fields 10",
    blocks({ type: "section", fields: many(10, mrkdwn("x")) }),
    blocks({ type: "section", fields: many(11, mrkdwn("x")) }),
    "blocks[0].fields: has 11",
  ],
  [
    "section field 2,000",
    blocks({ type: "section", fields: [mrkdwn(x(2_000))] }),
    blocks({ type: "section", fields: [mrkdwn(x(2_001))] }),
    "fields[0].text: has 2001",
  ],
  [
    "text object type",
    blocks(section("x")),
    blocks({ type: "section", text: { type: "html", text: "x" } }),
    "blocks[0].text.type",
  ],
  [
    "text object fields",
    blocks(section("x")),
    blocks({ type: "section", text: { ...mrkdwn("x"), emoji: true } }),
    "blocks[0].text.emoji",
  ],
  [
    "header 150",
    blocks({ type: "header", text: plain(x(150)) }),
    blocks({ type: "header", text: plain(x(151)) }),
    "blocks[0].text.text: has 151",
  ],
  [
    "header is plain",
    blocks({ type: "header", text: plain("x") }),
    blocks({ type: "header", text: mrkdwn("x") }),
    "expected one of plain_text",
  ],
  [
    "context 10",
    blocks({ type: "context", elements: many(10, mrkdwn("x")) }),
    blocks({ type: "context", elements: many(11, mrkdwn("x")) }),
    "blocks[0].elements: has 11",
  ],
  [
    "actions 25",
    blocks(actions(...buttons(25))),
    blocks(actions(...buttons(26))),
    "blocks[0].elements: has 26",
  ],
  ["actions min 1", blocks(actions(button())), blocks(actions()), "blocks[0].elements: has 0"],
  [
    "action ids differ in a block",
    blocks(actions(...buttons(2))),
    blocks(actions(button(), button())),
    "action_id a appears twice",
  ],
  [
    "action ids may repeat in another block",
    blocks(actions(button()), actions(button())),
    blocks(actions({ type: "text" })),
    "text is not allowed here",
  ],
  [
    "context_actions 5",
    blocks({
      type: "context_actions",
      elements: Array.from({ length: 5 }, (_, i) => ({
        type: "icon_button",
        action_id: `${i}`,
        icon: "trash",
        text: plain("x"),
      })),
    }),
    blocks({
      type: "context_actions",
      elements: Array.from({ length: 6 }, (_, i) => ({
        type: "icon_button",
        action_id: `${i}`,
        icon: "trash",
        text: plain("x"),
      })),
    }),
    "elements: has 6",
  ],
  [
    "button text 75",
    blocks(actions(button({ text: plain(x(75)) }))),
    blocks(actions(button({ text: plain(x(76)) }))),
    "text.text: has 76",
  ],
  [
    "button value 2,000",
    blocks(actions(button({ value: x(2_000) }))),
    blocks(actions(button({ value: x(2_001) }))),
    "value: has 2001",
  ],
  [
    "button value min 1",
    blocks(actions(button({ value: "x" }))),
    blocks(actions(button({ value: "" }))),
    "value: is empty",
  ],
  [
    "button url 3,000",
    blocks(actions(button({ url: `https://${x(2_992)}` }))),
    blocks(actions(button({ url: `https://${x(2_993)}` }))),
    "url: has 3001",
  ],
  [
    "button url scheme",
    blocks(actions(button({ url: "https://a" }))),
    blocks(actions(button({ url: "javascript:x" }))),
    "must be an http",
  ],
  [
    "button label 75",
    blocks(actions(button({ accessibility_label: x(75) }))),
    blocks(actions(button({ accessibility_label: x(76) }))),
    "accessibility_label: has 76",
  ],
  [
    "button style",
    blocks(actions(button({ style: "danger" }))),
    blocks(actions(button({ style: "safe" }))),
    "expected one of primary, danger",
  ],
  [
    "button fields",
    blocks(actions(button())),
    blocks(actions(button({ colour: "red" }))),
    "colour: is not a field",
  ],
  [
    "action_id 255",
    blocks(actions(button({ action_id: x(255) }))),
    blocks(actions(button({ action_id: x(256) }))),
    "action_id: has 256",
  ],
  [
    "block_id 255",
    blocks({ type: "divider", block_id: x(255) }),
    blocks({ type: "divider", block_id: x(256) }),
    "block_id: has 256",
  ],
  [
    "block ids differ",
    blocks({ type: "divider", block_id: "a" }, { type: "divider", block_id: "b" }),
    blocks({ type: "divider", block_id: "a" }, { type: "divider", block_id: "a" }),
    "blocks[1].block_id: a is used by blocks[0]",
  ],
  [
    "confirm title 100",
    blocks(confirm({ title: plain(x(100)) })),
    blocks(confirm({ title: plain(x(101)) })),
    "confirm.title.text: has 101",
  ],
  [
    "confirm text 300",
    blocks(confirm({ text: plain(x(300)) })),
    blocks(confirm({ text: plain(x(301)) })),
    "confirm.text.text: has 301",
  ],
  [
    "confirm button 30",
    blocks(confirm({ confirm: plain(x(30)) })),
    blocks(confirm({ confirm: plain(x(31)) })),
    "confirm.confirm.text: has 31",
  ],
  [
    "deny button 30",
    blocks(confirm({ deny: plain(x(30)) })),
    blocks(confirm({ deny: plain(x(31)) })),
    "confirm.deny.text: has 31",
  ],
  ["confirm style", blocks(confirm({ style: "primary" })), blocks(confirm({ style: "x" })), "confirm.style"],
  [
    "options 100",
    blocks(select(many(100, option()))),
    blocks(select(many(101, option()))),
    "options: has 101",
  ],
  [
    "option text 75",
    blocks(select([option({ text: plain(x(75)) })])),
    blocks(select([option({ text: plain(x(76)) })])),
    "text.text: has 76",
  ],
  [
    "option value 75",
    blocks(select([option({ value: x(75) })])),
    blocks(select([option({ value: x(76) })])),
    "value: has 76",
  ],
  [
    "option description 75",
    blocks(select([option({ description: plain(x(75)) })])),
    blocks(select([option({ description: plain(x(76)) })])),
    "description.text: has 76",
  ],
  [
    "overflow 5",
    blocks(actions({ type: "overflow", action_id: "a", options: many(5, option()) })),
    blocks(actions({ type: "overflow", action_id: "a", options: many(6, option()) })),
    "options: has 6",
  ],
  [
    "checkboxes 10",
    blocks(actions({ type: "checkboxes", action_id: "a", options: many(10, option()) })),
    blocks(actions({ type: "checkboxes", action_id: "a", options: many(11, option()) })),
    "options: has 11",
  ],
  [
    "radio 10",
    blocks(actions({ type: "radio_buttons", action_id: "a", options: many(10, option()) })),
    blocks(actions({ type: "radio_buttons", action_id: "a", options: many(11, option()) })),
    "options: has 11",
  ],
  [
    "markdown 12,000 a block",
    blocks({ type: "markdown", text: x(11_300) }),
    blocks({ type: "markdown", text: x(12_001) }),
    "text: has 12001",
  ],
  [
    "markdown 12,000 a message",
    blocks({ type: "markdown", text: x(5_000) }, { type: "markdown", text: x(5_000) }),
    blocks({ type: "markdown", text: x(6_001) }, { type: "markdown", text: x(6_000) }),
    "hold 12001 characters of markdown",
  ],
  [
    "one table a message",
    blocks(table(cells(1, 1))),
    blocks(table(cells(1, 1)), table(cells(1, 1))),
    "blocks[1]: only one table",
  ],
  ["one table family block", blocks(dataTable()), blocks(dataTable(), table(cells(1, 1))), "only one table"],
  [
    "a table in a container counts",
    blocks(container({ child_blocks: [table(cells(1, 1))] })),
    blocks(container({ child_blocks: [table(cells(1, 1))] }), table(cells(1, 1))),
    "only one table",
  ],
  ["table 100 rows", blocks(table(cells(100, 1))), blocks(table(cells(101, 1))), "rows: has 101"],
  ["table 20 columns", blocks(table(cells(1, 20))), blocks(table(cells(1, 21))), "rows[0]: has 21"],
  [
    "table 10,000 characters",
    blocks(table(cells(100, 10, x(10)))),
    blocks(table([...cells(99, 10, x(10)), ...cells(1, 10, x(11))])),
    "holds 10010 characters in its cells",
  ],
  [
    "table cell min 1",
    blocks(table(cells(1, 1))),
    blocks(table(cells(1, 1, ""))),
    "rows[0][0].text: is empty",
  ],
  [
    "table cell type",
    blocks(table([[rich("x")]])),
    blocks(table([[mrkdwn("x")]])),
    "unknown cell type mrkdwn",
  ],
  [
    "table number cell",
    blocks(table([[{ type: "raw_number", value: 1, text: "1" }]])),
    blocks(table([[{ type: "raw_number", value: "1", text: "1" }]])),
    "must be a number",
  ],
  [
    "table settings 20",
    blocks(table(cells(1, 1), { column_settings: many(20, { align: "right" }) })),
    blocks(table(cells(1, 1), { column_settings: many(21, {}) })),
    "column_settings: has 21",
  ],
  [
    "table alignment",
    blocks(table(cells(1, 1), { column_settings: [{ align: "center" }] })),
    blocks(table(cells(1, 1), { column_settings: [{ align: "middle" }] })),
    "expected one of left, center, right",
  ],
  [
    "data_table caption",
    blocks(dataTable()),
    blocks(dataTable({ caption: undefined })),
    "caption: is missing",
  ],
  ["data_table rows 2", blocks(dataTable()), blocks(dataTable({ rows: cells(1, 2) })), "rows: has 1"],
  [
    "data_table rows 101",
    blocks(dataTable({ rows: cells(101, 2) })),
    blocks(dataTable({ rows: cells(102, 2) })),
    "rows: has 102",
  ],
  [
    "data_table page size",
    blocks(dataTable({ page_size: 100 })),
    blocks(dataTable({ page_size: 101 })),
    "page_size: must be 1 to 100",
  ],
  [
    "data_table equal rows",
    blocks(dataTable()),
    blocks(dataTable({ rows: [...cells(1, 2), ...cells(1, 3)] })),
    "must all have the same length",
  ],
  [
    "data_table plain header",
    blocks(dataTable()),
    blocks(dataTable({ rows: [[rich("x")], ...cells(1, 1)] })),
    "header row may not hold rich_text",
  ],
  [
    "container title 150",
    blocks(container({ title: plain(x(150)) })),
    blocks(container({ title: plain(x(151)) })),
    "title.text: has 151",
  ],
  [
    "container needs a title",
    blocks(container({ title: undefined, rich_text_title: rich("x") })),
    blocks(container({ title: undefined })),
    "needs title or rich_text_title",
  ],
  [
    "container rich title 150",
    blocks(container({ rich_text_title: rich(x(150)) })),
    blocks(container({ rich_text_title: rich(x(151)) })),
    "more than 150",
  ],
  [
    "container subtitle 150",
    blocks(container({ subtitle: mrkdwn(x(150)) })),
    blocks(container({ subtitle: mrkdwn(x(151)) })),
    "subtitle.text: has 151",
  ],
  [
    "container 10 children",
    blocks(container({ child_blocks: many(10, rich("x")) })),
    blocks(container({ child_blocks: many(11, rich("x")) })),
    "child_blocks: has 11",
  ],
  [
    "container holds no container",
    blocks(container()),
    blocks(container({ child_blocks: [container()] })),
    "container is not allowed in a container",
  ],
  [
    "container holds no plan",
    blocks(container()),
    blocks(container({ child_blocks: [{ type: "plan", title: "t" }] })),
    "plan is not allowed in a container",
  ],
  ["container width", blocks(container({ width: "full" })), blocks(container({ width: "huge" })), "width"],
  [
    "collapsed needs collapsible",
    blocks(container({ is_collapsible: true, default_collapsed: true })),
    blocks(container({ default_collapsed: true })),
    "requires is_collapsible",
  ],
  [
    "alert is for modals",
    blocks(section("x")),
    blocks({ type: "alert", text: plain("x") }),
    "alert is for modals only",
  ],
  ["unknown block", blocks(section("x")), blocks({ type: "bogus" }), "unknown block type bogus"],
  [
    "no data_visualization",
    blocks(section("x")),
    blocks({ type: "data_visualization" }),
    "unknown block type",
  ],
  [
    "unknown field",
    blocks({ type: "divider" }),
    blocks({ type: "divider", color: "x" }),
    "color: is not a field",
  ],
  [
    "file blocks cannot be sent",
    blocks(section("x")),
    blocks({ type: "file", source: "remote", external_id: "x" }),
    "cannot be sent",
  ],
  [
    "card title 150",
    blocks(card({ title: mrkdwn(x(150)) })),
    blocks(card({ title: mrkdwn(x(151)) })),
    "title.text: has 151",
  ],
  [
    "card body 200",
    blocks(card({ body: mrkdwn(x(200)) })),
    blocks(card({ body: mrkdwn(x(201)) })),
    "body.text: has 201",
  ],
  [
    "card 3 buttons",
    blocks(card({ actions: buttons(3) })),
    blocks(card({ actions: buttons(4) })),
    "actions: has 4",
  ],
  ["card needs content", blocks(card()), blocks({ type: "card" }), "needs hero_image"],
  [
    "carousel 10",
    blocks({ type: "carousel", elements: many(10, card()) }),
    blocks({ type: "carousel", elements: many(11, card()) }),
    "elements: has 11",
  ],
  [
    "plan title",
    blocks({ type: "plan", title: "t", tasks: [task()] }),
    blocks({ type: "plan", tasks: [task()] }),
    "title: is missing",
  ],
  [
    "plan task ids differ",
    blocks({ type: "plan", title: "t", tasks: [task(), task({ task_id: "t2" })] }),
    blocks({ type: "plan", title: "t", tasks: [task(), task()] }),
    "t1 appears twice",
  ],
  [
    "task status",
    blocks(task({ status: "error" })),
    blocks(task({ status: "skipped" })),
    "expected one of pending",
  ],
  [
    "task details are rich text",
    blocks(task({ details: rich("x") })),
    blocks(task({ details: mrkdwn("x") })),
    "must be a rich_text block",
  ],
  [
    "image alt text",
    blocks({ type: "image", image_url: "https://x", alt_text: "a" }),
    blocks({ type: "image", image_url: "https://x" }),
    "alt_text: is missing",
  ],
  [
    "image has one source",
    blocks({ type: "image", slack_file: { id: "F1" }, alt_text: "a" }),
    blocks({ type: "image", alt_text: "a" }),
    "exactly one of",
  ],
  ["rich text leaf min 1", blocks(rich("x")), blocks(rich("")), "text: is empty"],
  ["rich text 3,000", blocks(rich(x(3_000))), blocks(rich(x(3_001))), "at most 3000"],
  [
    "rich text part",
    blocks(rich("x")),
    blocks({ type: "rich_text", elements: [{ type: "rich_text_table" }] }),
    "unknown rich text part",
  ],
  [
    "rich text leaf type",
    blocks(leaf({ type: "user", user_id: "U1" })),
    blocks(leaf({ type: "shout" })),
    "unknown rich text element",
  ],
  [
    "user id",
    blocks(leaf({ type: "user", user_id: "W1" })),
    blocks(leaf({ type: "user", user_id: "operator" })),
    "must be a user id",
  ],
  [
    "group id",
    blocks(leaf({ type: "usergroup", usergroup_id: "S1" })),
    blocks(leaf({ type: "usergroup", usergroup_id: "U1" })),
    "must be a user group id",
  ],
  [
    "link url",
    blocks(leaf({ type: "link", url: "https://a" })),
    blocks(leaf({ type: "link", url: "file:///etc" })),
    "must be an http",
  ],
  ["list indent 8", blocks(list(8)), blocks(list(9)), "indent: must be 0 to 8"],
  [
    "preformatted holds text and links",
    blocks({
      type: "rich_text",
      elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text: "x" }] }],
    }),
    blocks({
      type: "rich_text",
      elements: [{ type: "rich_text_preformatted", elements: [{ type: "user", user_id: "U1" }] }],
    }),
    "user is not allowed here",
  ],
  [
    "all text together",
    blocks(...many(3, rich(x(3_000)))),
    blocks(...many(4, rich(x(3_000)))),
    "hold 12000 characters of text",
  ],
  [
    "metadata is flat",
    { text: "t", metadata: { event_type: "e", event_payload: { a: 1, b: { c: "x" }, d: [{ e: 1 }] } } },
    { text: "t", metadata: { event_type: "e", event_payload: { a: { b: { c: 1 } } } } },
    "metadata.event_payload.a",
  ],
  [
    "metadata names its event",
    { text: "t", metadata: { event_type: "e", event_payload: {} } },
    { text: "t", metadata: { event_payload: {} } },
    "metadata.event_type: is missing",
  ],
];

describe("checkMessage", () => {
  it.each(limits)("%s", (_, fine, refused, problem) => {
    expect(checkMessage(fine)).toEqual([]);
    expect(checkMessage(refused).join("\n")).toContain(problem);
  });

  it("reports every problem at once", () => {
    const problems = checkMessage({
      blocks: [section(""), { type: "bogus" }, actions(button({ text: plain(x(80)) }))],
    });
    expect(problems).toHaveLength(4);
  });

  it.each([[null], ["x"], [7], [[]]])("survives %j where a block should be", (value) => {
    expect(checkMessage({ text: "t", blocks: [value] })).toEqual(["blocks[0]: must be a block"]);
    expect(checkMessage({ text: "t", blocks: value }).length).toBe(Array.isArray(value) ? 0 : 1);
  });

  it.each([
    "section",
    "actions",
    "context",
    "rich_text",
    "table",
    "data_table",
    "container",
    "card",
    "carousel",
    "plan",
    "task_card",
    "image",
    "input",
    "header",
    "video",
    "markdown",
    "context_actions",
  ])("says what an empty %s lacks instead of failing", (type) => {
    const problems = checkMessage({ text: "t", blocks: [{ type }] });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every((problem) => problem.startsWith("blocks[0]"))).toBe(true);
  });
});
