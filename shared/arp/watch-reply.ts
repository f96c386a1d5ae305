import { isFault } from "../fault.ts";
import type { Reply } from "../reply.ts";
import type { Vantage } from "../site/site.ts";
import { code, text } from "../text.ts";
import { claimedNodes } from "./claims.ts";
import type { Subject } from "./investigate.ts";
import type { ArpEvidence, ArpVerdict, Wire } from "./judge.ts";
import { anyOf, couldBeOf, judge, ownerText } from "./judge.ts";
import type { MacOwnership } from "./mac-table.ts";
import type { Timeline } from "./timeline.ts";
import type { VerdictCode } from "./verdict-codes.ts";
import { verdictWord } from "./verdict-codes.ts";
import type { SourceRow } from "./verdict-reply.ts";
import { sourceLines, unreadNotes, wrapped } from "./verdict-reply.ts";
import type { Watch } from "./watch.ts";

/** `14:02:11.3 UTC`, with no more digits than the sampling period is worth. */
const clock = (at: number, resolutionMs: number): string =>
  `${new Date(at).toISOString().slice(11, resolutionMs < 1000 ? 21 : 19)} UTC`;

type Summary = Readonly<{
  word: string;
  outcome: Reply["verdict"]["outcome"];
  /** What follows the subject in the first line. */
  words: string;
  why: string;
  code: VerdictCode | "moved";
}>;

/** A duration with what it is worth: nothing here is known better than one sampling period. */
export const withResolution = (ms: number, resolutionMs: number): string => {
  const digits = resolutionMs < 1000 ? 1 : 0;
  return `${(ms / 1000).toFixed(digits)} s ± ${(resolutionMs / 1000).toFixed(digits)} s`;
};

/** Whose a MAC is, in a few words. */
export const macWords = (mac: string, owner: MacOwnership): string =>
  owner.kind === "node" ? ownerText(owner) : `${mac} (${ownerText(owner)})`;

/** What a watch is judged by: every MAC that answered, each as a probe would have judged it. */
type Judged = Readonly<{
  timeline: Timeline;
  evidence: ArpEvidence;
  name: (mac: string) => string;
  verdictOf: (macs: readonly string[]) => ArpVerdict;
}>;

const seconds = ({ from, to }: Timeline): number => Math.round((to - from) / 1000);

function gapWords({ gaps, resolutionMs }: Timeline): string {
  const silent = gaps.reduce((sum, gap) => sum + gap.ms, 0);
  return gaps.length === 0
    ? "no gap"
    : `${gaps.length} gap${gaps.length === 1 ? "" : "s"}, ${withResolution(silent, resolutionMs)} in all`;
}

/** `karstark eth0 to bettley eth0`, with every owner on the way; `and back` when the first one has it again. */
const pathWords = ({ stretches }: Timeline, name: (mac: string) => string): string => {
  const [first, ...others] = stretches.map(({ mac }) => mac);
  if (others.length === 2 && others[1] === first)
    return `${name(first ?? "")} to ${name(others[0] ?? "")} and back`;
  return `${name(first ?? "")} to ${others.slice(0, 4).map(name).join(" to ")}${others.length > 4 ? " and so on" : ""}`;
};

/** The address changed hands. Fine when it ends where it should, or left the predicted node for another candidate. */
function movedSummary({ timeline, evidence, name, verdictOf }: Judged): Summary {
  const { changes, gaps, macs } = timeline;
  const last = verdictOf([changes.at(-1)?.to ?? ""]);
  const words = `${pathWords(timeline, name)}, ${gapWords(timeline)}`;
  const times = `The address changed hands ${changes.length === 1 ? "once" : `${changes.length} times`}.`;
  const order = isFault(evidence.prediction) ? [] : evidence.prediction.order;
  const wasPredicted = macs.some((mac) => verdictOf([mac]).code === "expected");
  const tookOver = last.code === "elsewhere" && wasPredicted && order.includes(last.node ?? "");
  if (last.code === "expected" || tookOver)
    return {
      word: "MOVED",
      outcome: gaps.some(({ open }) => open) ? "failed" : "info",
      words,
      why: tookOver ? `${times} Predicted when the watch began: ${order.join(", then ")}.` : times,
      code: "moved",
    };
  if (last.code === "answered" || last.code === "could-not-look")
    return {
      word: gaps.some(({ open }) => open) ? "MOVED" : "UNKNOWN",
      outcome: gaps.some(({ open }) => open) ? "failed" : "unknown",
      words,
      why: `${times} ${last.why}`,
      code: last.code,
    };
  return {
    word: verdictWord[last.code],
    outcome: "failed",
    words: `${words}; ${last.headline}`,
    why: `${times} ${last.why}`,
    code: last.code,
  };
}

