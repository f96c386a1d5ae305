import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { padEnd, width, wrapCode, wrapHard, wrapWords } from "#shared/report/columns.ts";
import { alignedLines, fittedLines, gridOf } from "#shared/report/text-table.ts";
import { cut, visible, visibleLines } from "#shared/report/visible.ts";

const anyText = fc.string({ unit: "binary", maxLength: 60 });
const printable = fc.string({
  unit: fc.constantFrom("a", "b", " ", "é", "日", "👩‍🚀", "-", "·"),
  maxLength: 80,
});

describe("visible", () => {
  it.each([
    ["\u001b[31mred", "␛[31mred"],
    ["\u0000\u0007\u007f\u009b", "␀␇\\u{007f}\\u{009b}"],
    ["a\tb", "a  b"],
    ["a\r\nb\rc", "a␊b␍c"],
    ["\u202eexe.gpj\u2066", "\\u{202e}exe.gpj\\u{2066}"],
    ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
    ["\ud800 alone", "\ufffd alone".replace("\ufffd", "\\u{fffd}")],
    ["tag \u{e0041}", "tag \\u{e0041}"],
    ["wrapped\u2028line", "wrapped\\u{2028}line"],
    ["plain ünï 日本 👩‍🚀 text", "plain ünï 日本 👩‍🚀 text"],
  ])("%j becomes %j", (given, shown) => {
    expect(visible(given)).toBe(shown);
  });

  it("keeps line feeds where lines are wanted", () => {
    expect(visibleLines("a\r\nb\u0001\n")).toBe("a\nb␁\n");
  });

  it("leaves no control in anything, and changes nothing the second time", () => {
    fc.assert(
      fc.property(anyText, (given) => {
        const shown = visible(given);
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(shown.isWellFormed()).toBe(true);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });
});

describe("cut", () => {
  it.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["a😀bcd", 3, "a…"],
    ["", 3, ""],
  ])("%j to %i is %j", (value, max, expected) => {
    expect(cut(value, max)).toBe(expected);
  });

  it("stays within its length and never breaks a pair", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 20 }), (value, max) => {
        const short = cut(value.toWellFormed(), max);
        expect(short.length).toBeLessThanOrEqual(max);
        expect(short.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe("columns", () => {
  it("wrapHard keeps every character", () => {
    fc.assert(
      fc.property(printable, fc.integer({ min: 2, max: 30 }), (line, columns) => {
        const lines = wrapHard(line, columns);
        expect(lines.join("")).toBe(line);
        for (const one of lines) expect(width(one)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it.each([wrapWords, wrapCode])("%o keeps every character that is no space", (wrap) => {
    fc.assert(
      fc.property(printable, fc.integer({ min: 8, max: 30 }), (line, columns) => {
        const lines = wrap(line, columns);
        const bare = (value: string): string => value.replaceAll(" ", "");
        expect(bare(lines.join(""))).toBe(bare(line));
        for (const one of lines) expect(width(one)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it("breaks between words", () => {
    expect(wrapWords("the quick brown fox", 10)).toEqual(["the quick", "brown fox"]);
    expect(wrapWords("a verylongwordindeed b", 8)).toEqual(["a", "verylong", "wordinde", "ed b"]);
    expect(wrapCode("one two three", 9)).toEqual(["one two", "  three"]);
  });

  it("pads by columns, not by characters", () => {
    expect(width(padEnd("日", 4))).toBe(4);
    expect(padEnd("long", 2)).toBe("long");
  });
});

describe("tables as text", () => {
  const table = {
    columns: [{ title: "name" }, { title: "n", align: "right" as const }],
    rows: [
      [["a"], ["1"]],
      [["bb"], []],
      [["c"], ["3"], ["extra"]],
    ],
  };

  it("makes rows equally long and empty cells visible", () => {
    expect(alignedLines(gridOf(table))).toEqual(["name  n  –", "a     1  –", "bb    –  –", "c     3  extra"]);
  });

  it("fits any table into any width without losing a character", () => {
    const cell = fc.string({ unit: fc.constantFrom("x", "y", "日"), minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 6 })
          .chain((n) =>
            fc.array(fc.array(cell, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 5 }),
          ),
        fc.integer({ min: 20, max: 90 }),
        (rows, limit) => {
          const columns = (rows[0] ?? []).map((_, i) => ({ title: `c${i}` }));
          const lines = fittedLines(
            gridOf({ columns, rows: rows.map((row) => row.map((value) => [value])) }),
            limit,
          );
          for (const line of lines) expect(width(line)).toBeLessThanOrEqual(limit);
          const count = (value: string): number => [...value].filter((char) => "xy日".includes(char)).length;
          expect(count(lines.join(""))).toBe(count(rows.flat().join("")));
        },
      ),
    );
  });
});
