import type { CheckResult } from "../../check-result.ts";
import type { Check } from "../../checks/check.ts";
import { nodeSource, visitNodes } from "../../checks/gather.ts";
import { ipvsStrictArp } from "../../checks/ipvs-strict-arp.ts";
import { memberlistOff } from "../../checks/memberlist-off.ts";
import { memberlistPortCheck } from "../../checks/memberlist-port.ts";
import { memberlistUdp } from "../../checks/memberlist-udp.ts";
import { judgeAll } from "../../checks/run.ts";
import { isFailure } from "../../finding.ts";
import type { Answer } from "../../probes/answer.ts";
import { nodeMemberlist, type PortState } from "../../probes/node-memberlist.ts";
import { code, type Text, text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { holds, skipped, unseen } from "../make-link.ts";
import { readFrom } from "../node/gather-lost.ts";
import type { DiagnoseOptions, DiagnosePorts, NoSuch } from "../runbook.ts";
import { changesBeside } from "./changes-beside.ts";
import { conclude } from "./conclude.ts";
import { pathCodes, titleOf } from "./diagnose-path.ts";
import type { PathEvidence } from "./evidence.ts";
import { budget, gatherPath } from "./gather.ts";
import { judgeAddress } from "./judge-address.ts";
import { judgeWire } from "./judge-wire.ts";
import { fails, type Judged, only, type Reason } from "./reason.ts";
import { relatedChanges } from "./related-changes.ts";
import { seenFrom } from "./seen.ts";
import { within } from "./within.ts";

/** Codes of two announcers; what else is broken keeps the code that an unreachable Service has. */
export const twoCodes: readonly string[] = [
  "shared-address-split",
  "memberlist-refused",
  "memberlist-filtered",
  "memberlist-unreachable",
  "memberlist-udp-blocked",
  "memberlist-off",
  "memberlist-split",
  "second-announcer",
  "speakers-unexplained",
  ...pathCodes,
];

/** What makes speakers elect apart, or nodes answer without an election. */
const splitChecks: readonly Check[] = [ipvsStrictArp, memberlistOff, memberlistPortCheck, memberlistUdp];

/** Time for the nodes that answered, after the wire has named them. */
const splitMs = 3_000;

type Pair = Readonly<{ from: string; to: string; answer: Answer<PortState> }>;
type Between = Readonly<{
  nodes: readonly string[];
  results: readonly CheckResult[];
  pairs: readonly Pair[];
}>;

/** Nodes that answered on the wire. */
const answering = ({ wire }: PathEvidence): readonly string[] => [
  ...new Set(
    (wire?.ok ? wire.evidence.verdict.answers : []).flatMap(({ ownership }) =>
      ownership.kind === "node" ? [ownership.owner.node] : [],
    ),
  ),
];

/** Visits the nodes that answer, and tries the speakers' port between each two of them. */
async function lookBetween(
  ports: DiagnosePorts,
  evidence: PathEvidence,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<Between> {
  const until = ports.clock.now() + splitMs;
  const { lists, surroundings } = evidence;
  const addressOf = (node: string): string | undefined =>
    surroundings.objects.nodes
      .find(({ name }) => name === node)
      ?.addresses.find(({ type }) => type === "InternalIP")?.address;
  const some = nodes.slice(0, 4);
  const pairs = some.flatMap((from) =>
    some
      .filter((to) => to !== from)
      .flatMap((to) => {
        const address = addressOf(to);
        return address === undefined ? [] : [{ from, to, address }];
      }),
  );
  const [gathered, tried] = await Promise.all([
    visitNodes({ ...ports, read: readFrom(lists), signal }, lists, nodeSource(lists.nodes, ports.config), {
      checks: splitChecks,
      only: some,
      limits: { nodesAtOnce: some.length, perNodeMs: splitMs, wholeRunMs: splitMs },
    }),
    Promise.all(
      pairs.map(
        async ({ from, to, address }): Promise<Pair> => ({
          from,
          to,
          answer: await within(
            ports.clock,
            { until, what: `port 7946 of ${to} from ${from}`, signal },
            async (late) =>
              nodeMemberlist.read(
                await ports.shell({ kind: "node", name: from }, nodeMemberlist.argv(address), {
                  signal: late,
                }),
              ),
          ),
        }),
      ),
    ),
  ]);
  return { nodes: some, results: judgeAll(splitChecks, gathered), pairs: tried };
}

const head = { id: "speakers", title: "Their speakers hear each other" } as const;

function speakersLink(evidence: PathEvidence, between: Between | undefined): Judged {
  if (between === undefined) return only(skipped(head, text`not more than one node answers`));
  const { nodes, pairs, results } = between;
  const at = { ...head, from: `ssh to ${nodes.join(", ")}` };
  const lines = pairs.map(
    ({ from, to, answer }) => `${from} to ${to}:7946  ${answer.ok ? answer.evidence : answer.fault.detail}`,
  );
  const shown = { title: "TCP port 7946", lines };
  const ip = evidence.subject.ip ?? "";
  const shared = sharing(evidence);
  const blocked = pairs.filter(({ answer }) => answer.ok && answer.evidence !== "open");
  const found = results.flatMap((result) =>
    result.outcome === "failed" ? result.findings.filter(isFailure) : [],
  );
  // What several nodes have in common is one cause.
  const distinct = found.filter((each, i) => found.findIndex(({ code: known }) => known === each.code) === i);
  const base = {
    link: "speakers",
    subject: { kind: "address", name: ip },
    explains: ["announcer", "nic", "arp", "tcp"],
  } as const;
  const reasons: Reason[] = [
    ...ownersOf(evidence, nodes).map(({ node, nic }) => ({
      ...base,
      code: "second-announcer",
      certain: true,
      text: text`${node} has ${code(ip)} on ${nic} itself, so its kernel answers for it beside MetalLB: set by hand, by another program (keepalived, kube-vip), or the pool holds the node's own address`,
      next: [
        text`What put it there: ${code(`/nodes check ${node} --only pool-address-on-nic`)}`,
        text`Whether the pool overlaps nodes: ${code("/nodes check --only pool-overlaps")}`,
      ] as const,
    })),
    ...(shared === undefined
      ? []
      : [
          {
            ...base,
            code: "shared-address-split",
            certain: true,
            text: shared,
            next: [text`Give the Services the same traffic policy and the same advertisements`] as const,
          },
        ]),
    ...(blocked.length > 0
      ? [
          {
            ...base,
            code: `memberlist-${(blocked[0]?.answer.ok && blocked[0].answer.evidence) || "filtered"}`,
            certain: true,
            text: text`${nodes.join(" and ")} both answer for ${code(ip)}, and their speakers do not reach each other: port 7946 of ${blocked[0]?.to ?? ""} ${blocked[0]?.answer.ok && blocked[0].answer.evidence === "refused" ? "is refused" : "gives no answer"} from ${blocked[0]?.from ?? ""}`,
            next: [text`Open TCP and UDP 7946 between ${nodes.join(" and ")}`] as const,
          },
        ]
      : distinct.slice(0, 2).map((finding) => ({
          ...base,
          code: finding.code,
          certain: true,
          text: text`${nodes.join(" and ")} both answer for ${code(ip)}: ${finding.text}`,
          next: [finding.remedy ?? text`${code(`/nodes check ${nodes[0] ?? ""}`)}`] as const,
        }))),
  ];
  const [first, ...rest] = reasons;
  if (first !== undefined) return fails(at, first.text, [first, ...rest], shown);
  const blind = pairs.flatMap(({ answer }) => (answer.ok ? [] : [answer.fault]))[0];
  if (pairs.length === 0 || pairs.every(({ answer }) => !answer.ok))
    return only(
      unseen(
        at,
        blind ?? { kind: "unreadable", what: "speakers", detail: "their nodes have no InternalIP" },
        shown,
      ),
    );
  return only(
    holds(at, text`port 7946 is open between ${nodes.join(" and ")} (TCP; UDP cannot be tried)`, {
      evidence: shown,
    }),
  );
}

/** Answering nodes on whose interface the address stands; where IPVS keeps it does not count. */
const ownersOf = (
  { subject, surroundings }: PathEvidence,
  nodes: readonly string[],
): readonly Readonly<{ node: string; nic: string }>[] =>
  nodes.flatMap((node) => {
    const nic = surroundings.table
      .nicsOf(node)
      ?.find(
        ({ addresses, kind, linkType }) =>
          kind !== "dummy" &&
          linkType !== "loopback" &&
          addresses.some(({ address }) => address === subject.ip),
      );
    return nic === undefined ? [] : [{ node, nic: nic.name }];
  });

/** Services on one address that elect different nodes; undefined when none does. */
function sharing({ wire }: PathEvidence): Text | undefined {
  if (!wire?.ok) return undefined;
  const { prediction, sharing: others } = wire.evidence.evidence;
  const all = ["order" in prediction ? [prediction] : [], others].flat();
  const elected = new Set(all.flatMap(({ order }) => order.slice(0, 1)));
  if (elected.size < 2) return undefined;
  return text`Services that share ${code(wire.evidence.ip)} elect different nodes: ${all.map(({ service, order }) => `${service} elects ${order[0] ?? "nobody"}`).join(", ")}`;
}

/** Two nodes answer and nothing says why: both readings are told instead of the bare fact. */
function refined(evidence: PathEvidence, judged: readonly Judged[], speakers: Judged): readonly Judged[] {
  const split = evidence.wire?.ok && evidence.wire.evidence.verdict.code === "two-nodes";
  if (!split) return judged;
  const nodes = answering(evidence);
  const ip = evidence.subject.ip ?? "";
  const base = { link: "arp", certain: false, subject: { kind: "address", name: ip } } as const;
  const said = text`${nodes.join(" and ")} answer for ${code(ip)}`;
  return judged.map((each) =>
    each.link.id !== "arp"
      ? each
      : {
          link: each.link,
          reasons:
            speakers.reasons.length > 0
              ? []
              : [
                  {
                    ...base,
                    code: "memberlist-split",
                    text: text`${said}: their speakers do not count each other as members, though TCP between them is open (UDP, a wrong key, or a split that has not healed)`,
                    next: [
                      text`Logs of both speakers: ${code("partial join")}, ${code("Suspect")}; ${code(`/nodes check ${nodes.join(" ")}`)}`,
                    ],
                  },
                  {
                    ...base,
                    code: "second-announcer",
                    text: text`${said}: on one of them another program announces it (keepalived, kube-vip, an address set by hand)`,
                    next: [text`On each: ${code(`ip -br addr | grep ${ip}`)}`],
                  },
                ],
        },
  );
}

/** Who answers for an address twice, and why. */
export async function diagnoseTwo(
  ports: DiagnosePorts,
  word: string,
  options: DiagnoseOptions,
): Promise<Diagnosis | NoSuch> {
  const startedAt = ports.clock.now();
  const evidence = await gatherPath(ports, word, { ...options, names: false, whole: budget.whole - splitMs });
  if ("noSuch" in evidence) return evidence;
  const { subject, lists } = evidence;
  const nodes = answering(evidence);
  const between = nodes.length > 1 ? await lookBetween(ports, evidence, nodes, options.signal) : undefined;
  const address = judgeAddress(evidence);
  const speakers = speakersLink(evidence, between);
  const wire = refined(
    evidence,
    judgeWire(
      evidence,
      address.map(({ link }) => link),
    ),
    speakers,
  );
  const judged = [...address, ...wire, speakers];
  const links = judged.map(({ link }) => link);
  const verdict = evidence.wire?.ok ? evidence.wire.evidence.verdict : undefined;
  const { conclusion } = conclude(judged, {
    summary: text`one MAC answers, ${verdict?.node ?? "of nobody that is known"} ${verdict?.nic ?? ""}, in every one of the requests that were sent`,
    needed: ["arp", "nic"],
    proven: (all) => all.some(({ id, outcome }) => id === "arp" && outcome === "passed"),
  });
  const changed = await changesBeside(ports, lists, startedAt);
  return {
    runbook: "two-announcers",
    subject: { kind: "address", name: subject.ip ?? subject.word },
    title: titleOf({ ...evidence, subject: { ...subject, hostname: undefined } }),
    links,
    conclusion,
    findings: [
      ...links.flatMap((link) => (link.outcome === "passed" ? link.findings : [])),
      ...relatedChanges(evidence, conclusion, changed.changes),
    ],
    seen: seenFrom(evidence),
    ...changed,
    startedAt,
    endedAt: ports.clock.now(),
    facts: {
      ip: subject.ip ?? null,
      service: subject.service ?? null,
      wire: verdict?.code ?? null,
      macs: verdict?.answers.map(({ mac }) => mac) ?? [],
      nodes: [...nodes],
    },
  };
}
