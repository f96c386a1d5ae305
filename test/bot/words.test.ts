import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quoteWords } from "#bot/quote-words.ts";
import { maxLength, splitWords } from "#bot/words.ts";

describe("splitting what somebody typed", () => {
  it.each([
    ["arping httpbin", ["arping", "httpbin"]],
    ["  arping\t httpbin  ", ["arping", "httpbin"]],
    ['skip 3 --reason "router is new"', ["skip", "3", "--reason", "router is new"]],
    ["say 'it''s'", ["say", "its"]],
    ["a\\ b", ["a b"]],
    ['""', [""]],
    ["", []],
  ])("%j gives %j", (input, words) => {
    expect(splitWords(input)).toEqual({ ok: true, words });
  });

  it.each([
    ['say "open', /double quote is not closed/],
    ["say 'open", /single quote is not closed/],
    ["arping \u0007bell", /U\+0007 at position 8/],
    ["x".repeat(maxLength + 1), /longer than any command/],
  ])("%j is refused with a reason", (input, reason) => {
    const split = splitWords(input);
    expect(split.ok).toBe(false);
    expect(split.ok ? "" : split.problem).toMatch(reason);
  });

  it("never crashes, and quoting is undone exactly", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (input) => void splitWords(input)));
    const word = fc
      .string({ unit: "grapheme", maxLength: 40 })
      .filter((w) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(w));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        expect(splitWords(quoteWords(words))).toEqual({ ok: true, words });
      }),
    );
  });
});
