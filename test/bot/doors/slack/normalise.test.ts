import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalise, wordsOfMention } from "#bot/doors/slack/normalise.ts";

describe("what Slack makes of typed words is undone", () => {
  test.each([
    [
      "a link around a host name",
      "arping <http://httpbin.goldentooth.net|httpbin.goldentooth.net>",
      "arping httpbin.goldentooth.net",
    ],
    ["a link without a label", "dns check <https://example.net/a>", "dns check https://example.net/a"],
    ["a mail address", "<mailto:ops@example.net|ops@example.net>", "ops@example.net"],
    [
      "a person, without the name that anybody can choose",
      "ask <@U0OPERATOR|root rm -rf>",
      "ask <@U0OPERATOR>",
    ],
    ["a channel", "<#C0PLATFORM|platform>", "<#C0PLATFORM>"],
    ["a broadcast, which stays words", "hey <!channel>", "hey @channel"],
    ["a group", "ask <!subteam^S0OPS|@operators>", "ask @operators"],
    ["an em dash before a word", "arping httpbin —count 3", "arping httpbin --count 3"],
    ["an en dash before a word", "–json", "--json"],
    ["a dash and a hyphen", "—-json", "--json"],
    ["a dash in a range of addresses", "10.4.1.1–10.4.1.9", "10.4.1.1-10.4.1.9"],
    ["a dash between words, which is none of ours", "a — b", "a — b"],
    ["curly double quotes", "--reason “not today”", '--reason "not today"'],
    ["curly single quotes", "--reason ‘it’s late’", "--reason 'it's late'"],
    ["a space that does not break", "arping\u00a0httpbin", "arping httpbin"],
    ["characters of no width", "ar\u200bping\ufeff htt\u00adpbin", "arping httpbin"],
    ["marks that turn text around", "arping \u202enibptth\u202c", "arping nibptth"],
    ["line ends and tabs", "arping\nhttpbin\t--json", "arping httpbin --json"],
    ["entities, once", "a &amp;amp; b &lt;c&gt;", "a &amp; b <c>"],
  ])("%s", (_, typed, meant) => {
    expect(normalise(typed)).toBe(meant);
  });

  test("plain ASCII comes out as it went in", () => {
    const plain = fc.stringMatching(/^[ -%'-;=?-~]*$/);
    fc.assert(
      fc.property(plain, (typed) => {
        expect(normalise(typed)).toBe(typed.trim());
      }),
    );
  });

  test("nothing invisible ever comes out", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "&lt;",
        "&amp;",
        "<",
        ">",
        "|",
        "@U1",
        "\u0000",
        "\u001b[31m",
        "\u202e",
        "\ud800",
        "—",
        "“",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const out = normalise(pieces.join(""));
        expect(out).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/);
        expect(out.isWellFormed()).toBe(true);
      }),
    );
  });

  test("is done quickly, however long and odd the text", () => {
    const odd = "<".repeat(20_000) + "—".repeat(20_000) + "&amp;".repeat(5_000);
    expect(normalise(odd)).toContain("<");
  });
});

describe("a mention", () => {
  test.each([
    ["in front", "<@U0BOT> arping httpbin", "arping httpbin"],
    ["behind", "arping httpbin <@U0BOT>", "arping httpbin"],
    ["with a name", "<@U0BOT|arpeggio> arping", "arping"],
    ["of somebody else stays", "<@U0BOT> ask <@U0OPERATOR>", "ask <@U0OPERATOR>"],
    ["alone", "<@U0BOT>", ""],
  ])("%s", (_, text, words) => {
    expect(wordsOfMention(text, "U0BOT")).toBe(words);
  });

  test("in front is taken away while nobody knows our own id", () => {
    expect(wordsOfMention("<@U0BOT> arping <@U0OPERATOR>", undefined)).toBe("arping <@U0OPERATOR>");
  });
});
