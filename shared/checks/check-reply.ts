import type { CheckResult } from "../check-result.ts";
import type { Fault } from "../fault.ts";
import type { Finding, Severity } from "../finding.ts";
import { bySeverity } from "../finding.ts";
import type { Json } from "../json.ts";
import type { Block, Reply } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { code, join, type Text, text } from "../text.ts";
import { blameTheSilent } from "./blame.ts";
import type { Check } from "./check.ts";
import { verdict, verdictOfOne } from "./check-verdict.ts";
import type { NodeSource } from "./gather.ts";

export type CheckRun = Readonly<{
  cluster: string;
  source: NodeSource;
  /** The nodes that were asked. */
  nodes: readonly string[];
  checks: readonly Check[];
  results: readonly CheckResult[];
  /** Why the node could not be visited, by node. */
  unreached: ReadonlyMap<string, Fault>;
  /** Checks that compare nodes and were left out because only some were asked for. */
  leftOut: readonly Check[];
}>;

/** The node a finding is about: `karstark` and `karstark/wlan0` both are karstark. */
const nodeOf = ({ subject }: Finding): string | undefined =>
  subject.kind === "node"
    ? subject.name
    : subject.kind === "nic"
      ? subject.name.slice(0, subject.name.lastIndexOf("/"))
      : undefined;

const faultText = ({ what, detail }: Fault): Text => text`${what}: ${detail}`;

type Line = Readonly<{
  node: string;
  severity: Severity;
  text: Text;
  codes: readonly string[];
  /** Of the one finding that the line is. */
  facts?: Finding["facts"];
}>;

const worst = (findings: readonly Finding[]): Severity =>
  findings.toSorted(bySeverity)[0]?.severity ?? "info";

const isBad = (severity: Severity): boolean => severity !== "info" && severity !== "unknown";

/** So much fits a line that is read at arm's length; the rest is one command away. */
const textsInLine = 2;

/** One line for everything that failed on a node, worst first. */
function failureLine(node: string, findings: readonly Finding[]): Line {
  const ordered = findings.toSorted(bySeverity);
  const severity = worst(ordered);
  const shown = ordered.filter((finding) => finding.severity === severity).slice(0, textsInLine);
  const more = ordered.length - shown.length;
  return {
    node,
    severity,
    text: join([...shown.map((finding) => finding.text), ...(more > 0 ? [`${more} more`] : [])], "; "),
    codes: [...new Set(ordered.map((finding) => finding.code))],
    ...(ordered.length === 1 && ordered[0] ? { facts: ordered[0].facts } : {}),
  };
}

/** One line for each reason why something about a node could not be looked at. */
function unknownLines(node: string, run: CheckRun): readonly Line[] {
  const unreached = run.unreached.get(node);
  const byReason = new Map<string, { fault: Fault; whats: Set<string>; checks: string[] }>();
  for (const result of run.results) {
    if (result.outcome !== "unknown" || result.subject.name !== node) continue;
    const { fault } = result;
    const entry = byReason.get(fault.detail) ?? { fault, whats: new Set(), checks: [] };
    entry.whats.add(fault.what);
    entry.checks.push(result.check);
    byReason.set(fault.detail, entry);
  }
  return [...byReason.values()].map(({ fault, whats, checks }) => ({
    node,
    severity: "unknown",
    codes: [`fault-${fault.kind}`],
    text:
      fault.detail === unreached?.detail
        ? faultText(fault)
        : text`${[...whats].join(", ")}: ${fault.detail} (${checks.length > 3 ? counted(checks.length, "check") : checks.join(", ")})`,
  }));
}

/** What could not be judged about the cluster. Checks across nodes that only lack nodes told of already are one line. */
function clusterUnknowns(run: CheckRun, gaps: boolean): readonly Finding[] {
  const unsure = run.results.flatMap((result) =>
    result.outcome === "unknown" && result.subject.kind === "cluster" ? [result] : [],
  );
  const across = unsure.filter(
    ({ check }) => gaps && (run.checks.find(({ id }) => id === check)?.needs.length ?? 0) > 0,
  );
  const finding = (fault: Fault, checks: readonly string[], said: Text): Finding => ({
    code: `fault-${fault.kind}`,
    severity: "unknown",
    subject: { kind: "cluster", name: run.cluster },
    facts: { checks, fault: fault.kind },
    text: said,
  });
  const [first] = across;
  const waiting = across.map(({ check }) => check);
  return [
    ...(first === undefined
      ? []
      : [finding(first.fault, waiting, text`without all nodes these cannot pass: ${waiting.join(", ")}`)]),
    ...unsure
      .filter((result) => !across.includes(result))
      .map(({ check, fault }) => finding(fault, [check], text`${check}: ${faultText(fault)}`)),
  ];
}

