import type { Reply } from "../reply.ts";
import type { Vantage } from "../site/site.ts";
import type { Subject } from "./investigate.ts";
import { ownerText } from "./judge.ts";
import type { MacOwnership } from "./mac-table.ts";
import type { Timeline } from "./timeline.ts";
import { wrapped } from "./verdict-reply.ts";
import type { Watch } from "./watch.ts";

/** `14:02:11.3 UTC`, with no more digits than the sampling period is worth. */
const clock = (at: number, resolutionMs: number): string =>
  `${new Date(at).toISOString().slice(11, resolutionMs < 1000 ? 21 : 19)} UTC`;

type Summary = Readonly<{ word: string; outcome: Reply["verdict"]["outcome"]; words: string; why: string }>;

/** A duration with what it is worth: nothing here is known better than one sampling period. */
export const withResolution = (ms: number, resolutionMs: number): string => {
  const digits = resolutionMs < 1000 ? 1 : 0;
  return `${(ms / 1000).toFixed(digits)} s ± ${(resolutionMs / 1000).toFixed(digits)} s`;
};

function summary(timeline: Timeline, name: (mac: string) => string): Summary {
  const { macs, changes, gaps, flapping, resolutionMs } = timeline;
  const silent = gaps.reduce((sum, gap) => sum + gap.ms, 0);
  const seconds = Math.round((timeline.to - timeline.from) / 1000);
  const [first] = macs;
  if (first === undefined)
    return { word: "SILENT", outcome: "failed", words: `nobody answered for ${seconds} s`, why: "" };
  if (flapping.length > 0)
    return {
      word: "CONFLICT",
      outcome: "failed",
      words: `${flapping.length} MACs take turns: ${flapping.map(name).join(", ")}`,
      why: "Each came back after another had answered: two responders, not a take-over.",
    };
  const gapWords =
    gaps.length === 0
      ? "no gap"
      : `${gaps.length} gap${gaps.length === 1 ? "" : "s"}, ${withResolution(silent, resolutionMs)} in all`;
  const last = changes.at(-1);
  if (last)
    return {
      word: "MOVED",
      outcome: gaps.some(({ open }) => open) ? "failed" : "info",
      words: `${name(first)} to ${name(last.to)}, ${gapWords}`,
      why: `The address changed hands ${changes.length === 1 ? "once" : `${changes.length} times`}.`,
    };
  return gaps.length > 0
    ? { word: "SILENT", outcome: "failed", words: `${name(first)} answers, with ${gapWords}`, why: "" }
    : { word: "OK", outcome: "ok", words: `${name(first)} answered throughout ${seconds} s`, why: "" };
}

/** What a watch saw: owner changes, gaps and gratuitous frames, each with its time and what the time is worth. */
export function watchReply(
  cluster: string,
  label: string,
  subject: Subject,
  vantage: Vantage,
  watch: Watch,
  ownerOf: (mac: string) => MacOwnership,
): Reply {
  const { timeline } = watch;
  const name = (mac: string): string => {
    const owner = ownerOf(mac);
    return owner.kind === "node" ? ownerText(owner) : mac;
  };
  const { word, outcome, words, why } = summary(timeline, name);
  const { resolutionMs, gratuitous } = timeline;
  const at = (ms: number): string => clock(ms, resolutionMs);
  const shown = timeline.stretches.slice(0, 50);
  const lines = [
    ...shown.map(
      ({ mac, from, to, replies }) => `${at(from)}  ${name(mac)} answers, ${replies} replies until ${at(to)}`,
    ),
    ...(timeline.stretches.length > shown.length
      ? [`(${timeline.stretches.length - shown.length} more changes are in the data)`]
      : []),
    ...timeline.gaps.map(
      ({ from, ms, open }) =>
        `${at(from)}  no answer for ${withResolution(ms, resolutionMs)}${open ? ", still silent at the end" : ""}`,
    ),
    ...(gratuitous === "unknown"
      ? [`gratuitous: unknown (no capture: ${watch.captureFault?.detail ?? "it never listened"})`]
      : gratuitous.length === 0
        ? ["gratuitous: none"]
        : gratuitous.map(({ at: when, mac }) => `${at(when)}  gratuitous frame from ${name(mac)}`)),
  ];
  return {
    verdict: { word, outcome, text: [`${label} · ${words}`] },
    cluster,
    ...(why === "" ? {} : { why: [why] }),
    findings: [],
    blocks: [
      {
        kind: "evidence",
        title:
          `seen from ${vantage.name} (${vantage.clusterNode === undefined ? vantage.place : `cluster node ${vantage.clusterNode}`}), ` +
          `${watch.rate} request${watch.rate === 1 ? "" : "s"} a second, times by ${watch.recorder === "tcpdump" ? `the clock of ${vantage.name}` : "our clock"}, ± ${resolutionMs} ms`,
        lines: lines.flatMap((line) => wrapped(line, 4)),
      },
    ],
    actions: [{ id: "again", label: "Watch again", value: "" }],
    data: {
      ip: subject.ip,
      service: subject.service ?? null,
      vantage: { name: vantage.name, place: vantage.place, clusterNode: vantage.clusterNode ?? null },
      recorder: watch.recorder,
      resolutionMs,
      frames: watch.frames ?? null,
      macs: timeline.macs.map((mac) => {
        const owner = ownerOf(mac);
        return { mac, ...(owner.kind === "node" ? owner.owner : {}) };
      }),
      stretches: timeline.stretches.map((each) => ({ ...each })),
      changes: timeline.changes.map((each) => ({ ...each })),
      gaps: timeline.gaps.map((each) => ({ ...each })),
      gratuitous: gratuitous === "unknown" ? "unknown" : gratuitous.map((each) => ({ ...each })),
      flapping: timeline.flapping,
    },
  };
}
