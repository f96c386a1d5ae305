import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sighting } from "#shared/arp/timeline.ts";
import { foldTimeline } from "#shared/arp/timeline.ts";

const reply = (at: number, mac: string): Sighting => ({ at, kind: "reply", mac });
const steady = (from: number, to: number, mac: string): readonly Sighting[] =>
  Array.from({ length: (to - from) / 100 }, (_, i) => reply(from + i * 100, mac));
const span = { from: 0, to: 10_000, resolutionMs: 100, sawGratuitous: true };

describe("timeline", () => {
  it("one owner without a gap", () => {
    const timeline = foldTimeline(steady(0, 10_000, "a"), span);
    expect(timeline).toMatchObject({ macs: ["a"], changes: [], gaps: [], flapping: [], gratuitous: [] });
    expect(timeline.stretches).toEqual([{ mac: "a", from: 0, to: 9_900, replies: 100 }]);
  });
  it("a failover: gap, change and gratuitous frames with their times", () => {
    const timeline = foldTimeline(
      [...steady(0, 3_000, "a"), { at: 8_000, kind: "gratuitous", mac: "b" }, ...steady(8_100, 10_000, "b")],
      span,
    );
    expect(timeline.changes).toEqual([{ at: 8_100, from: "a", to: "b", silentMs: 5_200 }]);
    expect(timeline.gaps).toEqual([{ from: 2_900, to: 8_100, ms: 5_200, open: false }]);
    expect(timeline.gratuitous).toEqual([{ at: 8_000, mac: "b" }]);
    expect(timeline.flapping).toEqual([]);
  });
  it("two responders flap, which is no take-over", () => {
    const both = steady(0, 1_000, "a").flatMap((each) => [each, { ...each, at: each.at + 1, mac: "b" }]);
    expect(foldTimeline(both, { ...span, to: 1_000 }).flapping.toSorted()).toEqual(["a", "b"]);
  });
  it("a take-over with fail-back is no flapping: the one in between had the address for a while", () => {
    const there = [...steady(0, 3_000, "a"), ...steady(5_000, 7_000, "b"), ...steady(7_000, 10_000, "a")];
    const announced: readonly Sighting[] = [
      { at: 4_990, kind: "gratuitous", mac: "b" },
      { at: 6_990, kind: "gratuitous", mac: "a" },
    ];
    const timeline = foldTimeline([...there, ...announced], span);
    expect(timeline.flapping).toEqual([]);
    expect(timeline.changes.map(({ from, to }) => [from, to])).toEqual([
      ["a", "b"],
      ["b", "a"],
    ]);
    expect(foldTimeline(there, { ...span, sawGratuitous: false }).flapping).toEqual([]);
  });
  it("an owner that answers once more while the next one announces itself is no conflict", () => {
    const timeline = foldTimeline(
      [
        ...steady(0, 3_000, "a"),
        { at: 2_895, kind: "gratuitous", mac: "b" },
        reply(2_901, "b"),
        ...steady(3_000, 10_000, "b"),
      ],
      span,
    );
    expect(timeline.flapping).toEqual([]);
  });
  it("two answers to one request are two responders, even once", () => {
    const once = [...steady(0, 5_000, "a"), reply(5_000, "a"), reply(5_001, "b")];
    expect(foldTimeline(once, { ...span, to: 5_100 }).flapping.toSorted()).toEqual(["a", "b"]);
  });
  it("turns that follow at once are two responders, unless the one that returns announced itself", () => {
    const turns = [...steady(0, 3_000, "a"), reply(3_000, "b"), ...steady(3_100, 10_000, "a")];
    expect(foldTimeline(turns, span).flapping.toSorted()).toEqual(["a", "b"]);
    expect(foldTimeline([...turns, { at: 3_090, kind: "gratuitous", mac: "a" }], span).flapping).toEqual([]);
  });
  it("gratuitous frames of both do not hide two responders", () => {
    const both = steady(0, 1_000, "a").flatMap((each) => [each, { ...each, at: each.at + 1, mac: "b" }]);
    const frames = ["a", "b"].map((mac): Sighting => ({ at: 500, kind: "gratuitous", mac }));
    expect(foldTimeline([...both, ...frames], { ...span, to: 1_000 }).flapping.toSorted()).toEqual([
      "a",
      "b",
    ]);
  });
  it("silence to the end is an open gap, silence throughout is one too", () => {
    expect(foldTimeline(steady(0, 2_000, "a"), span).gaps).toEqual([
      { from: 1_900, to: 10_000, ms: 8_100, open: true },
    ]);
    expect(foldTimeline([], span).gaps).toEqual([{ from: 0, to: 10_000, ms: 10_000, open: true }]);
  });
  it("one lost answer is within what the sampling can tell", () => {
    const lossy = steady(0, 10_000, "a").filter(({ at }) => at !== 5_000);
    expect(foldTimeline(lossy, span).gaps).toEqual([]);
  });
  it("does not claim to have seen no gratuitous frame without a capture", () => {
    expect(foldTimeline([], { ...span, sawGratuitous: false }).gratuitous).toBe("unknown");
  });
  it("loses no MAC and no time, in any order of arrival", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.integer({ min: 0, max: 10_000 }), mac: fc.constantFrom("a", "b", "c") })),
        (seen) => {
          const timeline = foldTimeline(
            seen.map(({ at, mac }) => reply(at, mac)),
            span,
          );
          expect(new Set(timeline.macs)).toEqual(new Set(seen.map(({ mac }) => mac)));
          expect(timeline.stretches.reduce((sum, { replies }) => sum + replies, 0)).toBe(seen.length);
          expect(timeline.changes.length).toBe(Math.max(0, timeline.stretches.length - 1));
          for (const gap of timeline.gaps) expect(gap.ms).toBeGreaterThan(250);
        },
      ),
    );
  });
});
