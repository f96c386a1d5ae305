import { type Claim, claimedNodes } from "../../arp/claims.ts";
import type { Investigation } from "../../arp/investigate.ts";
import { ownerText } from "../../arp/judge.ts";
import { theLanNic } from "../../arp/mac-table.ts";
import type { SilenceCandidate } from "../../arp/silence.ts";
import type { Fault } from "../../fault.ts";
import { isFailure } from "../../finding.ts";
import { code, type Text, text } from "../../text.ts";
import type { Link } from "../link.ts";
import { broken, holds, skipped, unseen } from "../make-link.ts";
import type { PathEvidence } from "./evidence.ts";
import { predictionOf } from "./judge-address.ts";
import { lostNode } from "./lost-node.ts";
import { fails, findingOf, type Judged, only, type PathLink, type Reason } from "./reason.ts";

const heads = {
  announcer: { id: "announcer", title: "The elected node announces it" },
  nic: { id: "nic", title: "It answers on the node's LAN interface" },
  arp: { id: "arp", title: "Exactly one MAC answers ARP" },
} as const;

/** Causes of silence that belong to a link of their own; the rest are readings of the silence itself. */
const linkOfSilence: Readonly<Record<string, PathLink>> = {
  "leader-no-usable-nic": "nic",
  "leader-gone": "announcer",
};

/** Causes that other links judge from the same objects. */
const judgedElsewhere: ReadonlySet<string> = new Set([
  "not-assigned",
  "invalid-configuration",
  "only-bgp",
  "no-l2-advertisement",
  "no-servable-endpoint",
  "no-candidate",
]);

const withoutStop = (sentence: string): string => sentence.replace(/\.$/, "");

const silenceReason = (candidate: SilenceCandidate, ip: string): Reason => ({
  code: candidate.id,
  link: linkOfSilence[candidate.id] ?? "arp",
  certain: candidate.seen && linkOfSilence[candidate.id] !== undefined,
  subject: { kind: "address", name: ip },
  text: [withoutStop(candidate.text)],
  next: [text`To decide: ${code(candidate.test)}`],
});

const fromOf = (investigation: Investigation): Readonly<{ from?: string }> =>
  investigation.vantage === undefined
    ? {}
    : { from: `${investigation.vantage.name} (${investigation.vantage.place})` };

/** Four sources side by side, as `/arping` tells them. */
function sources({ evidence, verdict, nic, frames, seconds }: Investigation): NonNullable<Link["evidence"]> {
  return {
    title: "wire, status, event and prediction",
    lines: [
      ...verdict.answers.map(
        ({ mac, replies, ownership }) => `wire  ${mac}  ${ownerText(ownership)}  ${replies} replies`,
      ),
      ...(verdict.answers.length === 0 ? [`wire  ${verdict.headline}`] : []),
      `status  ${claimWords(evidence.status)}`,
      `event  ${claimWords(evidence.event)}`,
      `prediction  ${verdict.predicted ?? "nobody"}, next ${verdict.next ?? "nobody"}`,
      `${frames} requests${nic === undefined ? "" : ` by ${nic}`}${seconds === undefined ? "" : ` in ${seconds.toFixed(1)} s`}`,
      ...verdict.disagreements,
      ...verdict.caveats,
    ],
  };
}

function claimWords(claim: Claim): string {
  if (claim.kind === "unknown") return `could not look: ${claim.fault.detail}`;
  if (claim.kind === "none") return claim.because;
  const doubts = claim.doubts.length === 0 ? "" : ` (${claim.doubts.join("; ")})`;
  return `${claimedNodes(claim).join(", ")}${doubts}`;
}

const notLooked = (fault: Fault, from: Readonly<{ from?: string }>): readonly Judged[] => [
  only(unseen({ ...heads.announcer, ...from }, fault)),
  only(unseen({ ...heads.nic, ...from }, fault)),
  only(unseen({ ...heads.arp, ...from }, fault)),
];

const skips = (because: Text): readonly Judged[] =>
  Object.values(heads).map((head) => only(skipped(head, because)));

/** A LAN client whose route is on-link got a connection: then somebody did answer its kernel by ARP. */
const answeredAClient = ({ clients }: PathEvidence): string | undefined =>
  clients.find(
    ({ vantage, route, tcp }) =>
      vantage.place !== "behind-router" &&
      route.ok &&
      route.evidence.kind === "on-link" &&
      tcp.some(({ answer }) => answer.ok && (answer.evidence === "open" || answer.evidence === "refused")),
  )?.vantage.name;

