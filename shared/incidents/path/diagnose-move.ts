import { utcTime } from "../../changes/utc-time.ts";
import { isFault } from "../../fault.ts";
import { withdrawals } from "../../metallb/speaker-log.ts";
import { speakerLogSources } from "../../metallb/speakers.ts";
import { whyNotWords } from "../../metallb/why-not-words.ts";
import { code, type Text, text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import type { Link } from "../link.ts";
import { holds, skipped, unseen } from "../make-link.ts";
import type { DiagnoseOptions, DiagnosePorts, NoSuch } from "../runbook.ts";
import { type Announcement, announcements, movesOf } from "./announcements.ts";
import { changesBeside } from "./changes-beside.ts";
import { conclude } from "./conclude.ts";
import { pathCodes, titleOf } from "./diagnose-path.ts";
import type { PathEvidence } from "./evidence.ts";
import { budget, gatherPath } from "./gather.ts";
import { judgeAddress, predictionOf } from "./judge-address.ts";
import { judgePods } from "./judge-pods.ts";
import { judgeRoute, judgeTcp } from "./judge-reach.ts";
import { judgeWire } from "./judge-wire.ts";
import { fails, type Judged, only, type Reason } from "./reason.ts";
import { relatedChanges } from "./related-changes.ts";
import { seenFrom } from "./seen.ts";
import { within } from "./within.ts";

/** More moves than these within the hour are no failover and no return. */
const manyMoves = 4;

/** Codes that a move can have; what else is broken on the way keeps the code that an unreachable Service has. */
export const moveCodes: readonly string[] = [
  "moved-node-lost",
  "moved-node-deleted",
  "moved-fail-back",
  "moved-not-a-speaker",
  "moved-network-unavailable",
  "moved-exclude-label",
  "moved-cordoned",
  "moved-no-local-endpoint",
  "moved-no-advertisement-selects-node",
  "moved-again-and-again",
  "moved-unexplained",
  "moved-speaker-restarted",
  "same-announcer-unexplained",
  "stale-neighbour",
  "caches-unexplained",
  ...pathCodes,
];

const movedHead = {
  id: "same-announcer",
  title: "One node has announced it all the hour",
  from: "events",
} as const;

type Move = Readonly<{ at: number; from: string; to: string }>;

/** Why MetalLB's rule gives the address to another node than before, from what is true now. */
export function whyMoved(evidence: PathEvidence, { at, from, to }: Move): readonly Reason[] {
  const prediction = predictionOf(evidence);
  const { surroundings, now } = evidence;
  const moved = text`${from} announced it before, ${to} since ${utcTime(at, now)}`;
  const base = {
    link: "same-announcer",
    subject: { kind: "node", name: from },
    facts: { from, to },
    explains: [],
  } as const;
  const one = (what: string, because: Text, next: Text): readonly Reason[] => [
    {
      ...base,
      code: what,
      certain: true,
      text: text`${moved}: ${because}`,
      next: [next, text`Who would take over from ${to}: ${code(`/nodes impact ${to}`)}`],
    },
  ];
  if (prediction === undefined) return [];
  if (!surroundings.objects.nodes.some(({ name }) => name === from))
    return one(
      "moved-node-deleted",
      text`there is no Node ${from} any more`,
      text`Who deleted it: ${code("/arpeggio changes")}`,
    );
  const why = prediction.why[from];
  if (surroundings.notReady.has(from))
    return one(
      "moved-node-lost",
      text`${from} is not Ready`,
      text`The node: ${code(`/runbook run node-lost ${from}`)}`,
    );
  if (why !== undefined)
    return one(
      `moved-${why}`,
      text`${from} may not announce it any more, because ${whyNotWords(why)}`,
      why === "exclude-label"
        ? text`Who set the label: ${code("/arpeggio changes")}; without it ${from} announces again at once`
        : text`${code(`/nodes check ${from}`)}`,
    );
  const [leader] = prediction.order;
  if (leader === to) {
    return one(
      "moved-fail-back",
      text`${to} comes first by hash whenever it is a candidate, so it was none until then and has come back (restarted, joined, or selected again)`,
      text`What happened on ${to}: ${code(`/nodes check ${to}`)}`,
    );
  }
  if (leader === from)
    return [
      {
        ...base,
        code: "moved-speaker-restarted",
        certain: false,
        text: text`${moved}, and ${from} comes first by hash: its speaker restarts or has just come back`,
        next: [
          text`Look again in a minute; ${code(`kubectl get pods -A -o wide -l app.kubernetes.io/component=speaker`)}`,
        ],
      },
      {
        ...base,
        code: "moved-unexplained",
        certain: false,
        text: text`${moved}, and ${from} comes first by hash: its speaker is not in the others' member list`,
        next: [text`${code(`/nodes check ${from}`)} (port 7946)`],
      },
    ];
  return [
    {
      ...base,
      code: "moved-unexplained",
      certain: false,
      text: text`${moved}, and neither is elected now (${leader ?? "nobody"} is): it is still on its way`,
      next: [text`Watch it: ${code(`/arping watch ${evidence.subject.word} --for 60s`)}`],
    },
    {
      ...base,
      code: "moved-again-and-again",
      certain: false,
      text: text`speakers do not agree on who is a member`,
      next: [text`${code("/nodes check")} (port 7946 between nodes)`],
    },
  ];
}

/** Lines of a speaker's log that an hour may fill. */
const logLines = 5_000;
const hourSeconds = 3_600;
const logMs = 2_000;

/** How often speakers gave the address up within the hour, over all that announced it. Logs that are away count none. */
async function countWithdrawals(
  { logs, clock }: DiagnosePorts,
  { surroundings, subject }: PathEvidence,
  seen: readonly Announcement[],
  signal: AbortSignal,
): Promise<number> {
  const { ip } = subject;
  const nodes = new Set(seen.map(({ node }) => node));
  const sources = speakerLogSources(surroundings.objects).filter(({ node }) => nodes.has(node));
  if (ip === undefined || nodes.size < 2) return 0;
  const until = clock.now() + logMs;
  const counts = await Promise.all(
    sources.slice(0, 6).map(async ({ node, ...where }) => {
      const what = `log of ${where.pod} on ${node}`;
      const read = await within(clock, { until, what, signal }, (late) =>
        logs({ ...where, tailLines: logLines, sinceSeconds: hourSeconds }, late),
      );
      return read.ok ? withdrawals(read.evidence, ip).length : 0;
    }),
  );
  return counts.reduce((sum, each) => sum + each, 0);
}

function movedLink(
  evidence: PathEvidence,
  seen: readonly Announcement[],
  moves: readonly Move[],
  withdrawn: number,
): Judged {
  const { subject, now } = evidence;
  const lines = seen.map(
    ({ node, first, last, times }) =>
      `${utcTime(first, now)} to ${utcTime(last, now)}  ${node}  ${times} times`,
  );
  const shown = { title: "nodeAssigned events", lines };
  const last = moves.at(-1);
  // Events keep each node's first and last moment only; the logs of those that gave it up count what lies between.
  const often = Math.max(moves.length, withdrawn);
  if (seen.length === 0)
    return only(
      unseen(movedHead, {
        kind: "not-configured",
        what: "nodeAssigned events",
        detail: "none is left: they live about an hour, so who announced before that is not known",
      }),
    );
  if (last === undefined)
    return only(
      holds(movedHead, text`${seen[0]?.node ?? ""}, in every event that is left (about an hour)`, {
        evidence: shown,
      }),
    );
  const reasons: readonly Reason[] =
    often >= manyMoves
      ? [
          {
            code: "moved-again-and-again",
            link: "same-announcer",
            certain: true,
            explains: [],
            subject: { kind: "address", name: subject.ip ?? subject.word },
            text: text`it changed hands ${often} times within the hour (last ${last.from} to ${last.to} at ${utcTime(last.at, now)}): speakers lose and find each other`,
            facts: { moves: moves.map(({ at, from, to }) => `${new Date(at).toISOString()} ${from} ${to}`) },
            next: [text`Port 7946 between the nodes: ${code("/nodes check")}`],
          },
        ]
      : whyMoved(evidence, last);
  const [first, ...rest] = reasons;
  const because = text`${last.from} until ${utcTime(last.at, now)}, then ${last.to}${often > 1 ? ` (${often} moves)` : ""}`;
  if (first === undefined) {
    const fallback = whyMovedUnknown(evidence, last);
    return fails(movedHead, because, fallback, shown);
  }
  return fails(movedHead, because, [first, ...rest], shown);
}

const whyMovedUnknown = (evidence: PathEvidence, { from, to, at }: Move): readonly [Reason, Reason] => {
  const base = {
    link: "same-announcer",
    certain: false,
    explains: [],
    subject: { kind: "node", name: from },
  } as const;
  const moved = text`${from} announced it before, ${to} since ${utcTime(at, evidence.now)}`;
  return [
    {
      ...base,
      code: "moved-node-lost",
      text: text`${moved}: ${from} was lost for a while`,
      next: [text`${code(`/runbook run node-lost ${from}`)}`],
    },
    {
      ...base,
      code: "moved-unexplained",
      text: text`${moved}: something else changed the candidates`,
      next: [text`${code("/arpeggio changes")}`],
    },
  ];
};

/** Clients of the segment that still send to the MAC of somebody else, and the router by the machine it leads to. */
function cachesLink(evidence: PathEvidence): Judged {
  const head = { id: "caches", title: "Clients and router hold the MAC of who announces" } as const;
  const { wire, clients, subject, surroundings } = evidence;
  const verdict = wire?.ok ? wire.evidence.verdict : undefined;
  if (verdict?.node === undefined || verdict.answers.length !== 1)
    return only(skipped(head, text`who announces is not known, so nothing can be out of date`));
  const right = verdict.answers[0]?.mac ?? "";
  const cached = clients.flatMap(({ vantage, neighbour }) =>
    neighbour?.ok && neighbour.evidence !== undefined
      ? [{ vantage: vantage.name, mac: neighbour.evidence }]
      : [],
  );
  const ownerOf = (mac: string): string => {
    const owner = surroundings.table.ownerOf(mac);
    return owner.kind === "node" ? `${owner.owner.node} ${owner.owner.nic}` : "no node";
  };
  const lines = cached.map(({ vantage, mac }) => `${vantage}  ${mac}  ${ownerOf(mac)}`);
  const stale = cached.filter(({ mac }) => mac !== right);
  const [first] = stale;
  const hops = clients.flatMap(({ hops: way }) => (way?.ok ? way.evidence.nodes.slice(0, 1) : []));
  const shown = { title: "neighbour tables", lines };
  if (first !== undefined) {
    const because = text`${stale.map(({ vantage }) => vantage).join(", ")} ${stale.length === 1 ? "holds" : "hold"} ${first.mac} (${ownerOf(first.mac)}) for ${code(subject.ip ?? "")}, and ${verdict.node} announces it with ${right}`;
    return fails(
      { ...head, from: stale.map(({ vantage }) => vantage).join(", ") },
      because,
      [
        {
          code: "stale-neighbour",
          link: "caches",
          certain: true,
          explains: [],
          severity: "warning",
          subject: { kind: "address", name: subject.ip ?? "" },
          text: because,
          facts: { stale: stale.map(({ vantage, mac }) => `${vantage} ${mac}`) },
          next: [
            text`It corrects itself when the entry is next confirmed; at once: ${code(`sudo ip neigh flush to ${subject.ip ?? ""}`)} on ${first.vantage}`,
          ],
        },
      ],
      shown,
    );
  }
  if (cached.length === 0 && hops.length === 0)
    return only(skipped(head, text`no client had an entry, and no way over the router was seen`));
  return only(
    holds(
      head,
      text`${[...cached.map(({ vantage }) => vantage), ...(hops.length > 0 ? [`the router (leads to ${hops.join(", ")})`] : [])].join(", ")}`,
      { evidence: shown },
    ),
  );
}

/** Who announced before, who does now, why, and who has not noticed. */
export async function diagnoseMove(
  ports: DiagnosePorts,
  word: string,
  options: DiagnoseOptions,
): Promise<Diagnosis | NoSuch> {
  const startedAt = ports.clock.now();
  const evidence = await gatherPath(ports, word, { ...options, names: false, whole: budget.whole - logMs });
  if ("noSuch" in evidence) return evidence;
  const { subject, lists } = evidence;
  if (subject.service === undefined)
    return {
      noSuch: text`no Service has ${code(word)}, so nobody announces it`,
      next: [text`${code(`/runbook run two-announcers ${word}`)}`],
    };
  const seen = announcements(lists.events, subject.service);
  const address = judgeAddress(evidence);
  const moves = isFault(seen) ? [] : movesOf(seen);
  const withdrawn = isFault(seen) ? 0 : await countWithdrawals(ports, evidence, seen, options.signal);
  const judged: readonly Judged[] = [
    ...address,
    isFault(seen) ? only(unseen(movedHead, seen)) : movedLink(evidence, seen, moves, withdrawn),
    ...judgeWire(
      evidence,
      address.map(({ link }) => link),
    ),
    cachesLink(evidence),
    judgeRoute(evidence),
    judgeTcp(evidence),
    ...judgePods(evidence),
  ];
  const changed = await changesBeside(ports, lists, startedAt);
  const links = judged.map(({ link }) => link);
  const node = evidence.wire?.ok ? evidence.wire.evidence.verdict.node : undefined;
  const { conclusion, unexplained } = conclude(judged, {
    summary: text`it did not move within the hour: ${node ?? predictionOf(evidence)?.order[0] ?? "one node"} announces it, as elected`,
    needed: ["same-announcer", "announcer", "arp"],
    proven: (all) => all.some(({ id, outcome }) => id === "arp" && outcome === "passed"),
  });
  return {
    runbook: "announcer-moved",
    subject: { kind: "service", name: subject.service },
    title: titleOf({ ...evidence, subject: { ...subject, hostname: undefined } }),
    links,
    conclusion,
    findings: [
      ...unexplained.map((link: Link) => ({
        code: "link-not-explained",
        severity: "warning" as const,
        subject: { kind: "config" as const, name: link.id },
        facts: {},
        text: text`“${link.title}” fails too: ${link.because}`,
      })),
      ...links.flatMap((link) => (link.outcome === "passed" ? link.findings : [])),
      ...relatedChanges(evidence, conclusion, changed.changes),
    ],
    seen: seenFrom(evidence),
    ...changed,
    startedAt,
    endedAt: ports.clock.now(),
    facts: {
      service: subject.service,
      ip: subject.ip ?? null,
      now: node ?? null,
      predicted: [...(predictionOf(evidence)?.order ?? [])],
      moves: moves.map(({ at, from, to }) => ({ at: new Date(at).toISOString(), from, to })),
    },
  };
}
