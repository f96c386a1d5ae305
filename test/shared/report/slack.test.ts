import { describe, expect, it } from "vitest";
import type { Reply } from "#shared/reply.ts";
import { renderSlack } from "#shared/report/slack.ts";
import { actionOf, slackActionId } from "#shared/report/slack-actions.ts";
import { checkMessage } from "#shared/report/slack-limits.ts";
import { renderSlackPlain } from "#shared/report/slack-plain.ts";
import { text } from "#shared/text.ts";
import { asRead } from "./read-slack.ts";
import { replies } from "./replies.ts";

const names = Object.keys(replies) as (keyof typeof replies)[];

describe("a message in Slack", () => {
  it.each(names)("%s reads so", (name) => {
    const message = renderSlack(replies[name]);
    expect(checkMessage(message)).toEqual([]);
    expect(asRead(message)).toMatchSnapshot();
  });

  it.each(names)("%s reads so where the usual blocks are refused", (name) => {
    const message = renderSlackPlain(replies[name]);
    expect(checkMessage(message)).toEqual([]);
    for (const { type } of message.blocks) expect(["section", "actions"]).toContain(type);
    expect(asRead(message)).toMatchSnapshot();
  });

  it("lets nothing that a host wrote mention anybody", () => {
    for (const message of [renderSlack(replies.hostile), renderSlackPlain(replies.hostile)]) {
      expect(message.text).toMatch(/&lt;!channel&gt;/);
      expect(message.text).not.toMatch(/<[!@#]/);
      expect(JSON.stringify(message)).not.toMatch(/"(user|usergroup|broadcast|channel|link)"/);
    }
    const sections = renderSlackPlain(replies.hostile).blocks.filter((block) => block.type === "section");
    for (const section of sections) {
      expect(section.text?.text).not.toMatch(/<[!@#]/);
      // A fence is opened and closed by us alone.
      expect((section.text?.text.match(/```/g) ?? []).length % 2).toBe(0);
    }
  });

  it("makes controls visible and sends none", () => {
    const said =
      JSON.stringify(renderSlack(replies.hostile)) + JSON.stringify(renderSlackPlain(replies.hostile));
    expect(said).toContain("␛[2J");
    expect(said).toContain("\\\\u{202e}");
    expect(said).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|\\u00[01]/);
  });

  const base: Reply = { ...replies.ok, blocks: [], findings: [], actions: [] };

  it("carries the rows beyond a hundred in a file with all of them, and says how many", () => {
    const rows = Array.from({ length: 250 }, (_, i) => [text`row-${i}`, text`x`]);
    const message = renderSlack({
      ...base,
      blocks: [{ kind: "table", title: "Records", columns: [{ title: "a" }, { title: "b" }], rows }],
    });
    expect(checkMessage(message)).toEqual([]);
    expect(asRead({ ...message, files: [] })).toContain("151 more rows in records.txt");
    expect(message.files).toHaveLength(1);
    for (let i = 0; i < 250; i++) expect(message.files[0]?.content).toMatch(new RegExp(`^row-${i} `, "m"));
  });

  it("puts a second table as first lines and a file", () => {
    const table = (title: string) =>
      ({
        kind: "table",
        title,
        columns: [{ title: "name" }, { title: "value" }],
        rows: Array.from({ length: 9 }, (_, i) => [text`${title}-${i}`, text`${i}`]),
      }) as const;
    const message = renderSlack({ ...base, blocks: [table("one"), table("two")] });
    expect(checkMessage(message)).toEqual([]);
    expect(message.blocks.filter((block) => block.type === "table")).toHaveLength(1);
    const read = asRead({ ...message, files: [] });
    expect(read).toContain("| two-4  4");
    expect(read).not.toContain("two-5");
    expect(read).toContain("two: 4 more rows, all in two.txt");
    expect(message.files[0]?.content).toContain("two-8");
  });

  it("shows a small second table whole", () => {
    const table = { kind: "table", columns: [{ title: "a" }], rows: [[text`1`], [text`2`]] } as const;
    const message = renderSlack({ ...base, blocks: [table, table] });
    expect(message.files).toEqual([]);
    expect(asRead(message)).toContain("  | a\n  | 1\n  | 2");
  });

  it("says that columns beyond twenty are in the file", () => {
    const columns = Array.from({ length: 23 }, (_, i) => ({ title: `c${i}` }));
    const message = renderSlack({
      ...base,
      blocks: [
        { kind: "table", title: "Wide", columns, rows: [columns.map(({ title }) => text`v-${title}`)] },
      ],
    });
    expect(checkMessage(message)).toEqual([]);
    expect(asRead(message)).toContain("3 more columns in wide.txt");
    expect(message.files[0]?.content).toContain("v-c22");
  });

  it("folds long evidence, counts what is missing and attaches all of it", () => {
    const lines = Array.from(
      { length: 500 },
      (_, i) => `14:02:11.${String(i).padStart(3, "0")} who-has 10.4.11.1`,
    );
    const message = renderSlack({ ...base, blocks: [{ kind: "evidence", title: "tcpdump", lines }] });
    expect(checkMessage(message)).toEqual([]);
    const shown = asRead({ ...message, files: [] }).match(/who-has/g)?.length ?? 0;
    expect(shown).toBeGreaterThan(50);
    expect(asRead(message)).toContain(`${500 - shown} more lines in tcpdump.txt`);
    for (const line of lines) expect(message.files[0]?.content).toContain(line);
  });

  it("carries an image as a file and says what it shows", () => {
    const png = new Uint8Array([137, 80, 78, 71]);
    const message = renderSlack({
      ...base,
      blocks: [{ kind: "image", title: "Timeline", alt: "two gaps", png }],
    });
    expect(asRead(message)).toMatch(
      /Picture below: Timeline \(timeline\.png\)[\s\S]*Timeline, in words\n[ |]+two gaps/,
    );
    expect(message.files).toEqual([{ filename: "timeline.png", title: "Timeline", content: png }]);
  });

  it("leaves what does not fit any more to files and names them", () => {
    const lines = Array.from({ length: 80 }, (_, i) => `line ${i} of some evidence that is long`);
    const blocks = Array.from(
      { length: 60 },
      (_, i) => ({ kind: "evidence", title: `Part ${i}`, lines }) as const,
    );
    for (const render of [renderSlack, renderSlackPlain]) {
      const message = render({ ...base, blocks, next: [text`go on`], actions: replies.migration.actions });
      expect(checkMessage(message)).toEqual([]);
      expect(message.files.map((file) => file.filename)).toContain("part-59.txt");
      expect(asRead({ ...message, files: [] })).toMatch(/More in files: |part-59\.txt/);
      expect(message.blocks.at(-1)?.type).toBe("actions");
    }
  });

  it("keeps a verdict that is too long whole in a file", () => {
    const long = "every word counts ".repeat(400).trim();
    const message = renderSlack({ ...base, verdict: { ...base.verdict, text: [long] } });
    expect(checkMessage(message)).toEqual([]);
    expect(message.text.length).toBeLessThanOrEqual(3_000);
    expect(message.text.endsWith("…")).toBe(true);
    expect(message.files.find((file) => file.filename === "verdict.txt")?.content).toContain(long);
  });

  it("says the outcome in one line of text, whatever the verdict's lines", () => {
    const message = renderSlack({ ...base, verdict: { ...base.verdict, text: text`two\nlines` } });
    expect(message.text).toBe("✓ OK  goldentooth · two lines");
  });

  it("never cuts inside an entity or a mention", () => {
    for (let pad = 2_960; pad < 3_000; pad++) {
      const verdict = {
        word: "",
        outcome: "info",
        text: [`${"a".repeat(pad)}<<<<<&&&&`, { person: { name: "x", slack: "U0X" } }],
      } as const;
      const { text: said } = renderSlack({ ...base, verdict });
      expect(said.replace(/&(amp|lt|gt);|<@U0X>/g, "")).not.toMatch(/[&<>;]/);
    }
  });

  it("offers three buttons, names the others and keeps ids apart", () => {
    const actions = ["a", "a", "b", "c"].map((id, i) => ({ id, label: `Do ${i}`, value: `${i}` }));
    const message = renderSlack({ ...base, actions });
    expect(checkMessage(message)).toEqual([]);
    const read = asRead(message);
    expect(read).toContain("[Do 0] arpeggio:a\n[Do 1] arpeggio:a#2\n[Do 2] arpeggio:b");
    expect(read).toContain("1 more choice without a button here: Do 3");
  });

  it("says a long confirmation in the message, where it has room", () => {
    const confirm = `Deletes these: ${"record ".repeat(50)}`;
    const message = renderSlack({ ...base, actions: [{ id: "a", label: "Delete", value: "v", confirm }] });
    expect(checkMessage(message)).toEqual([]);
    expect(asRead(message)).toContain(`Delete: ${confirm.trim()}`.slice(0, 350));
  });

  it("offers no button whose value Slack would refuse, and says so", () => {
    const message = renderSlack({ ...base, actions: [{ id: "a", label: "Go", value: "x".repeat(2_001) }] });
    expect(checkMessage(message)).toEqual([]);
    expect(asRead(message)).toContain("1 more choice without a button here: Go");
  });
});

describe("slackActionId", () => {
  it("goes there and back", () => {
    expect(actionOf(slackActionId("probe-again"))).toBe("probe-again");
    expect(actionOf(slackActionId("probe-again", 2))).toBe("probe-again");
    expect(actionOf("other:probe")).toBeUndefined();
  });
});