/** The elected node answers nobody: no ping in its segment, no SSH, no ARP for the address. */
function lostLeader(evidence: PathEvidence, ip: string): Reason | undefined {
  const { leader } = evidence;
  const lost = leader === undefined ? undefined : lostNode(evidence, leader.node);
  if (leader === undefined || lost === undefined) return undefined;
  return {
    code: "announcer-lost",
    link: "announcer",
    certain: true,
    subject: { kind: "node", name: leader.node },
    text: text`${leader.node}, which is elected, answers neither ping from ${lost.vantage}, SSH nor ARP for ${code(ip)}: it is off or cut off, and nobody has taken over`,
    next: [
      text`The node: ${code(`/runbook run node-lost ${leader.node}`)}`,
      text`With memberlist another node takes over within about 10 s; look again`,
    ],
  };
}

function silent(evidence: PathEvidence, seen: Investigation, ip: string): readonly Judged[] {
  const from = fromOf(seen);
  const { verdict } = seen;
  const shown = sources(seen);
  const arp = { ...heads.arp, ...from };
  const reasons = verdict.candidates
    .filter(({ id }) => !judgedElsewhere.has(id))
    .map((candidate) => silenceReason(candidate, ip));
  const astray = verdict.candidates.find(({ id, seen: shows }) => id === "vantage-not-on-segment" && shows);
  const proof = answeredAClient(evidence);
  if (astray !== undefined || proof !== undefined) {
    const detail =
      proof === undefined
        ? withoutStop(astray?.text ?? "")
        : `silent to arping, and yet ${proof} connects to it on-link: something between keeps broadcasts from ${seen.vantage?.name ?? "the vantage"}`;
    return notLooked({ kind: "unreachable", what: "ARP", detail }, from);
  }
  const predicted = predictionOf(evidence)?.order[0];
  const lost = lostLeader(evidence, ip);
  const gone =
    lost === undefined ? reasons.filter(({ link, certain }) => link === "announcer" && certain) : [lost];
  const noNic = reasons.filter(({ link, certain }) => link === "nic" && certain);
  const [firstGone, ...moreGone] = gone;
  const [firstNic, ...moreNic] = noNic;
  const announcer: Judged =
    firstGone !== undefined
      ? fails({ ...heads.announcer, from: "Kubernetes API" }, firstGone.text, [firstGone, ...moreGone])
      : predicted === undefined
        ? only(skipped(heads.announcer, text`nobody is elected`))
        : only(
            skipped(
              heads.announcer,
              text`nobody answers, so who announces is only claimed: status ${claimWords(seen.evidence.status)}, event ${claimWords(seen.evidence.event)}`,
            ),
          );
  const nics = predicted === undefined ? undefined : evidence.surroundings.table.nicsOf(predicted);
  const lan =
    predicted === undefined || nics === undefined
      ? undefined
      : theLanNic(predicted, nics, evidence.config.site);
  const unread = evidence.surroundings.table.unread.find(({ node }) => node === predicted);
  const nic: Judged =
    firstNic !== undefined
      ? fails({ ...heads.nic, from: `ssh to ${predicted ?? ""}` }, firstNic.text, [firstNic, ...moreNic])
      : predicted === undefined
        ? only(skipped(heads.nic, text`nobody is elected`))
        : unread !== undefined
          ? only(unseen(heads.nic, unread.fault))
          : only(
              holds(
                { ...heads.nic, from: `ssh to ${predicted}` },
                text`${predicted} ${lan?.name ?? "has an interface in the segment that"} is up, with carrier`,
              ),
            );
  const open = reasons
    .filter(({ certain }) => !certain)
    .map((reason): Reason => ({ ...reason, link: "arp" }));
  const unexplained: readonly Reason[] = [
    {
      code: "speaker-does-not-answer",
      link: "arp",
      certain: false,
      subject: { kind: "address", name: ip },
      text: text`the speaker on ${predicted ?? "the announcer"} runs and does not answer: it hangs, or still has an older configuration`,
      next: [text`Its log: ${code(`kubectl logs -A -l app.kubernetes.io/component=speaker --tail=50`)}`],
    },
    {
      code: "arp-filtered",
      link: "arp",
      certain: false,
      subject: { kind: "address", name: ip },
      text: text`something between ${seen.vantage?.name ?? "the vantage"} and ${predicted ?? "the announcer"} drops ARP for ${code(ip)} (port security, ARP inspection, a wire of its own)`,
      next: [
        text`On ${predicted ?? "the announcer"}: ${code(`sudo tcpdump -p -nn -e arp and host ${ip}`)} shows whether requests arrive and replies leave`,
      ],
    },
  ];
  const because = text`nobody answers for ${code(ip)}`;
  const readings = [...open, ...unexplained].slice(0, Math.max(2, open.length));
  const [first, ...rest] = readings;
  return [announcer, nic, fails(arp, because, [first as Reason, ...rest], shown)];
}

