import wrapAnsi from "wrap-ansi";
import { isFault } from "../fault.ts";
import type { Json } from "../json.ts";
import { whyNotWords } from "../metallb/why-not-words.ts";
import type { Action, Block, Reply } from "../reply.ts";
import { code, type Text, text } from "../text.ts";
import type { Claim } from "./claims.ts";
import { claimedNodes } from "./claims.ts";
import type { Investigation } from "./investigate.ts";
import type { ArpEvidence } from "./judge.ts";
import { anyOf, couldBeOf, nodeNames, ownerText } from "./judge.ts";
import type { MacTable } from "./mac-table.ts";
import type { Unaddressed } from "./subject.ts";
import type { VerdictCode } from "./verdict-codes.ts";
import { verdictOutcome, verdictWord } from "./verdict-codes.ts";

const again: Action = { id: "again", label: "Probe again", value: "" };

/** `14:02:11 UTC`, with the date when it is another day than `now`. */
export function utc(at: number, now: number): string {
  const [date = "", time = ""] = new Date(at).toISOString().split("T");
  const today = new Date(now).toISOString().slice(0, 10);
  return `${date === today ? "" : `${date} `}${time.slice(0, 8)} UTC`;
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** `seen from ops-host (lan-wired), 3 broadcasts, 2.1 s`; who saw it is part of every claim. */
export function seenFrom(result: Investigation): string {
  const { vantage, evidence, seconds } = result;
  if (vantage === undefined) return "nobody could look";
  const place = vantage.clusterNode === undefined ? vantage.place : `cluster node ${vantage.clusterNode}`;
  const sent = evidence.wire.kind === "looked" ? `, ${plural(evidence.wire.sent, "broadcast")}` : "";
  return `seen from ${vantage.name} (${place})${sent}${seconds === undefined ? "" : `, ${seconds.toFixed(1)} s`}`;
}

/** Columns of evidence that fit a terminal of 80 with its indent. */
const evidenceColumns = 76;

/** Wraps at words; what follows the first line hangs under `hang` blanks. Only a word too long for a line is broken. */
export function wrapped(line: string, hang: number): readonly string[] {
  if (line.length <= evidenceColumns) return [line];
  const body = line.trimStart();
  const lead = line.slice(0, Math.min(line.length - body.length, hang));
  return wrapAnsi(body, evidenceColumns - hang, { hard: true, trim: true })
    .split("\n")
    .map((part, i) => (i === 0 ? lead : " ".repeat(hang)) + part);
}

const claimNote = (claim: Claim, now: number): string => {
  switch (claim.kind) {
    case "node":
      return [claim.at === undefined ? "" : utc(claim.at, now), ...claim.doubts].filter(Boolean).join("; ");
    case "nodes":
      return claim.doubts.join("; ");
    case "none":
      return claim.because;
    case "unknown":
      return `${claim.fault.what}: ${claim.fault.detail}`;
  }
};

const claimNode = (claim: Claim): string =>
  claim.kind === "unknown"
    ? "unknown"
    : claimedNodes(claim).join(claim.kind === "nodes" && claim.oneOf ? " or " : ", ") || "nobody";

function wireRow(result: Investigation): SourceRow {
  const { verdict, evidence } = result;
  if (evidence.wire.kind === "not-looked")
    return ["wire", "unknown", `${evidence.wire.fault.what}: ${evidence.wire.fault.detail}`];
  const nodes = [
    ...new Set(
      verdict.answers.flatMap(({ ownership }) => (ownership.kind === "node" ? [ownership.owner.node] : [])),
    ),
  ];
  const macs = plural(verdict.answers.length, "MAC");
  const notes: Partial<Record<VerdictCode, string>> = {
    "two-nics": `${macs}, one node: dual-homed, not split brain`,
    "two-nodes": `${macs}, ${plural(nodes.length, "node")}: split brain or a second announcer`,
    "foreign-mac": `${macs}, at least one of no node`,
    "proxy-arp": `${macs}; the address nobody uses is answered too`,
    silence: `no answer to ${plural(evidence.wire.sent, "broadcast")}`,
  };
  const possible = [...new Set(verdict.answers.flatMap(({ ownership }) => couldBeOf(ownership)))];
  const who =
    nodes.join(", ") ||
    (verdict.answers.length === 0 ? "nobody" : possible.length > 0 ? "unknown" : "no node");
  const could = possible.length > 0 ? `could be ${anyOf(possible)}; ${macs}` : macs;
  return ["wire", who, notes[verdict.code] ?? could];
}

/** One source of evidence: its name, the node it names, and what is to be said about it. */
export type SourceRow = readonly [source: string, who: string, note: string];

/** The four sources in the order of their truth, one line each. `wire` is what was seen, in its own words. */
export function sourceLines(wire: SourceRow, evidence: ArpEvidence, now: number): readonly string[] {
  const { prediction } = evidence;
  const [predicted, next] = isFault(prediction) ? [] : prediction.order;
  const rows: readonly SourceRow[] = [
    wire,
    [
      "status",
      claimNode(evidence.status),
      [claimedNodes(evidence.status).length > 0 ? "ServiceL2Status" : "", claimNote(evidence.status, now)]
        .filter(Boolean)
        .join(", "),
    ],
    ["event", claimNode(evidence.event), claimNote(evidence.event, now)],
    isFault(prediction)
      ? ["prediction", "unknown", `${prediction.what}: ${prediction.detail}`]
      : [
          "prediction",
          predicted ?? "nobody",
          prediction.configError ??
            (predicted === undefined
              ? [...new Set(Object.values(prediction.why))].map(whyNotWords).join("; ")
              : `next if it dies: ${next ?? "nobody"}`),
        ],
  ];
  const widest = Math.min(30, Math.max(...rows.map(([, who]) => who.length)));
  return rows.flatMap(([source, who, note]) =>
    wrapped(`${source.padEnd(12)} ${who.padEnd(widest)}  ${note}`.trimEnd(), 15 + widest),
  );
}

function answerLines(result: Investigation): readonly string[] {
  const { answers } = result.verdict;
  const owners = answers.map(({ ownership }) => ownerText(ownership));
  const widest = Math.max(0, ...owners.map((owner) => owner.length));
  return answers.map(
    ({ mac, replies }, i) =>
      `${mac}  ${owners[i]?.padEnd(widest)}  ${replies} ${replies === 1 ? "reply" : "replies"}`,
  );
}

/** What a machine gets: the same facts under stable names. */
export function investigationData(result: Investigation): Json {
  const { verdict, evidence, vantage } = result;
  const claim = (each: Claim): Json => ({
    nodes: claimedNodes(each),
    ...(each.kind === "unknown" ? { unknown: { ...each.fault } } : {}),
    ...(each.kind === "node" && each.at !== undefined ? { at: new Date(each.at).toISOString() } : {}),
    ...(each.kind === "node" || each.kind === "nodes" ? { doubts: each.doubts } : {}),
  });
  const { prediction, wire } = evidence;
  return {
    ip: result.ip,
    service: result.service ?? null,
    verdict: verdict.code,
    node: verdict.node ?? null,
    nic: verdict.nic ?? null,
    macs: verdict.answers.map(({ mac, replies, ownership }) => ({
      mac,
      replies,
      ...(ownership.kind === "node" ? ownership.owner : {}),
      ...(ownership.kind === "could-be" ? { couldBe: ownership.nodes } : {}),
      ...(ownership.kind === "several-nodes"
        ? { several: ownership.owners.map((each) => ({ ...each })) }
        : {}),
    })),
    wire:
      wire.kind === "looked"
        ? {
            broadcasts: wire.sent,
            nodes: [
              ...new Set(
                verdict.answers.flatMap(({ ownership }) =>
                  ownership.kind === "node" ? [ownership.owner.node] : [],
                ),
              ),
            ],
          }
        : { unknown: { ...wire.fault } },
    status: claim(evidence.status),
    event: claim(evidence.event),
    prediction: isFault(prediction)
      ? { unknown: { ...prediction } }
      : { order: prediction.order, pool: prediction.pool ?? null },
    next: verdict.next ?? null,
    disagreements: verdict.disagreements,
    caveats: verdict.caveats,
    candidates: verdict.candidates.map((each) => ({ ...each })),
    vantage: vantage
      ? {
          name: vantage.name,
          place: vantage.place,
          clusterNode: vantage.clusterNode ?? null,
          nic: result.nic ?? null,
        }
      : null,
    program: result.program ? { ...result.program } : null,
    route: result.route === undefined ? null : { ...result.route },
    frames: result.frames,
    seconds: result.seconds ?? null,
    resolution: "1 s",
  };
}

const routeNote = (result: Investigation): readonly string[] => {
  const { route, vantage } = result;
  if (route === undefined || isFault(route) || vantage === undefined) return [];
  if (route.kind === "via")
    return [
      `${vantage.name} sends to it through ${route.gateway}, not on the segment: an ARP answer does not make it reachable from there`,
    ];
  return route.kind === "unreachable" ? [`${vantage.name} has no route to it (${route.because})`] : [];
};

/** Which nodes' MACs are not known, and why; several with the same kind of fault in one line, the first of many named. */
export function unreadNotes({ unread }: MacTable): readonly string[] {
  if (unread.length <= 2) return unread.map(({ node, fault }) => `${node} was not read: ${fault.detail}`);
  const byKind = new Map<string, typeof unread>();
  for (const each of unread) byKind.set(each.fault.kind, [...(byKind.get(each.fault.kind) ?? []), each]);
  return [...byKind.values()].map((same) => {
    const names = nodeNames(same.map(({ node }) => node));
    return same.length === 1
      ? `${names} was not read: ${same[0]?.fault.detail}`
      : `${same.length} nodes were not read: ${names} (the first: ${same[0]?.fault.detail})`;
  });
}

/** The answer about one address. Two lines when all is well; else why, the evidence, the four sources, what next. */
export function investigationReply(
  cluster: string,
  label: string,
  result: Investigation,
  notes: readonly string[],
): Reply {
  const { verdict } = result;
  const seen = seenFrom(result);
  const healthy = verdictOutcome(verdict.code) === "ok";
  const remarks = [
    ...verdict.disagreements.map((each) => `differs: ${each}`),
    ...[
      ...verdict.caveats,
      ...routeNote(result),
      ...(healthy ? [] : unreadNotes(result.evidence.table)),
      ...notes,
    ].map((each) => `note: ${each}`),
  ];
  const blocks: Block[] = [];
  if (!healthy || verdict.disagreements.length > 0)
    blocks.push({
      kind: "evidence",
      title: seen,
      lines: [
        ...answerLines(result),
        ...(verdict.answers.length > 0 ? [""] : []),
        ...sourceLines(wireRow(result), result.evidence, result.endedAt),
      ],
    });
  // A single cause stands under the verdict already; only its test is left to say.
  const [only, second] = verdict.candidates;
  if (second !== undefined)
    blocks.push({
      kind: "prose",
      text: [
        "Causes, likeliest first:",
        ...verdict.candidates.flatMap(
          ({ text: cause, test, seen: isSeen }, i) =>
            text`\n${i + 1}. ${isSeen ? "" : "perhaps: "}${cause} Test: ${code(test)}`,
        ),
      ],
    });
  if (remarks.length > 0)
    blocks.push({ kind: "evidence", title: "", lines: remarks.flatMap((each) => wrapped(each, 9)) });
  const next: Text[] = [
    ...(only !== undefined && second === undefined ? [text`${code(only.test)}`] : []),
    ...verdict.nextCommands.map((command) => text`${code(command)}`),
    ...verdict.fixes.map((fix) => [`Fix: ${fix}`]),
  ];
  const why = [verdict.why, healthy ? seen : ""].filter(Boolean).join(" ");
  return {
    verdict: {
      word: verdictWord[verdict.code],
      outcome: verdictOutcome(verdict.code),
      text: [`${label} · ${verdict.headline}`],
    },
    cluster,
    ...(why === "" ? {} : { why: [why] }),
    findings: [],
    blocks,
    ...(next.length === 0 ? {} : { next }),
    actions: [again],
    data: investigationData(result),
  };
}

const weight: Readonly<Record<ReturnType<typeof verdictOutcome>, number>> = { failed: 0, unknown: 1, ok: 2 };

/** Failures first, then what could not be looked at, then the rest by address. */
const worstFirst = (a: Investigation, b: Investigation): number =>
  weight[verdictOutcome(a.verdict.code)] - weight[verdictOutcome(b.verdict.code)];

/** The answer about many addresses: the count first, then one row each, failures first. */
export function overviewReply(
  cluster: string,
  results: readonly Investigation[],
  without: readonly Unaddressed[],
  labelOf: (result: Investigation) => string,
  notes: readonly string[],
): Reply {
  const sorted = results.toSorted(worstFirst);
  const count = (outcome: ReturnType<typeof verdictOutcome>): number =>
    results.filter(({ verdict }) => verdictOutcome(verdict.code) === outcome).length +
    without.filter((each) => each.outcome === outcome).length;
  const [failed, unknown, ok] = [count("failed"), count("unknown"), count("ok")];
  const total = results.length + without.length;
  const outcome = failed > 0 ? "failed" : unknown > 0 || total === 0 ? "unknown" : "ok";
  const worst = sorted.find(({ verdict }) => verdictOutcome(verdict.code) === outcome)?.verdict.code;
  const word = worst === undefined ? (outcome === "failed" ? "SILENT" : "UNKNOWN") : verdictWord[worst];
  const what = without.length === 0 ? "addresses" : "addresses and Services";
  const summary = [
    ...(failed > 0 ? [`${failed} of ${total} ${what} need you`] : []),
    ...(unknown > 0 ? [`${unknown} could not be judged`] : []),
    ok === total ? `all ${ok} addresses answered as predicted` : `${ok} answered as predicted`,
  ];
  const unaddressedRow = ({ service, outcome: how, because }: Unaddressed): readonly Text[] => [
    [how === "failed" ? "SILENT" : "UNKNOWN"],
    [service],
    ["no address"],
    ["nobody"],
    [because],
  ];
  const frames = results.reduce((sum, each) => sum + each.frames, 0);
  const [first] = sorted;
  const waiting = without.find((each) => each.outcome === "failed");
  const next: readonly Text[] =
    first && verdictOutcome(first.verdict.code) === "failed"
      ? [text`${code(`/arping ${first.ip}`)}`]
      : waiting
        ? [
            text`${code(`kubectl -n ${waiting.service.split("/")[0]} describe service ${waiting.service.split("/")[1]}`)}`,
          ]
        : [];
  const vantages = [...new Set(results.flatMap(({ vantage }) => (vantage ? [vantage.name] : [])))];
  return {
    verdict: { word, outcome, text: [summary.join(", ")] },
    cluster,
    why: [`Seen from ${vantages.join(", ") || "nowhere"}, ${plural(frames, "ARP request")} sent.`],
    findings: [],
    blocks: [
      {
        kind: "table",
        columns: [
          { title: "verdict" },
          { title: "service" },
          { title: "answers" },
          { title: "predicted" },
          { title: "what" },
        ],
        rows: (["failed", "unknown", "ok"] as const).flatMap((each) => [
          ...sorted
            .filter(({ verdict }) => verdictOutcome(verdict.code) === each)
            .map((result) => [
              [verdictWord[result.verdict.code]],
              [labelOf(result)],
              [result.verdict.answers.map(({ ownership }) => ownerText(ownership)).join(", ") || "nobody"],
              [result.verdict.predicted ?? (isFault(result.evidence.prediction) ? "unknown" : "nobody")],
              [result.verdict.code],
            ]),
          ...without.filter((one) => one.outcome === each).map(unaddressedRow),
        ]),
      },
      ...(notes.length === 0
        ? []
        : [
            {
              kind: "evidence",
              title: "",
              lines: notes.flatMap((each) => wrapped(`note: ${each}`, 6)),
            } as const,
          ]),
    ],
    ...(next.length === 0 ? {} : { next }),
    actions: [again],
    data: {
      addresses: sorted.map(investigationData),
      withoutAddress: without.map((each) => ({ ...each })),
      frames,
    },
  };
}
