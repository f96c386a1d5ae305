import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffLines } from "#shared/runs/diff-lines.ts";

describe("an object before and after", () => {
  it("shows what goes, what comes, and two lines around", () => {
    const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7 };
    expect(diffLines(before, { ...before, d: 9 })).toEqual([
      "  …",
      "  b: 2",
      "  c: 3",
      "- d: 4",
      "+ d: 9",
      "  e: 5",
      "  f: 6",
      "  …",
    ]);
  });

  it("shows a new object and a gone one whole", () => {
    expect(diffLines(null, { a: 1 })).toEqual(["+ a: 1"]);
    expect(diffLines({ a: 1 }, null)).toEqual(["- a: 1"]);
  });

  it("has no sign of change exactly when there is none", () => {
    const object = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.nat(2), { minKeys: 1 });
    fc.assert(
      fc.property(object, object, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(diffLines(a, b).some((line) => /^[-+] /.test(line))).toBe(!same);
      }),
    );
  });
});