function summary(judged: Judged): Summary {
  const { timeline, name, verdictOf } = judged;
  const { macs, changes, gaps, flapping } = timeline;
  const [first] = macs;
  if (first === undefined) {
    const silent = verdictOf([]);
    const words = `nobody answered for ${seconds(timeline)} s`;
    if (silent.code === "free")
      return { word: "FREE", outcome: "ok", words: `${words}, and no Service has it`, why: "", code: "free" };
    return silent.code === "silence"
      ? { word: "SILENT", outcome: "failed", words, why: silent.why, code: "silence" }
      : { word: "UNKNOWN", outcome: "unknown", words: silent.headline, why: silent.why, code: silent.code };
  }
  if (flapping.length > 0) {
    const conflict = verdictOf(flapping);
    return {
      word: "CONFLICT",
      outcome: "failed",
      words: `${flapping.length} MACs take turns: ${flapping.map(name).join(", ")}`,
      why: `Two responders, not a take-over. ${conflict.why}`.trim(),
      code: conflict.code,
    };
  }
  const stranger = macs.map((mac) => verdictOf([mac])).find((each) => each.code === "foreign-mac");
  if (stranger)
    return {
      word: verdictWord[stranger.code],
      outcome: "failed",
      words: stranger.headline,
      why: stranger.why,
      code: stranger.code,
    };
  if (changes.length > 0) return movedSummary(judged);
  const only = verdictOf([first]);
  if (gaps.length > 0)
    return {
      word: "SILENT",
      outcome: "failed",
      words: `${name(first)} answers, with ${gapWords(timeline)}`,
      why: only.code === "expected" ? "" : only.why,
      code: "silence",
    };
  switch (only.code) {
    case "expected":
      return {
        word: "OK",
        outcome: "ok",
        words: `${name(first)} answered throughout ${seconds(timeline)} s, as predicted`,
        why: "",
        code: only.code,
      };
    case "answered":
    case "could-not-look":
      return {
        word: "UNKNOWN",
        outcome: "unknown",
        words: `${name(first)} answered throughout ${seconds(timeline)} s; ${only.code === "answered" ? "nothing to compare it with" : "whose it is, is not known"}`,
        why: only.why,
        code: only.code,
      };
    default:
      return {
        word: verdictWord[only.code],
        outcome: "failed",
        words: only.headline,
        why: only.why,
        code: only.code,
      };
  }
}

function wireRow({ timeline, verdictOf }: Judged): SourceRow {
  const owners = verdictOf(timeline.macs).answers.map(({ ownership }) => ownership);
  const who = [
    ...new Set(
      owners.map((owner) =>
        owner.kind === "node" ? owner.owner.node : owner.kind === "nobody" ? "no node" : "unknown",
      ),
    ),
  ];
  const possible = [...new Set(owners.flatMap(couldBeOf))];
  return [
    "wire",
    who.join(", ") || "nobody",
    `${possible.length > 0 ? `could be ${anyOf(possible)}; ` : ""}${timeline.macs.length} MAC${timeline.macs.length === 1 ? "" : "s"} in ${seconds(timeline)} s`,
  ];
}

const shownTurns = 6;
const shownStretches = 50;

