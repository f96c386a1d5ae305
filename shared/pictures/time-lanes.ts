import { box, fitted, ink, label, margin, stroke, svgOf, width, wrapped } from "./draw.ts";

/** A time that is marked: `bar` it went well, `gap` it did not (`open`: and still does not). */
type Span = Readonly<{ from: number; to: number }>;

export type Lane = Readonly<{
  /** "karstark eth0", "httpbin 10.4.11.1". */
  name: string;
  bars: readonly Span[];
  gaps: readonly (Span & Readonly<{ open: boolean }>)[];
  /** Moments with a mark of their own, drawn as triangles. */
  ticks: readonly number[];
}>;

/** Something that happened at a moment: "label set". */
export type Moment = Readonly<{ at: number; words: string }>;

export type TimeLanes = Readonly<{
  cluster: string;
  title: string;
  verdict: string;
  from: number;
  to: number;
  /** Nothing here is known better than this, milliseconds. */
  resolutionMs: number;
  lanes: readonly Lane[];
  moments: readonly Moment[];
  /** Below the lanes; `bad` ones stand out. */
  legend: readonly Readonly<{ words: string; bad: boolean }>[];
}>;

const laneHeight = 96;
const barHeight = 30;
const left = margin;
const right = width - margin;
const size = { head: 32, text: 24 } as const;
const lineHeight = 32;
/** More lines than this do not fit a phone's screen; all of them are in the message. */
const mostLegend = 8;

/** A moment or a duration as pictures write it, with no more digits than the sampling is worth. */
export const secondsOf = (ms: number, resolutionMs: number): string =>
  `${(ms / 1_000).toFixed(resolutionMs < 1_000 ? 1 : 0)} s`;

/** `2026-11-23 03:12:05 UTC`. */
export const clockOf = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Whole seconds that give at most seven ticks. */
export function tickMs(spanMs: number): number {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].map((s) => s * 1_000);
  return steps.find((step) => spanMs / step <= 7) ?? Math.ceil(spanMs / 7 / 3_600_000) * 3_600_000;
}

/** Lanes over one time axis, as SVG. */
export function timeLanes(drawing: TimeLanes): string {
  const { cluster, title, verdict, from, to, resolutionMs, lanes, moments, legend } = drawing;
  const span = Math.max(1, to - from);
  const x = (at: number): number =>
    left + ((Math.min(to, Math.max(from, at)) - from) / span) * (right - left);
  const parts: string[] = [];
  let y = margin + 30;
  const write = (words: string, fill: string = ink.text): void => {
    for (const row of wrapped(words, size.text, right - left)) {
      parts.push(label(row, left, y, { size: size.text, fill }));
      y += lineHeight;
    }
  };
  for (const words of wrapped(title, size.head, right - left, true)) {
    parts.push(label(words, left, y, { size: size.head, bold: true }));
    y += 40;
  }
  write(verdict);
  y += 10;
  const top = y;
  const bottom = top + lanes.length * laneHeight;

  lanes.forEach(({ name, bars, gaps, ticks }, i) => {
    const lane = top + i * laneHeight;
    parts.push(stroke(`M${left} ${lane + 42 + barHeight}H${right}`, ink.line, 1));
    for (const gap of gaps)
      parts.push(
        box(x(gap.from), lane + 34, Math.max(3, x(gap.to) - x(gap.from)), barHeight + 16, ink.badGround, {
          stroke: ink.bad,
          dashed: gap.open,
        }),
      );
    for (const bar of bars) {
      // What was seen is good for a sampling period, unless a gap is known to begin there.
      const isCut = gaps.some((gap) => gap.from <= bar.to && bar.to < gap.to);
      const end = x(isCut ? Math.max(bar.to, bar.from + resolutionMs) : bar.to + resolutionMs);
      const begin = Math.min(x(bar.from), right - 4);
      parts.push(box(begin, lane + 42, Math.max(4, end - begin), barHeight, ink.good, { radius: 3 }));
    }
    for (const at of ticks)
      parts.push(
        stroke(`M${x(at) - 9} ${lane + 28}H${x(at) + 9}L${x(at)} ${lane + 44}Z`, ink.open, 2, {
          filled: true,
        }),
      );
    const words = fitted(name, size.text, right - left, true);
    parts.push(label(words, left + 4, lane + 26, { size: size.text, bold: true, halo: true }));
  });
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
    write(`${secondsOf(at - from, resolutionMs)}: ${words}`);
  }
  for (const { words, bad } of legend.slice(0, mostLegend)) write(words, bad ? ink.bad : ink.text);
  if (legend.length > mostLegend) write(`and ${legend.length - mostLegend} more in the data`);
  write(
    `${cluster}, 0 s is ${clockOf(from)}; one sample each ${secondsOf(resolutionMs, resolutionMs)}`,
    ink.quiet,
  );
  return svgOf(y, parts);
}