/** More siblings than this with the same words become one line. */
const siblings = 2;
const namesShown = 6;

const names = (nodes: readonly string[]): string =>
  nodes.length <= namesShown
    ? nodes.join(", ")
    : `${nodes.slice(0, namesShown).join(", ")} and ${nodes.length - namesShown} more`;

/** Lines as findings: those that say the same of many nodes are one. */
function folded(cluster: string, lines: readonly Line[]): readonly Finding[] {
  const groups = new Map<string, Line[]>();
  for (const line of lines) {
    const key = JSON.stringify([line.severity, line.text]);
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()].flatMap((group): Finding[] => {
    const [first] = group as [Line, ...Line[]];
    const facts = { codes: first.codes, nodes: group.map(({ node }) => node) };
    const common = { code: first.codes[0] ?? "check", severity: first.severity };
    if (group.length > siblings)
      return [
        {
          ...common,
          subject: { kind: "cluster", name: cluster },
          facts,
          text: text`${group.length} nodes: ${first.text} (${names(facts.nodes)})`,
        },
      ];
    return group.map((line) => ({
      ...common,
      subject: { kind: "node", name: line.node },
      facts: { ...line.facts, codes: line.codes },
      text: line.text,
    }));
  });
}

/** What two nodes or more have in common, by the words of the check that failed on them; each set of nodes once. */
function commonCauses(run: CheckRun): readonly Text[] {
  const told = new Set<string>();
  return run.checks.flatMap((check): Text[] => {
    if (check.common === undefined) return [];
    const nodes = [
      ...new Set(
        run.results.flatMap((result) =>
          result.outcome === "failed" && result.check === check.id
            ? result.findings.flatMap((finding) => nodeOf(finding) ?? [])
            : [],
        ),
      ),
    ].sort();
    const key = nodes.join(" ");
    if (nodes.length < 2 || told.has(key)) return [];
    told.add(key);
    return [text`Common cause: ${nodes.length} nodes ${check.common} (${names(nodes)}).`];
  });
}

const evidenceColumns = 76;

/** `title: a, b, c` over as many lines as it takes, the later ones indented. */
function wrapped(title: string, words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = `${title}:`;
  words.forEach((word, i) => {
    const piece = ` ${word}${i < words.length - 1 ? "," : ""}`;
    if (line.length + piece.length > evidenceColumns) {
      lines.push(line);
      line = ` ${piece}`;
    } else line += piece;
  });
  return words.length === 0 ? [] : [...lines, line];
}

/** Checks that passed wherever they were made come as a list of names, the others with what they came to. */
function evidence(run: CheckRun): Block {
  const plainly: string[] = [];
  const others: { id: string; counts: string; because: readonly string[] }[] = [];
  for (const { id } of run.checks) {
    const results = run.results.filter((result) => result.check === id);
    if (results.every(({ outcome }) => outcome === "passed")) plainly.push(id);
    else
      others.push({
        id,
        counts: (["failed", "unknown", "skipped", "passed"] as const)
          .flatMap((outcome) => {
            const number = results.filter((result) => result.outcome === outcome).length;
            return number === 0 ? [] : [`${number} ${outcome}`];
          })
          .join(", "),
        because: [
          ...new Set(results.flatMap((result) => (result.outcome === "skipped" ? [result.because] : []))),
        ],
      });
  }
  const width = Math.max(0, ...others.map(({ id }) => id.length));
  return {
    kind: "evidence",
    title: `What ${counted(run.checks.length, "check")} came to`,
    lines: [
      ...others.flatMap(({ id, counts, because }) => [
        `${id.padEnd(width)}  ${counts}`,
        ...because.map((reason) => `  skipped: ${reason}`),
      ]),
      ...wrapped("passed", plainly),
      ...wrapped(
        "left out, since they compare all nodes",
        run.leftOut.map(({ id }) => id),
      ),
    ],
  };
}

const resultJson = (result: CheckResult): Json => ({
  check: result.check,
  subject: result.subject,
  outcome: result.outcome,
  ...(result.outcome === "failed"
    ? {
        findings: result.findings.map(({ code: name, severity, subject, facts }) => ({
          code: name,
          severity,
          subject,
          facts,
        })),
      }
    : {}),
  ...(result.outcome === "skipped" ? { because: result.because } : {}),
  ...(result.outcome === "unknown" ? { fault: result.fault } : {}),
});

