import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTxtText, readTxtStrings, txtText } from "#shared/dns/txt-text.ts";

describe("TXT values", () => {
  it.each([
    ["one string", '"v=spf1 -all"', ["v=spf1 -all"]],
    ["strings apart", '"a" "b"', ["a", "b"]],
    ["strings without a blank", '"a""b"', ["a", "b"]],
    ["an empty string", '""', [""]],
    ["escaped quote and backslash", '"\\"\\\\"', ['"\\']],
    ["octal bytes in UTF-8", '"\\303\\274\\040"', ["ü "]],
    ["case is kept", '"AbC"', ["AbC"]],
  ])("%s", (_, value, strings) => {
    expect(readTxtStrings(value)).toEqual({ ok: true, strings });
  });

  it.each([
    ["no quotes", "v=spf1", "a quote was expected at character 1"],
    ["an open quote", '"a', "the last quote is missing"],
    ["a backslash at the end", '"a\\', "ends in a backslash"],
    ["rubbish between strings", '"a",“b”', "a quote was expected at character 4"],
    ["nothing", "  ", "holds no quoted string"],
  ])("refuses %s", (_, value, problem) => {
    expect(readTxtStrings(value)).toEqual({ ok: false, problem });
    expect(txtText(value)).toBeUndefined();
  });

  it("splits after 255 bytes and says nothing at all as one empty string", () => {
    const long = formatTxtText("x".repeat(256));
    expect(long).toBe(`"${"x".repeat(255)}" "x"`);
    expect(txtText(long)).toBe("x".repeat(256));
    expect(formatTxtText("")).toBe('""');
  });

  it("gives any text back, also when a character is split between strings", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, size: "max", unit: "grapheme" }), (text) => {
        expect(txtText(formatTxtText(text))).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it("never crashes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(typeof readTxtStrings(value).ok).toBe("boolean");
      }),
      { numRuns: 200 },
    );
  });
});
