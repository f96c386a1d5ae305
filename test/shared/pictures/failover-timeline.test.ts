import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldTimeline, type Sighting } from "#shared/arp/timeline.ts";
import { failoverPicture } from "#shared/pictures/failover-timeline.ts";
import { tickMs } from "#shared/pictures/time-lanes.ts";
import { textsOf } from "./texts-of.ts";

const start = Date.UTC(2026, 10, 23, 3, 12, 5);
const owners: Readonly<Record<string, string>> = { aa: "karstark eth0", bb: "inchfield eth0" };
const nameOf = (mac: string): string => owners[mac] ?? mac;

const replies = (mac: string, from: number, to: number): readonly Sighting[] =>
  Array.from({ length: Math.round((to - from) * 10) }, (_, i) => ({
    at: start + from * 1_000 + i * 100,
    kind: "reply" as const,
    mac,
  }));

const moved = (sawGratuitous: boolean) =>
  failoverPicture({
    cluster: "goldentooth",
    title: "httpbin 10.4.11.1",
    verdict: "MOVED: karstark eth0 to inchfield eth0",
    timeline: foldTimeline(
      [
        ...replies("aa", 0, 11.2),
        { at: start + 16_850, kind: "gratuitous", mac: "bb" },
        ...replies("bb", 16.9, 30),
      ],
      { from: start, to: start + 30_000, resolutionMs: 100, sawGratuitous },
    ),
    nameOf,
    moments: [{ at: start + 11_100, words: "karstark went away" }],
  });

describe("the picture of a failover", () => {
  it("names who answered, the gap with what it is worth, and the frames", () => {
    const words = textsOf(moved(true).svg).map(({ words }) => words);
    expect(words).toContain("karstark eth0");
    expect(words).toContain("inchfield eth0");
    expect(words).toContain("11.1\u00a0s: karstark went away");
    expect(words).toContain("no answer from 11.1\u00a0s for 5.8\u00a0s, ±\u00a00.1\u00a0s");
    expect(words).toContain("gratuitous frames (triangles): 1");
  });

  it("says the same in its alt text", () => {
    expect(moved(true).alt).toBe(
      "httpbin 10.4.11.1: MOVED: karstark eth0 to inchfield eth0. On goldentooth, from 2026-11-23 03:12:05 UTC, 30.0 s, one sample each 0.1 s. " +
        "Who answered: karstark eth0 from 0.0 s to 11.1 s; inchfield eth0 from 16.9 s to 29.9 s. " +
        "At 11.1 s: karstark went away. no answer from 11.1 s for 5.8 s, ± 0.1 s. " +
        "Gratuitous frames: inchfield eth0 at 16.9 s.",
    );
  });

  it("says of two that answer at once that they take turns, not each turn", () => {
    const seen = replies("aa", 0, 3).flatMap((one) => [one, { ...one, at: one.at + 5, mac: "bb" }]);
    const span = { from: start, to: start + 3_000, resolutionMs: 100, sawGratuitous: true };
    const { alt } = failoverPicture({
      cluster: "goldentooth",
      title: "x",
      verdict: "CONFLICT",
      timeline: foldTimeline(seen, span),
      nameOf,
    });
    expect(alt).toContain("karstark eth0 and inchfield eth0 answered in turns, 60 times");
  });

  it("does not draw frames as none where nothing was captured", () => {
    const { svg, alt } = moved(false);
    expect(alt).toContain("gratuitous frames: unknown, nothing was captured");
    expect(svg).not.toContain("triangles");
  });

  it("draws silence as nobody", () => {
    const timeline = foldTimeline([], {
      from: start,
      to: start + 5_000,
      resolutionMs: 1_000,
      sawGratuitous: true,
    });
    const { svg, alt } = failoverPicture({
      cluster: "goldentooth",
      title: "x",
      verdict: "SILENT",
      timeline,
      nameOf,
    });
    expect(textsOf(svg).map(({ words }) => words)).toContain("nobody answered");
    expect(alt).toContain("Nobody answered. no answer from 0 s for 5 s, ± 1 s, still silent");
  });

  it("keeps everything inside, and bars on their time axis, for any sightings", () => {
    const sighting = fc.record({
      at: fc.integer({ min: start, max: start + 60_000 }),
      kind: fc.constantFrom("reply" as const, "gratuitous" as const),
      mac: fc.constantFrom("aa", "bb", "de:ad:be:ef:00:01"),
    });
    fc.assert(
      fc.property(
        fc.array(sighting, { maxLength: 60 }),
        fc.constantFrom(100, 1_000),
        (seen, resolutionMs) => {
          const span = { from: start, to: start + 60_000, resolutionMs, sawGratuitous: true };
          const { svg } = failoverPicture({
            cluster: "goldentooth",
            title: "t",
            verdict: "v",
            timeline: foldTimeline(seen, span),
            nameOf,
          });
          for (const text of textsOf(svg)) expect(text.right).toBeLessThanOrEqual(721);
          for (const [, x, w] of svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.-]+)"/g)) {
            expect(Number(w)).toBeGreaterThanOrEqual(0);
            expect(Number(x) + Number(w)).toBeLessThanOrEqual(721);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [1_000, 1_000],
    [10_000, 2_000],
    [60_000, 10_000],
    [300_000, 60_000],
    [100 * 3_600_000, 54_000_000],
  ])("marks %i ms every %i ms", (span, tick) => {
    expect(tickMs(span)).toBe(tick);
  });
});
