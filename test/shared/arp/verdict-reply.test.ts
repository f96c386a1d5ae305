import fc from "fast-check";
import { expect, it } from "vitest";
import { macTable } from "#shared/arp/mac-table.ts";
import { unreadNotes, wrapped } from "#shared/arp/verdict-reply.ts";
import { site } from "./evidence.ts";

const word = fc.stringMatching(/^[a-z0-9.]{1,30}$/);

it("evidence is wrapped between words, under a hanging indent, and nothing is lost", () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), fc.nat(4), (words, lead) => {
      const line = " ".repeat(lead) + words.join(" ");
      const lines = wrapped(line, 14);
      expect(lines.join(" ").split(/ +/).filter(Boolean)).toEqual(words);
      expect(lines.every((each) => each.length <= 76)).toBe(true);
      expect(lines.slice(1).every((each) => /^ {14}\S/.test(each))).toBe(true);
      expect(lines[0]?.startsWith(" ".repeat(lead) + words[0])).toBe(true);
    }),
  );
});

it("many unread nodes are one line, not a wall; other faults have their own", () => {
  const table = macTable(
    Array.from({ length: 40 }, (_, i) => ({
      node: `n${String(i).padStart(2, "0")}`,
      fault:
        i === 39
          ? ({ kind: "denied", what: "ssh to n39", detail: "key refused" } as const)
          : ({ kind: "timed-out", what: "ssh", detail: "no answer in 5 s" } as const),
    })),
    site,
  );
  expect(unreadNotes(table)).toEqual([
    "39 nodes were not read: n00, n01, n02, n03, n04 and 34 more (the first: no answer in 5 s)",
    "n39 was not read: key refused",
  ]);
});
