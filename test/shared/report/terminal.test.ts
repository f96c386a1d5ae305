import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { Reply } from "#shared/reply.ts";
import { width } from "#shared/report/columns.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { text } from "#shared/text.ts";
import { replies } from "./replies.ts";

const names = Object.keys(replies) as (keyof typeof replies)[];
const at80 = { columns: 80, colour: false } as const;
const base: Reply = { ...replies.ok, blocks: [], findings: [], actions: [] };

describe("a reply in a terminal", () => {
  it.each(names)("%s reads so at 80 columns", (name) => {
    expect(renderTerminal(replies[name], at80)).toMatchSnapshot();
  });

  it.each(names)("%s says the same with colour", (name) => {
    const coloured = renderTerminal(replies[name], { columns: 80, colour: true });
    expect(coloured).not.toBe(renderTerminal(replies[name], at80));
    expect(stripVTControlCharacters(coloured)).toBe(renderTerminal(replies[name], at80));
  });

  it("colours by outcome and bolds the word", () => {
    const first = renderTerminal(replies.conflict, { columns: 80, colour: true }).split("\n")[0];
    expect(first).toBe(
      "\u001b[31m✗\u001b[39m \u001b[1m\u001b[31mCONFLICT\u001b[39m\u001b[22m  goldentooth · httpbin 10.4.11.1 · two MACs answer, both on karstark",
    );
  });

  it("emits no control of the host's, with or without colour", () => {
    for (const colour of [false, true]) {
      const drawn = stripVTControlCharacters(renderTerminal(replies.hostile, { columns: 80, colour }));
      expect(drawn).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(drawn).toContain("␛[2J");
    }
  });

  it.each([40, 60, 80, 200])("stays within %i columns", (columns) => {
    for (const name of names)
      for (const line of renderTerminal(replies[name], { columns, colour: false }).split("\n"))
        expect(width(line), line).toBeLessThanOrEqual(columns);
  });

  it("prints every row of a long table", () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => [text`row-${i}`]);
    const drawn = renderTerminal(
      { ...base, blocks: [{ kind: "table", columns: [{ title: "row" }], rows }] },
      at80,
    );
    for (let i = 0; i < 1_000; i++) expect(drawn).toContain(`\n  row-${i}\n`);
  });

  it("says that a table is empty", () => {
    const drawn = renderTerminal(
      { ...base, blocks: [{ kind: "table", columns: [{ title: "row" }], rows: [] }] },
      at80,
    );
    expect(drawn).toContain("  row\n  (no rows)\n");
  });

  it("aligns wide characters and emoji", () => {
    const rows = [
      [text`日本`, text`1`],
      [text`👩‍🚀`, text`2`],
      [text`ab`, text`3`],
    ];
    const columns = [{ title: "name" }, { title: "n", align: "right" }] as const;
    const drawn = renderTerminal({ ...base, blocks: [{ kind: "table", columns, rows }] }, at80);
    expect(drawn).toContain("  name  n\n  日本  1\n  👩‍🚀    2\n  ab    3\n");
  });

  it("wraps a wide table inside its cells", () => {
    const rows = [[text`karstark`, text`${"many words that need room ".repeat(6).trim()}`]];
    const columns = [{ title: "node" }, { title: "remark" }];
    const drawn = renderTerminal(
      { ...base, blocks: [{ kind: "table", columns, rows }] },
      { columns: 50, colour: false },
    );
    expect(drawn).toContain(
      "  node      remark\n  karstark  many words that need room many words\n            that need room many words that need\n",
    );
  });

  it("draws a record a row where there is no room for columns", () => {
    const columns = ["record", "type", "want", "have", "owner", "then"].map((title) => ({ title }));
    const rows = [columns.map(({ title }) => text`${`the ${title} value`}`)];
    const drawn = renderTerminal(
      { ...base, blocks: [{ kind: "table", columns, rows }] },
      { columns: 40, colour: false },
    );
    expect(drawn).toContain("  record: the record value\n  type: the type value\n");
  });
});
