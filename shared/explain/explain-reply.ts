import type { DnsReply } from "../dns/answer.ts";
import type { Finding } from "../finding.ts";
import type { Reply, Verdict } from "../reply.ts";
import { code, join, type Text, text } from "../text.ts";
import { diagnoses } from "./all.ts";
import type { ExplainEvidence, Looked, ServerReply } from "./evidence.ts";
import { agreed, dataOf } from "./evidence.ts";
import type { Explanation } from "./explain.ts";

const said = (reply: DnsReply, type: string): string => {
  if (reply.kind === "silence") return reply.because === "refused" ? "refuses connections" : "no answer";
  const referred = type === "NS" ? reply.authority.filter((record) => record.type === "NS") : [];
  const data = [...dataOf(reply, type), ...referred.map((record) => record.data)];
  const flags = reply.flags.filter((flag) => flag === "aa" || flag === "ad");
  const about = [
    ...(data.length > 0 ? data : [`nothing of type ${type}`]),
    reply.rcode,
    ...flags,
    ...(reply.answer[0] ? [`TTL ${reply.answer[0].ttl} s`] : []),
    ...reply.extendedErrors.map((each) => `EDE ${each}`),
  ];
  return about.join(", ");
};

const rowsOf = (
  probe: string,
  looked: Looked<readonly (ServerReply & Readonly<{ host?: string }>)[]>,
  type: string,
): readonly (readonly Text[])[] =>
  looked.ok
    ? looked.value.map(({ server, host, reply }) => [[probe], [host ?? server], [said(reply, type)]])
    : [[[probe], ["could not look"], [`${looked.fault.what}: ${looked.fault.detail}`]]];

function verdictOf({ name, type }: ExplainEvidence, explanation: Explanation): Verdict {
  const [certain] = explanation.certain;
  const [possible, ...others] = explanation.possible;
  if (certain)
    return {
      word: "FOUND",
      outcome: "failed",
      text: text`${code(name)} ${type}: ${certain.diagnosis.sentence}.`,
    };
  if (explanation.state === "resolves")
    return { word: "OK", outcome: "ok", text: text`${code(name)} ${type} resolves wherever we could ask.` };
  if (explanation.state === "no-record")
    return {
      word: "ABSENT",
      outcome: "failed",
      text: text`Route 53 lists no ${type} record for ${code(name)}, so there is nothing to resolve.`,
    };
  if (possible)
    return {
      word: others.length > 0 ? "ONE OF" : "LIKELY",
      outcome: "failed",
      text: text`${code(name)} ${type}: ${[possible, ...others].map(({ diagnosis }) => diagnosis.sentence).join("; or ")}.`,
    };
  return {
    word: "UNKNOWN",
    outcome: "unknown",
    text: text`${code(name)} ${type}: nothing that we could look at decides why.`,
  };
}

const finding = (
  { name }: ExplainEvidence,
  each: Explanation["certain"][number] | Explanation["possible"][number],
): Finding => ({
  code: `dns-${each.diagnosis.id}`,
  severity: each.opinion.certainty === "certain" ? "error" : "warning",
  subject: { kind: "name", name },
  facts: { diagnosis: each.diagnosis.number, certainty: each.opinion.certainty },
  text:
    each.opinion.certainty === "certain"
      ? each.opinion.because
      : [...each.opinion.because, "; what decides: ", ...each.opinion.test],
  remedy: each.opinion.remedy,
});

const unlooked = ({ name }: ExplainEvidence, probe: Explanation["probes"][number]): readonly Finding[] =>
  probe.fault === undefined
    ? []
    : [
        {
          code: "dns-probe-not-possible",
          severity: "unknown",
          subject: { kind: "name", name },
          facts: { probe: probe.id, kind: probe.fault.kind, what: probe.fault.what },
          text: text`${probe.id}, ${probe.about}: ${probe.fault.detail}`,
        },
      ];

/** The answer to `/dns explain NAME`: the verdict, the reasons in their order, who was asked and from where. */
export function explainReply(evidence: ExplainEvidence, explanation: Explanation): Reply {
  const { type } = evidence;
  const right = agreed(evidence);
  // "Resolves" leaves only the client, which is a hint and not a failure.
  const reasons = explanation.state === "resolves" ? [] : [...explanation.certain, ...explanation.possible];
  const undecided = explanation.unknown.map(({ diagnosis }) => diagnosis.sentence);
  const left =
    undecided.length > 4
      ? `${undecided.length} of ${diagnoses.length} reasons; with every probe they are decided`
      : undecided.join("; ");
  const placed = explanation.probes.filter(({ from }) => from !== undefined);
  const places = [...new Set(placed.map(({ from }) => from ?? ""))];
  return {
    verdict: verdictOf(evidence, explanation),
    why: text`${right === undefined ? "The zone's servers could not be asked or do not agree" : right.length === 0 ? "The zone's servers have nothing at this name" : text`The zone's servers say ${join(right.map(code), ", ")}`}. ${placed.length} of 8 probes were possible, from ${places.length === 0 ? "nowhere" : places.join(", ")}.`,
    findings: [
      ...reasons.map((each) => finding(evidence, each)),
      ...explanation.probes.flatMap((probe) => unlooked(evidence, probe)),
    ],
    blocks: [
      {
        kind: "table",
        title: "who says what",
        columns: [{ title: "asked" }, { title: "server" }, { title: "says" }],
        rows: [
          ...rowsOf("parent", evidence.parent, "NS"),
          ...rowsOf("zone", evidence.authoritative, type),
          ...rowsOf("public", evidence.public, type),
          ...rowsOf("site", evidence.site, type),
          ...rowsOf("site TXT", evidence.siteTxt, "TXT"),
        ],
      },
      ...(undecided.length === 0
        ? []
        : [
            {
              kind: "prose" as const,
              text: text`Not ruled out, because a probe was not possible: ${left}.`,
            },
          ]),
    ],
    next: [
      ...reasons.slice(0, 1).map(({ opinion }): Text => opinion.remedy),
      ...(explanation.state === "no-record" ? [text`What ought to be there: ${code("/dns check")}`] : []),
      ...(explanation.state === "resolves"
        ? explanation.possible
            .slice(0, 1)
            .map(({ opinion }): Text => ["If a client still fails, look ", ...opinion.test])
        : []),
    ],
    actions: [],
    data: {
      name: evidence.name,
      type,
      state: explanation.state,
      certain: explanation.certain.map(({ diagnosis }) => diagnosis.id),
      possible: explanation.possible.map(({ diagnosis }) => diagnosis.id),
      unknown: explanation.unknown.map(({ diagnosis }) => diagnosis.id),
      probes: explanation.probes.map(({ id, from, fault }) => ({
        id,
        ...(from === undefined ? {} : { from }),
        ...(fault === undefined ? {} : { fault: `${fault.what}: ${fault.detail}` }),
      })),
    },
  };
}
