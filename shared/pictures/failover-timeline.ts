import type { Timeline } from "../arp/timeline.ts";
import { box, fitted, ink, label, margin, stroke, svgOf, width, wrapped } from "./draw.ts";
import type { Picture } from "./picture.ts";

/** Something that happened at a moment: "label set", "first connection". */
export type Moment = Readonly<{ at: number; words: string }>;

export type FailoverTimeline = Readonly<{
  /** "httpbin 10.4.11.1". */
  title: string;
  verdict: string;
  timeline: Timeline;
  /** The owner of a MAC in words: "karstark eth0". */
  nameOf: (mac: string) => string;
  moments?: readonly Moment[];
}>;

const laneHeight = 96;
const barHeight = 30;
const left = margin;
const right = width - margin;
const size = { head: 32, text: 24 } as const;

const secondsOf = (ms: number, resolutionMs: number): string =>
  `${(ms / 1_000).toFixed(resolutionMs < 1_000 ? 1 : 0)} s`;

/** Whole seconds that give at most seven ticks. */
export function tickMs(spanMs: number): number {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].map((s) => s * 1_000);
  return steps.find((step) => spanMs / step <= 7) ?? Math.ceil(spanMs / 7 / 3_600_000) * 3_600_000;
}

/** Who answered when, the silences between with what they are worth, and every gratuitous frame. */
export function failoverPicture({
  title,
  verdict,
  timeline,
  nameOf,
  moments = [],
}: FailoverTimeline): Picture {
  const { from, to, stretches, gaps, gratuitous, macs, resolutionMs } = timeline;
  const span = Math.max(1, to - from);
  const x = (at: number): number =>
    left + ((Math.min(to, Math.max(from, at)) - from) / span) * (right - left);
  const parts: string[] = [];
  let y = margin + 30;
  for (const words of wrapped(title, size.head, width - 2 * margin, true)) {
    parts.push(label(words, margin, y, { size: size.head, bold: true }));
    y += 40;
  }
  for (const words of wrapped(verdict, size.text, width - 2 * margin)) {
    parts.push(label(words, margin, y, { size: size.text }));
    y += 32;
  }
  y += 10;
  const top = y;
  const lanes = macs.length === 0 ? ["nobody"] : macs;
  const laneOf = new Map(lanes.map((mac, i) => [mac, top + i * laneHeight]));
  const bottom = top + lanes.length * laneHeight;
  const seen = gratuitous === "unknown" ? [] : gratuitous;

  for (const { from: begin, to: end, open } of gaps) {
    parts.push(
      box(x(begin), top, Math.max(3, x(end) - x(begin)), bottom - top, ink.badGround, {
        stroke: ink.bad,
        dashed: open,
      }),
    );
  }
  for (const at of laneOf.values())
    parts.push(stroke(`M${left} ${at + 42 + barHeight}H${right}`, ink.line, 1));
  for (const { mac, from: begin, to: end } of stretches) {
    const at = laneOf.get(mac) ?? top;
    // A single reply is as wide as a sampling period: nothing is known better than that.
    const w = Math.max(4, x(Math.max(end, begin + resolutionMs)) - x(begin));
    parts.push(box(x(begin), at + 42, Math.min(w, right - x(begin)), barHeight, ink.good, { radius: 3 }));
  }
  for (const { at, mac } of seen) {
    const lane = laneOf.get(mac);
    if (lane === undefined) continue;
    const tip = lane + 44;
    parts.push(
      stroke(`M${x(at) - 9} ${tip - 16}H${x(at) + 9}L${x(at)} ${tip}Z`, ink.open, 2, { filled: true }),
    );
  }
  for (const [mac, at] of laneOf) {
    const name = macs.length === 0 ? "nobody answered" : nameOf(mac);
    const words = fitted(name, size.text, right - left, true);
    parts.push(label(words, left + 4, at + 28, { size: size.text, bold: true, halo: true }));
  }
  const step = tickMs(span);
  for (let at = 0; at <= span; at += step) {
    const middle = x(from + at);
    parts.push(stroke(`M${middle} ${bottom}V${bottom + 10}`, ink.quiet, 2));
    const anchor = at === 0 ? "start" : middle > right - 30 ? "end" : "middle";
    parts.push(label(`${at / 1_000} s`, middle, bottom + 38, { size: size.text, fill: ink.quiet, anchor }));
  }
  y = bottom + 76;
  for (const { at, words } of moments) {
    parts.push(stroke(`M${x(at)} ${top}V${bottom}`, ink.text, 2, { dashed: true }));
    parts.push(
      label(fitted(`${secondsOf(at - from, resolutionMs)}: ${words}`, size.text, right - left), left, y, {
        size: size.text,
      }),
    );
    y += 32;
  }
  const legend = [
    ...gaps.map(
      ({ from: begin, ms, open }) =>
        `no answer from ${secondsOf(begin - from, resolutionMs)} for ${secondsOf(ms, resolutionMs)}, ± ${secondsOf(resolutionMs, resolutionMs)}${open ? ", still silent" : ""}`,
    ),
    gratuitous === "unknown"
      ? "gratuitous frames: unknown, nothing was captured"
      : seen.length === 0
        ? "gratuitous frames: none seen"
        : `gratuitous frames (triangles): ${seen.length}`,
  ];
  legend.slice(0, 8).forEach((words) => {
    for (const row of wrapped(words, size.text, right - left)) {
      parts.push(
        label(row, left, y, { size: size.text, fill: words.startsWith("no answer") ? ink.bad : ink.text }),
      );
      y += 32;
    }
  });
  if (legend.length > 8) {
    parts.push(label(`and ${legend.length - 8} more in the data`, left, y, { size: size.text }));
    y += 32;
  }
  const start = `${new Date(from).toISOString().slice(11, 19)} UTC`;
  parts.push(
    label(`0 s is ${start}; one sample each ${secondsOf(resolutionMs, resolutionMs)}`, left, y, {
      size: size.text,
      fill: ink.quiet,
    }),
  );

  const turns = stretches.map(
    ({ mac, from: begin, to: end }) =>
      `${nameOf(mac)} from ${secondsOf(begin - from, resolutionMs)} to ${secondsOf(end - from, resolutionMs)}`,
  );
  const frames = seen.map(({ at, mac }) => `${nameOf(mac)} at ${secondsOf(at - from, resolutionMs)}`);
  return {
    title: `Timeline of ${title}`,
    alt: [
      `${title}: ${verdict}. From ${start}, ${secondsOf(span, resolutionMs)}, one sample each ${secondsOf(resolutionMs, resolutionMs)}`,
      turns.length === 0
        ? "Nobody answered"
        : `Who answered: ${turns.slice(0, 12).join("; ")}${turns.length > 12 ? `; and ${turns.length - 12} more turns` : ""}`,
      ...moments.map(({ at, words }) => `At ${secondsOf(at - from, resolutionMs)}: ${words}`),
      ...legend.filter((words) => words.startsWith("no answer")),
      frames.length === 0
        ? (legend.find((words) => words.startsWith("gratuitous")) ?? "")
        : `Gratuitous frames: ${frames.slice(0, 12).join("; ")}`,
    ]
      .join(". ")
      .concat("."),
    svg: svgOf(y + margin, parts),
  };
}
