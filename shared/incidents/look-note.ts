import type { Block, Reply } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { utcTime } from "../runs/utc-time.ts";
import { plain, type Text, text } from "../text.ts";
import type { Cause, Conclusion, Diagnosis } from "./diagnosis.ts";
import { checkedCounts, checkedVerdict, conclusionHead, incidentName, nextOf } from "./incident-reply.ts";
import type { IncidentState, Looked, StepProgress } from "./incident-state.ts";
import type { Link } from "./link.ts";

const linkWord: Readonly<Record<Link["outcome"], string>> = {
  passed: "holds",
  failed: "BROKEN",
  skipped: "skipped",
  unknown: "UNKNOWN",
};

const linkRow = ({ outcome, title, because, from }: Link): readonly Text[] => [
  [linkWord[outcome]],
  [title],
  [...because, ...(from === undefined ? [] : [` (${from})`])],
];

const causeBlocks = (causes: readonly Cause[], heading: (nth: number) => string): readonly Block[] =>
  causes.map(({ text: said, next }, i) => ({
    kind: "prose",
    text: text`${heading(i + 1)}: ${said}. ${next[0] ?? []}`,
  }));

function conclusionBlocks(conclusion: Conclusion): readonly Block[] {
  if (conclusion.kind === "candidates") return causeBlocks(conclusion.causes, (nth) => `Candidate ${nth}`);
  if (conclusion.kind === "cause") return causeBlocks(conclusion.also, () => "Beside it");
  return [];
}

const tableOf = (title: string, links: readonly Link[]): readonly Block[] =>
  links.length === 0
    ? []
    : [
        {
          kind: "table",
          title,
          columns: [{ title: "is" }, { title: "link" }, { title: "because" }],
          rows: links.map(linkRow),
        },
      ];

function changeBlocks({ changes, changesGap }: Diagnosis): readonly Block[] {
  if (changes === undefined)
    return [
      {
        kind: "prose",
        text: text`What changed in the last hour is UNKNOWN: ${changesGap ?? ["it could not be read"]}`,
      },
    ];
  if (changes.length === 0)
    return [{ kind: "prose", text: ["Nothing is known to have changed in the last hour."] }];
  return [
    {
      kind: "evidence",
      title: `what changed in the last hour (${changes.length})`,
      lines: changes
        .slice(0, 40)
        .map(
          ({ at, subject, what, by }) =>
            `${utcTime(at)}  ${subject.kind} ${subject.name}  ${plain(what)}${by === undefined ? "" : `, by ${by}`}`,
        ),
    },
  ];
}

/** A diagnosis in full: every link, what was seen from where, what changed. */
export const diagnosisBlocks = (diagnosis: Diagnosis): readonly Block[] => [
  ...conclusionBlocks(diagnosis.conclusion),
  ...tableOf("every link of the path", diagnosis.links),
  ...diagnosis.seen.map(
    ({ vantage, place, clusterNode, text: said }): Block => ({
      kind: "prose",
      text: text`Seen from ${vantage} (${place}${clusterNode ? ", a cluster node: ARP evidence only" : ""}): ${said}`,
    }),
  ),
  ...changeBlocks(diagnosis),
  ...diagnosis.links.flatMap(({ title, evidence }): readonly Block[] =>
    evidence === undefined || evidence.lines.length === 0
      ? []
      : [{ kind: "evidence", title: `${title}: ${evidence.title}`, lines: evidence.lines }],
  ),
];

/** The thread's record of one look. */
export function lookNote(state: IncidentState, looked: Looked): Reply {
  const name = incidentName(state);
  const bare = { cluster: state.cluster, findings: [], blocks: [], actions: [] };
  if ("fault" in looked)
    return {
      ...bare,
      verdict: {
        word: "UNKNOWN",
        outcome: "unknown",
        text: text`look ${looked.number} at ${name}, ${utcTime(looked.at)}: ${looked.fault.what}: ${looked.fault.detail}`,
      },
    };
  const { diagnosis, cut } = looked;
  const { word, outcome, text: said } = conclusionHead(diagnosis.conclusion);
  const took = ((diagnosis.endedAt - diagnosis.startedAt) / 1_000).toFixed(1);
  return {
    ...bare,
    verdict: { word, outcome, text: said },
    why: text`Look ${looked.number} at ${diagnosis.title}, ${utcTime(looked.at)}, took ${took} s: ${counted(diagnosis.links.length, "link")}.${cut === undefined ? "" : ` Not all is kept: ${cut}.`}`,
    findings: diagnosis.findings,
    blocks: diagnosisBlocks(diagnosis),
    next: nextOf(diagnosis.conclusion),
  };
}

/** The thread's record of a step of checks. */
export function checksNote(state: Pick<IncidentState, "cluster">, step: StepProgress): Reply {
  const { checked } = step;
  const results = checked?.results ?? [];
  return {
    verdict: {
      ...(checked === undefined ? { word: "UNKNOWN", outcome: "unknown" } : checkedVerdict(checked)),
      text: text`${step.title}: ${checked === undefined ? "" : checkedCounts(checked)}`,
    },
    cluster: state.cluster,
    ...(checked?.fault !== undefined && { why: [`${checked.fault.what}: ${checked.fault.detail}`] }),
    findings: [],
    blocks:
      results.length === 0
        ? []
        : [
            {
              kind: "table",
              columns: [{ title: "is" }, { title: "check" }, { title: "about" }, { title: "because" }],
              rows: results.map(({ outcome, check, subject, because }) => [
                [outcome],
                [check],
                [subject.name],
                because,
              ]),
            },
          ],
    actions: [],
  };
}
