import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Finding } from "#shared/finding.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { width } from "#shared/report/columns.ts";
import { renderJson } from "#shared/report/json.ts";
import { renderMarkdown } from "#shared/report/markdown.ts";
import type { SlackMessage } from "#shared/report/slack.ts";
import { renderSlack } from "#shared/report/slack.ts";
import { checkMessage } from "#shared/report/slack-limits.ts";
import { renderSlackPlain } from "#shared/report/slack-plain.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { cellText } from "#shared/report/text-table.ts";
import { plain } from "#shared/text.ts";

const nasty = fc.constantFrom(
  "<!channel>",
  "<@U1>",
  "```",
  "\u001b[2J",
  "\u202e",
  "&amp;",
  "\n",
  "*",
  "_",
  "日本",
  "👩‍🚀",
  "\u0000",
);
const piece = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  nasty,
  fc.constant("word ".repeat(300)),
);
const words = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(""));
const inline = fc.oneof(
  { weight: 4, arbitrary: words },
  { weight: 2, arbitrary: words.map((code) => ({ code })) },
  { weight: 1, arbitrary: words.map((strong) => ({ strong })) },
  { weight: 1, arbitrary: words.map((strike) => ({ strike })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(words, fc.constantFrom("U0OPER", "S0PLAT", "nonsense", undefined))
      .map(([name, slack]) => ({ person: { name, ...(slack !== undefined && { slack }) } })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        words,
        fc.constantFrom(
          "https://example.org/a?b=c&d=%3C",
          "javascript:alert(1)",
          "",
          `https://${"x".repeat(4_000)}`,
        ),
      )
      .map(([label, url]) => ({ link: url, text: label })),
  },
);
const textOf = fc.array(inline, { maxLength: 3 });

const finding: fc.Arbitrary<Finding> = fc.record(
  {
    code: fc.constant("any"),
    severity: fc.constantFrom("info", "unknown", "warning", "error", "critical"),
    subject: fc.record({ kind: fc.constant("node"), name: words }),
    facts: fc.constant({}),
    text: textOf,
    remedy: textOf,
  },
  { requiredKeys: ["code", "severity", "subject", "facts", "text"] },
);

/** Rows carry a number of their own, so that a lost one is noticed. */
const table = fc
  .record({
    title: fc.option(words, { nil: undefined }),
    columns: fc.array(fc.record({ title: words }), { maxLength: 24 }),
    count: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 95, max: 130 })),
    cells: fc.array(textOf, { maxLength: 3 }),
  })
  .map(
    ({ title, columns, count, cells }): Block => ({
      kind: "table",
      ...(title !== undefined && { title }),
      columns,
      rows: Array.from({ length: count }, (_, i) => [
        [`row#${i}#`],
        ...(i < 5 ? cells : cells.map(() => [`${i}`])),
      ]),
    }),
  );

const block: fc.Arbitrary<Block> = fc.oneof(
  textOf.map((text): Block => ({ kind: "prose", text })),
  table,
  fc
    .array(
      fc.record(
        {
          title: words,
          state: fc.constantFrom("done", "running", "waiting", "pending", "failed", "skipped", "unknown"),
          note: textOf,
        },
        { requiredKeys: ["title", "state"] },
      ),
      { maxLength: 60 },
    )
    .map((steps): Block => ({ kind: "steps", steps })),
  fc.tuple(words, fc.array(words, { maxLength: 30 }), fc.integer({ min: 0, max: 200 })).map(
    ([title, lines, more]): Block => ({
      kind: "evidence",
      title,
      lines: [...lines, ...Array.from({ length: more }, (_, i) => `line#${i}#`)],
    }),
  ),
  fc
    .tuple(words, words)
    .map(([title, alt]): Block => ({ kind: "image", title, alt, png: new Uint8Array([1]) })),
);