/** Of results about the whole cluster, what concerns these nodes: the rest was not asked for. */
export const concerning = (
  results: readonly CheckResult[],
  nodes: readonly string[],
): readonly CheckResult[] =>
  results.flatMap((result): CheckResult[] => {
    if (result.subject.kind !== "cluster") return [result];
    if (result.outcome !== "failed") return [];
    const [first, ...rest] = result.findings.filter((finding) => nodes.includes(nodeOf(finding) ?? ""));
    return first === undefined ? [] : [{ ...result, findings: [first, ...rest] }];
  });

/** Findings that say why a node could not be visited. */
const reasonCodes: readonly string[] = ["node-silent", "host-key-changed"];

/** The answer of `/nodes check`: who needs somebody, why, what they have in common. Pure. */
export function checkReply(run: CheckRun): Reply {
  const failures = blameTheSilent(
    run.results.flatMap((result) => (result.outcome === "failed" ? result.findings : [])),
    run.unreached,
  );
  /** Their fault was told as a failure; telling it again as a gap adds nothing. */
  const explained = new Set(
    failures.flatMap(({ code: name, subject }) => (reasonCodes.includes(name) ? [subject.name] : [])),
  );
  const byNode = new Map<string, Finding[]>();
  const ofCluster: Finding[] = [];
  for (const finding of failures) {
    const node = nodeOf(finding);
    if (node === undefined) ofCluster.push(finding);
    else byNode.set(node, [...(byNode.get(node) ?? []), finding]);
  }
  const bad = [...byNode].filter(([, findings]) => findings.some(({ severity }) => isBad(severity)));
  const failing = new Set(bad.map(([node]) => node));
  const unknownOf = new Map(run.nodes.map((node) => [node, unknownLines(node, run)] as const));
  const unsureNodes = run.nodes.filter(
    (node) => !failing.has(node) && (unknownOf.get(node)?.length ?? 0) > 0,
  );
  const hasGaps = [...unknownOf.values()].some((lines) => lines.length > 0);
  const clusterUnknown = clusterUnknowns(run, hasGaps);
  const unsureChecks = new Set(
    run.results.flatMap((result) => (result.outcome === "unknown" ? [result.check] : [])),
  ).size;
  const only = run.nodes.length === 1 ? run.nodes[0] : undefined;
  const lines = [...byNode].map(([node, findings]) => failureLine(node, findings));
  const findings: readonly Finding[] = [
    ...(only === undefined ? folded(run.cluster, lines) : [...byNode.values()].flat()),
    ...ofCluster,
    ...folded(
      run.cluster,
      [...unknownOf].flatMap(([node, each]) => (explained.has(node) ? [] : each)),
    ),
    ...clusterUnknown,
  ].toSorted(bySeverity);
  const causes = commonCauses(run);
  const worstNode = bad.toSorted(([, a], [, b]) => bySeverity(a[0] as Finding, b[0] as Finding))[0]?.[0];
  const failedChecks = [
    ...new Set(run.results.flatMap((result) => (result.outcome === "failed" ? [result.check] : []))),
  ];
  const fromConfig =
    run.source.from === "config"
      ? text`The API could not be read (${run.source.because.detail}): the nodes are those of the config.`
      : undefined;
  return {
    verdict:
      only === undefined
        ? verdict(
            {
              total: run.nodes.length,
              failing: failing.size,
              unknown: unsureNodes.length,
              remarked: [...byNode.keys()].filter((node) => !failing.has(node) && !unsureNodes.includes(node))
                .length,
              checks: run.checks.length,
              cluster: ofCluster.filter(({ severity }) => isBad(severity)).length,
            },
            unsureChecks,
          )
        : verdictOfOne(only, run.results),
    cluster: run.cluster,
    ...(fromConfig === undefined ? {} : { why: fromConfig }),
    findings,
    blocks: [...causes.map((cause): Block => ({ kind: "prose", text: cause })), evidence(run)],
    next: [
      ...(only === undefined && worstNode !== undefined ? [text`${code(`/nodes check ${worstNode}`)}`] : []),
      ...(failedChecks[0] === undefined
        ? []
        : [text`Why and how to fix: ${code(`/nodes explain ${failedChecks[0]}`)}`]),
    ],
    actions: [],
    data: {
      nodes: run.nodes,
      nodesFrom: run.source.from,
      checks: run.checks.map(({ id }) => id),
      results: run.results.map(resultJson),
    },
  };
}
