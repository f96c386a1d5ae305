import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  common,
  countOf,
  isIn,
  joined,
  type Range,
  rangesOf,
  rangesText,
  without,
} from "#shared/metallb/address-ranges.ts";
import { ipOf, parseIp } from "#shared/metallb/ip.ts";

describe("named ranges", () => {
  it.each([
    [["10.4.11.0-10.4.15.254"], "10.4.11.0-10.4.15.254", 1279],
    [["10.4.11.0/24", "10.4.12.0/24"], "10.4.11.0-10.4.12.255", 512],
    [["10.4.11.7/32"], "10.4.11.7", 1],
    [["fd00::/126", "10.4.0.0/31"], "10.4.0.0-10.4.0.1, fd00::-fd00::3", 6],
    [["not an address", "10.4.0.0/33"], "", 0],
    [["10.4.0.5-10.4.0.9", "10.4.0.7-10.4.0.8"], "10.4.0.5-10.4.0.9", 5],
  ])("%j", (entries, said, count) => {
    expect(rangesText(rangesOf(entries))).toBe(said);
    expect(countOf(rangesOf(entries))).toBe(count);
  });

  it("keeps the families apart", () => {
    expect(common(rangesOf(["::/0"]), rangesOf(["0.0.0.0/0"]))).toEqual([]);
    expect(isIn(parseIp("::a04:b00") ?? ipOf(6, 0n), rangesOf(["10.4.11.0/24"]))).toBe(false);
  });
});

describe("against sets of numbers", () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }))
    .map(([first, more]): Range => ({ family: 4, first: BigInt(first), last: BigInt(first + more) }));
  const ranges = fc.array(range, { maxLength: 6 });
  const setOf = (some: readonly Range[]): Set<number> =>
    new Set(Array.from({ length: 80 }, (_, i) => i).filter((i) => isIn(ipOf(4, BigInt(i)), some)));

  it("common is the intersection, without the difference, joined changes nothing", () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        expect(setOf(common(a, b))).toEqual(new Set([...setOf(a)].filter((i) => setOf(b).has(i))));
        expect(setOf(without(a, b))).toEqual(new Set([...setOf(a)].filter((i) => !setOf(b).has(i))));
        expect(setOf(joined(a))).toEqual(setOf(a));
        expect(countOf(a)).toBe(setOf(a).size);
      }),
    );
  });

  it("joined leaves a gap between each two", () => {
    fc.assert(
      fc.property(ranges, (a) => {
        const out = joined(a);
        for (const [i, { first }] of out.entries())
          if (i > 0) expect(first > (out[i - 1] as Range).last + 1n).toBe(true);
      }),
    );
  });
});
