import type { Change } from "../changes/change.ts";
import { fold } from "../changes/fold.ts";
import { utcTime } from "../changes/utc-time.ts";
import type { Json } from "../json.ts";
import type { Block, Reply } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { join, plain, strong, type Text, text } from "../text.ts";
import { type Cause, type Diagnosis, firstBroken } from "./diagnosis.ts";
import { conclusionHead, nextOf, subjectOf } from "./incident-reply.ts";
import type { Link } from "./link.ts";

/** As many links as are told one by one when they hold. */
const isWorthALine = ({ outcome }: Link): boolean => outcome === "failed" || outcome === "unknown";

/** So many lines of changes fit under a diagnosis; the command for them has all. */
const mostChanges = 15;

function changeLines(changes: readonly Change[], now: number): readonly string[] {
  const lines = fold(changes).map(({ change: { at, subject, what, by }, names }) => {
    const who =
      names.length === 1
        ? `${subject.kind} ${subject.name}`
        : `${names.length} ${subject.kind}s (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`;
    return `${utcTime(at, now)}  ${who}: ${plain(what)}${by === undefined ? "" : `, by ${by}`}`;
  });
  const more = lines.length - mostChanges;
  return more > 0 ? [...lines.slice(0, mostChanges), `${more} more lines: /arpeggio changes`] : lines;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const linkLine = ({ id, outcome, title, because, from }: Link): string =>
  `${outcome.padEnd(8)}${id.padEnd(21)}${title}: ${plain(because)}${from === undefined ? "" : ` [${from}]`}`;

const causeTable = (title: string, causes: readonly Cause[]): Block => ({
  kind: "table",
  title,
  columns: [{ title: "link" }, { title: "cause" }],
  rows: causes.map(({ link, text: said }) => [[link], said]),
});

/** First broken, how many hold, how many nobody saw: the sentence under the verdict. */
function whyOf(diagnosis: Diagnosis): Text {
  const { links, conclusion, startedAt, endedAt } = diagnosis;
  const inState = (state: Link["outcome"]): number => links.filter(({ outcome }) => outcome === state).length;
  const first = firstBroken(diagnosis);
  const failed = inState("failed");
  const unknown = inState("unknown");
  const counts = [
    `${inState("passed")} of ${counted(links.length, "link")} hold`,
    ...(failed > 0 ? [`${failed} broken`] : []),
    ...(unknown > 0 ? [`${unknown} UNKNOWN`] : []),
  ].join(", ");
  const where = first === undefined ? [] : text`First broken: ${first.title}. `;
  const also =
    conclusion.kind === "cause" && conclusion.also.length > 0
      ? text`Beside it, on its own: ${conclusion.also[0]?.text ?? []}. `
      : [];
  return text`${also}${where}${counts}, in ${seconds(endedAt - startedAt)}.`;
}

export type DiagnosisReplyOptions = Readonly<{
  cluster: string;
  actions?: Reply["actions"];
}>;

/**
 * A diagnosis as one message: the verdict with the first broken link, the next safe move, and below it every link, who
 * saw what and what changed. For `--json` everything is in `data`.
 */
export function diagnosisReply(
  diagnosis: Diagnosis,
  { cluster, actions = [] }: DiagnosisReplyOptions,
): Reply {
  const { links, conclusion, seen, changes, changesGap, endedAt } = diagnosis;
  const head = conclusionHead(conclusion);
  const told = links.filter(isWorthALine);
  // The first two stand in the verdict.
  const candidates: readonly Block[] =
    conclusion.kind === "candidates" && conclusion.causes.length > 2
      ? [causeTable("further readings", conclusion.causes.slice(2))]
      : [];
  const also: readonly Block[] =
    conclusion.kind === "cause" && conclusion.also.length > 1
      ? [causeTable("further causes", conclusion.also.slice(1))]
      : [];
  const blocks: readonly Block[] = [
    ...candidates,
    ...also,
    ...(told.length === 0
      ? []
      : [
          {
            kind: "prose" as const,
            text: join(
              told.map(
                ({ title: claim, outcome, because }) =>
                  text`${strong(outcome === "failed" ? "✗ BROKEN" : "? UNKNOWN")}  ${claim}: ${because}`,
              ),
              "\n",
            ),
          },
        ]),
    ...(seen.length === 0
      ? []
      : [
          {
            kind: "table" as const,
            title: "who saw what",
            columns: [{ title: "vantage" }, { title: "saw" }],
            rows: seen.map(({ vantage, place, clusterNode, text: said }) => [
              [`${vantage} (${place}${clusterNode ? ", a node: ARP only" : ""})`],
              said,
            ]),
          },
        ]),
    changes === undefined
      ? {
          kind: "prose",
          text: text`What changed in the last hour is UNKNOWN${changesGap === undefined ? "" : text`: ${changesGap}`}.`,
        }
      : changes.length === 0
        ? {
            kind: "prose",
            text: text`Nothing is known to have changed in the last hour${changesGap === undefined ? "" : text` (${changesGap})`}.`,
          }
        : {
            kind: "evidence",
            title: `what changed in the last hour (${changes.length}${changesGap === undefined ? "" : `, ${plain(changesGap)}`})`,
            lines: changeLines(changes, endedAt),
          },
    { kind: "evidence", title: `all ${counted(links.length, "link")}`, lines: links.map(linkLine) },
    ...links.flatMap(({ id, evidence }): readonly Block[] =>
      evidence === undefined || evidence.lines.length === 0
        ? []
        : [{ kind: "evidence", title: `${id}: ${evidence.title}`, lines: evidence.lines }],
    ),
  ];
  return {
    verdict: { ...head, text: text`${subjectOf(diagnosis)} · ${head.text}` },
    cluster,
    why: whyOf(diagnosis),
    findings: diagnosis.findings,
    blocks,
    next: nextOf(conclusion).slice(0, 3),
    actions,
    data: diagnosisJson(diagnosis),
  };
}

const words = (texts: readonly Text[]): readonly string[] => texts.map(plain);

function conclusionJson({ conclusion }: Diagnosis): Json {
  switch (conclusion.kind) {
    case "healthy":
    case "unknown":
      return { kind: conclusion.kind, text: plain(conclusion.text) };
    case "cause":
      return {
        kind: "cause",
        causes: [conclusion.cause, ...conclusion.also].map(({ code, link, text: said, next }) => ({
          code,
          link,
          text: plain(said),
          next: words(next),
        })),
      };
    case "candidates":
      return {
        kind: "candidates",
        causes: conclusion.causes.map(({ code, link, text: said, next }) => ({
          code,
          link,
          text: plain(said),
          next: words(next),
        })),
      };
  }
}

/** Everything that a diagnosis holds, in plain words, for programs. */
export function diagnosisJson(diagnosis: Diagnosis): Json {
  const { runbook, subject, title, links, seen, changes, changesGap, startedAt, endedAt, facts } = diagnosis;
  return {
    runbook,
    subject: { ...subject },
    title,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    conclusion: conclusionJson(diagnosis),
    firstBroken: firstBroken(diagnosis)?.id ?? null,
    links: links.map((link) => ({
      id: link.id,
      title: link.title,
      outcome: link.outcome,
      because: plain(link.because),
      from: link.from ?? null,
      codes:
        link.outcome === "failed" || link.outcome === "passed" ? link.findings.map(({ code }) => code) : [],
      ...(link.outcome === "unknown" ? { fault: { ...link.fault } } : {}),
      evidence:
        link.evidence === undefined ? null : { title: link.evidence.title, lines: [...link.evidence.lines] },
    })),
    seen: seen.map(({ vantage, place, clusterNode, text: said }) => ({
      vantage,
      place,
      clusterNode,
      saw: plain(said),
    })),
    changes:
      changes === undefined
        ? null
        : changes.map(({ at, subject: about, what, by, source }) => ({
            at: new Date(at).toISOString(),
            kind: about.kind,
            name: about.name,
            what: plain(what),
            by: by ?? null,
            source,
          })),
    changesGap: changesGap === undefined ? null : plain(changesGap),
    facts,
  };
}