/** What a watch saw: owner changes, gaps and gratuitous frames, each with its time and what the time is worth. */
export function watchReply(
  cluster: string,
  label: string,
  subject: Subject,
  vantage: Vantage,
  watch: Watch,
  evidenceOf: (wire: Wire) => ArpEvidence,
  notes: readonly string[],
): Reply {
  const { timeline } = watch;
  const verdicts = new Map<string, ArpVerdict>();
  const verdictOf = (macs: readonly string[]): ArpVerdict => {
    const key = macs.join(" ");
    const known =
      verdicts.get(key) ??
      judge(
        evidenceOf({
          kind: "looked",
          answers: macs.map((mac) => ({ mac, replies: 1 })),
          // How often each answered is the timeline's to tell; here it is only asked whose they are.
          sent: 1,
        }),
      );
    verdicts.set(key, known);
    return known;
  };
  const evidence = evidenceOf({ kind: "looked", answers: [], sent: 1 });
  const ownerOf = evidence.table.ownerOf;
  const name = (mac: string): string => macWords(mac, ownerOf(mac));
  const judged: Judged = { timeline, evidence, name, verdictOf };
  const { word, outcome, words, why, code: verdict } = summary(judged);
  const { resolutionMs, gratuitous } = timeline;
  const at = (ms: number): string => clock(ms, resolutionMs);
  // Two that take turns make a line every time; the first few show it, the rest would hide the sources below.
  const shown = timeline.stretches.slice(0, timeline.flapping.length > 0 ? shownTurns : shownStretches);
  const lines = [
    ...shown.map(
      ({ mac, from, to, replies }) =>
        `${at(from)}  ${name(mac)} answers, ${replies} ${replies === 1 ? "reply" : "replies"} until ${at(to)}`,
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
    "",
    ...sourceLines(wireRow(judged), evidence, timeline.to),
  ];
  const ending = verdictOf(timeline.macs.length === 0 ? [] : [timeline.stretches.at(-1)?.mac ?? ""]);
  const remarks = [
    ...ending.disagreements.map((each) => `differs: ${each}`),
    ...[...ending.caveats, ...unreadNotes(evidence.table), ...notes].map((each) => `note: ${each}`),
  ];
  const next = [
    ...ending.candidates.slice(0, 1).map(({ test }) => test),
    ...(outcome === "ok" || outcome === "info" ? [] : ending.nextCommands),
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
      ...(remarks.length === 0
        ? []
        : [
            {
              kind: "evidence",
              title: "",
              lines: remarks.flatMap((each) => wrapped(each, 9)),
            } as const,
          ]),
    ],
    ...(next.length === 0 ? {} : { next: next.map((command) => text`${code(command)}`) }),
    actions: [{ id: "again", label: "Watch again", value: "" }],
    data: {
      ip: subject.ip,
      service: subject.service ?? null,
      verdict,
      vantage: { name: vantage.name, place: vantage.place, clusterNode: vantage.clusterNode ?? null },
      recorder: watch.recorder,
      resolutionMs,
      frames: watch.frames ?? null,
      macs: timeline.macs.map((mac) => {
        const owner = ownerOf(mac);
        return {
          mac,
          verdict: verdictOf([mac]).code,
          ...(owner.kind === "node" ? owner.owner : {}),
          ...(owner.kind === "could-be" ? { couldBe: owner.nodes } : {}),
        };
      }),
      status: claimedNodes(evidence.status),
      event: claimedNodes(evidence.event),
      prediction: isFault(evidence.prediction)
        ? { unknown: { ...evidence.prediction } }
        : { order: evidence.prediction.order },
      disagreements: ending.disagreements,
      unread: evidence.table.unread.map(({ node }) => node),
      stretches: timeline.stretches.map((each) => ({ ...each })),
      changes: timeline.changes.map((each) => ({ ...each })),
      gaps: timeline.gaps.map((each) => ({ ...each })),
      gratuitous: gratuitous === "unknown" ? "unknown" : gratuitous.map((each) => ({ ...each })),
      flapping: timeline.flapping,
    },
  };
}
