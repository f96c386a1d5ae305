import type { Timeline } from "../arp/timeline.ts";
import type { Picture } from "./picture.ts";
import { clockOf, type Moment, secondsOf, timeLanes } from "./time-lanes.ts";

export type FailoverTimeline = Readonly<{
  cluster: string;
  /** "httpbin 10.4.11.1". */
  title: string;
  verdict: string;
  timeline: Timeline;
  /** The owner of a MAC in words: "karstark eth0". */
  nameOf: (mac: string) => string;
  moments?: readonly Moment[];
}>;

/** Turns and frames that the alt text lists one by one. */
const mostTold = 12;

/** Who answered when, the silences between with what they are worth, and every gratuitous frame. */
export function failoverPicture(asked: FailoverTimeline): Picture {
  const { cluster, title, verdict, timeline, nameOf, moments = [] } = asked;
  const { from, to, stretches, gaps, gratuitous, macs, flapping, resolutionMs } = timeline;
  const seconds = (ms: number): string => secondsOf(ms, resolutionMs);
  const frames = gratuitous === "unknown" ? [] : gratuitous;
  const silences = gaps.map(
    (gap) =>
      `no answer from ${seconds(gap.from - from)} for ${seconds(gap.ms)}, ± ${seconds(resolutionMs)}${gap.open ? ", still silent" : ""}`,
  );
  const framesNote =
    gratuitous === "unknown"
      ? "gratuitous frames: unknown, nothing was captured"
      : frames.length === 0
        ? "gratuitous frames: none seen"
        : `gratuitous frames (triangles): ${frames.length}`;
  const turns = stretches.map(
    (turn) => `${nameOf(turn.mac)} from ${seconds(turn.from - from)} to ${seconds(turn.to - from)}`,
  );
  const told = (what: readonly string[], more: string): string =>
    `${what.slice(0, mostTold).join("; ")}${what.length > mostTold ? `; and ${what.length - mostTold} more ${more}` : ""}`;
  const whoAnswered =
    turns.length === 0
      ? "Nobody answered"
      : flapping.length > 0
        ? `${flapping.map(nameOf).join(" and ")} answered in turns, ${turns.length} times`
        : `Who answered: ${told(turns, "turns")}`;
  return {
    title: `${cluster}: timeline of ${title}`,
    alt: `${[
      `${title}: ${verdict}. On ${cluster}, from ${clockOf(from)}, ${seconds(to - from)}, one sample each ${seconds(resolutionMs)}`,
      whoAnswered,
      ...moments.map(({ at, words }) => `At ${seconds(at - from)}: ${words}`),
      ...silences,
      frames.length === 0
        ? framesNote
        : `Gratuitous frames: ${told(
            frames.map(({ at, mac }) => `${nameOf(mac)} at ${seconds(at - from)}`),
            "frames",
          )}`,
    ].join(". ")}.`,
    svg: timeLanes({
      cluster,
      title,
      verdict,
      from,
      to,
      resolutionMs,
      lanes:
        macs.length === 0
          ? [{ name: "nobody answered", bars: [], gaps, ticks: [] }]
          : macs.map((mac) => ({
              name: nameOf(mac),
              bars: stretches.filter((turn) => turn.mac === mac),
              gaps,
              ticks: frames.filter((frame) => frame.mac === mac).map(({ at }) => at),
            })),
      moments,
      legend: [...silences.map((words) => ({ words, bad: true })), { words: framesNote, bad: false }],
    }),
  };
}
