import fc from "fast-check";
import { expect, it } from "vitest";
import { longestSinceMs, parseSince, sinceWords } from "#shared/changes/since.ts";

it.each([
  ["30s", 30_000, "30 s"],
  ["15m", 900_000, "15 min"],
  ["90m", 5_400_000, "90 min"],
  ["1h", 3_600_000, "1 h"],
  ["2d", 172_800_000, "2 d"],
  ["60s", 60_000, "1 min"],
])("reads %s", (words, ms, said) => {
  expect(parseSince(words)).toBe(ms);
  expect(sinceWords(ms)).toBe(said);
});

it("gives a time within its limits or nothing, for any text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,9}[smhdw]?$/)), (words) => {
      const ms = parseSince(words);
      expect(ms === undefined || (ms > 0 && ms <= longestSinceMs)).toBe(true);
    }),
  );
});

it("comes back from its own words", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000_000 }), (seconds) => {
      const words = sinceWords(seconds * 1_000)
        .replace(" min", "m")
        .replace(" ", "");
      expect(parseSince(words)).toBe(seconds * 1_000);
    }),
  );
});