const reply: fc.Arbitrary<Reply> = fc.record(
  {
    verdict: fc.record({
      word: words,
      outcome: fc.constantFrom(
        "ok",
        "info",
        "failed",
        "unknown",
        "running",
        "usage",
        "denied",
        "busy",
        "fault",
      ),
      text: textOf,
    }),
    cluster: words,
    why: textOf,
    findings: fc.array(finding, { maxLength: 8 }),
    blocks: fc.array(block, { maxLength: 5 }),
    next: fc.array(textOf, { maxLength: 4 }),
    actions: fc.array(
      fc.record(
        {
          id: fc.constantFrom("probe-again", "approve", "x".repeat(260)),
          label: words,
          value: fc.oneof(words, fc.constant("v".repeat(2_001))),
          style: fc.constantFrom("primary", "danger"),
          confirm: words,
        },
        { requiredKeys: ["id", "label", "value"] },
      ),
      { maxLength: 5 },
    ),
  },
  { requiredKeys: ["verdict", "findings", "blocks", "actions"] },
);

/** Every word of a message and its files. */
const everything = (message: SlackMessage): string =>
  JSON.stringify(message.blocks) +
  message.files.map(({ content }) => (typeof content === "string" ? content : "")).join("\n");

const marks = (given: Reply): string[] =>
  given.blocks.flatMap((one) => {
    if (one.kind === "table") return one.rows.map((row) => cellText(row[0]));
    return one.kind === "evidence" ? one.lines.filter((line) => /^line#\d+#$/.test(line)) : [];
  });

const runs = { numRuns: 30 };

describe("any reply", () => {
  it.each([
    ["usual", renderSlack],
    ["plain", renderSlackPlain],
  ])("is a message that Slack takes, in the %s form, and loses no row", (_, render) => {
    fc.assert(
      fc.property(reply, (given) => {
        const message = render(given);
        expect(checkMessage(message)).toEqual([]);
        const said = everything(message);
        for (const mark of marks(given)) expect(said).toContain(mark);
        // As many pictures as were given, and no two files of one name.
        expect(message.files.filter((file) => typeof file.content !== "string")).toHaveLength(
          given.blocks.filter((one) => one.kind === "image").length,
        );
        expect(new Set(message.files.map((file) => file.filename)).size).toBe(message.files.length);
      }),
      runs,
    );
  });

  it("mentions in Slack only people that the reply names as people", () => {
    fc.assert(
      fc.property(reply, (given) => {
        for (const render of [renderSlack, renderSlackPlain]) {
          const message = render(given);
          const sections = message.blocks.flatMap((one) =>
            one.type === "section" ? [one.text?.text ?? ""] : [],
          );
          for (const said of [message.text, ...sections])
            expect(
              said.replaceAll(/<@U0OPER>|<!subteam\^S0PLAT>|<https:[^<>|]*(\|[^<>|]*)?>/g, ""),
            ).not.toMatch(/[<>]/);
          expect(JSON.stringify(message.blocks)).not.toMatch(/"type":"(broadcast|channel)"/);
          expect(JSON.stringify(message.blocks)).not.toMatch(
            /"user_id":"(?!U0OPER")|"usergroup_id":"(?!S0PLAT")/,
          );
        }
      }),
      runs,
    );
  });

  it("is drawn in a terminal within its width, whole, and without a control of its own", () => {
    fc.assert(
      fc.property(reply, fc.integer({ min: 60, max: 140 }), (given, columns) => {
        const drawn = renderTerminal(given, { columns, colour: false });
        expect(drawn).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        for (const line of drawn.split("\n")) expect(width(line)).toBeLessThanOrEqual(columns);
        for (const mark of marks(given)) expect(drawn).toContain(mark);
        const coloured = renderTerminal(given, { columns, colour: true });
        expect(stripVTControlCharacters(coloured)).toBe(drawn);
      }),
      runs,
    );
  });

  it("is written in Markdown and JSON whole", () => {
    fc.assert(
      fc.property(reply, (given) => {
        const written = renderMarkdown(given);
        for (const mark of marks(given)) expect(written.replaceAll("\\", "")).toContain(mark);
        const json = renderJson(given) as { verdict: { text: string }; findings: unknown[] };
        expect(json.verdict.text).toBe(plain(given.verdict.text));
        expect(json.findings).toHaveLength(given.findings.length);
      }),
      runs,
    );
  });
});