/** Announcer, interface and ARP: who really answers. */
export function judgeWire(evidence: PathEvidence, before: readonly Link[]): readonly Judged[] {
  const { subject, wire } = evidence;
  const { ip } = subject;
  if (ip === undefined || wire === undefined) return skips(text`there is no address to ask about`);
  if (!wire.ok) return notLooked(wire.fault, {});
  const seen = wire.evidence;
  const { verdict } = seen;
  const from = fromOf(seen);
  const byBgp =
    before.some(({ id, outcome }) => id === "announcer-predicted" && outcome === "skipped") &&
    subject.service !== undefined;
  if (byBgp && verdict.answers.length === 0)
    return skips(text`the address is announced by BGP, so nobody answers ARP`);
  if (verdict.code === "could-not-look") {
    const looked = seen.evidence.wire;
    const fault: Fault =
      looked.kind === "not-looked"
        ? looked.fault
        : { kind: "unreadable", what: "ARP", detail: `${verdict.headline}. ${verdict.why}` };
    return notLooked(fault, from);
  }
  if (verdict.code === "free")
    return [
      only(skipped(heads.announcer, text`no Service has the address`)),
      only(skipped(heads.nic, text`no Service has the address`)),
      only(skipped({ ...heads.arp, ...from }, text`nobody answers, as nobody has the address`)),
    ];
  if (verdict.code === "silence") return silent(evidence, seen, ip);
  // Whoever answers for an address that no Service has, MetalLB has no part in it.
  if (subject.service === undefined && verdict.answers.length === 1)
    return [
      only(skipped(heads.announcer, text`no Service has the address`)),
      only(skipped(heads.nic, text`no Service has the address`)),
      only(holds({ ...heads.arp, ...from }, [withoutStop(verdict.headline)], { evidence: sources(seen) })),
    ];
  const shown = sources(seen);
  const about = { kind: "address", name: ip } as const;
  const because: Text = [
    withoutStop(verdict.headline),
    ...(verdict.why === "" ? [] : [". ", withoutStop(verdict.why)]),
  ];
  const next: readonly [Text, ...Text[]] = [
    ...verdict.fixes.map((each) => text`Fix: ${code(each)}`),
    ...verdict.nextCommands.map((each) => text`${code(each)}`),
    text`Watch it: ${code(`/arping watch ${subject.word} --for 60s`)}`,
  ] as unknown as readonly [Text, ...Text[]];
  const reason = (link: PathLink, more: Partial<Reason> = {}): Reason => ({
    code: verdict.code,
    link,
    certain: true,
    subject: about,
    text: because,
    next,
    facts: { macs: verdict.answers.map(({ mac }) => mac), predicted: verdict.predicted ?? null },
    ...more,
  });
  const one = (link: "announcer" | "nic" | "arp", words: Text): Judged =>
    only(holds({ ...heads[link], ...from }, words, link === "arp" ? { evidence: shown } : {}));
  const answering = verdict.answers.map(({ mac, ownership }) => `${mac} ${ownerText(ownership)}`).join(", ");
  const who = text`${verdict.node ?? answering} answers`;
  switch (verdict.code) {
    case "expected":
    case "answered":
      return [
        one("announcer", who),
        one("nic", text`${verdict.node ?? ""} ${verdict.nic ?? ""}`),
        one("arp", text`${answering}`),
      ];
    case "elsewhere":
      return [
        fails(
          { ...heads.announcer, ...from },
          because,
          [reason("announcer", { code: "announced-elsewhere", explains: [] })],
          shown,
        ),
        one("nic", text`${verdict.node ?? ""} ${verdict.nic ?? ""}`),
        one("arp", text`${answering}`),
      ];
    case "wrong-nic":
      return [
        one("announcer", who),
        // Frames that arrive on another interface arrive all the same.
        fails({ ...heads.nic, ...from }, because, [reason("nic", { explains: [] })], shown),
        one("arp", text`${answering}`),
      ];
    case "two-nics": {
      const both = reason("nic");
      return [
        one("announcer", who),
        fails({ ...heads.nic, ...from }, because, [both]),
        only(broken({ ...heads.arp, ...from }, text`${answering}`, [findingOf(both)], shown)),
      ];
    }
    default: {
      const ipvs = (evidence.leader?.results ?? [])
        .flatMap((result) => (result.outcome === "failed" ? result.findings : []))
        .find((finding) => finding.code.startsWith("ipvs-") && isFailure(finding));
      const why: Partial<Reason> =
        verdict.code === "two-nodes" && ipvs !== undefined
          ? {
              code: ipvs.code,
              text: text`${withoutStop(verdict.headline)}. ${ipvs.text}`,
              ...(ipvs.remedy === undefined ? {} : { next: [ipvs.remedy, ...next] }),
            }
          : verdict.code === "two-macs"
            ? { severity: "warning" }
            : {};
      return [
        only(
          skipped(
            { ...heads.announcer, ...from },
            text`who announces cannot be told while ${withoutStop(verdict.headline)}`,
          ),
        ),
        only(
          skipped(
            { ...heads.nic, ...from },
            text`which interface is meant cannot be told while more than one machine answers`,
          ),
        ),
        fails({ ...heads.arp, ...from }, because, [reason("arp", why)], shown),
      ];
    }
  }
}
