import type { Finding } from "#shared/finding.ts";
import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import { diagnosisJson, diagnosisReply } from "#shared/incidents/diagnosis-reply.ts";
import type { StepProgress } from "#shared/incidents/incident-state.ts";
import { checksNote } from "#shared/incidents/look-note.ts";
import type { IncidentRunbook, IncidentStep } from "#shared/incidents/runbook.ts";
import type { Json } from "#shared/json.ts";
import type { Block, Outcome, Reply } from "#shared/reply.ts";
import { within } from "#shared/runs/runner.ts";
import { code, plain, type Text, text } from "#shared/text.ts";
import type { ClusterPorts, Context } from "../commands/command.ts";
import { withPathPicture } from "../pictures.ts";
import { diagnoseMs, diagnosePorts } from "./drive.ts";
import { runChecks } from "./run-checks.ts";

type Part = Readonly<{
  outcome: Outcome;
  word: string;
  text: Text;
  why?: Text;
  findings: Reply["findings"];
  blocks: readonly Block[];
  next: readonly Text[];
  data: Readonly<{ diagnosis?: Json; checks?: Json }>;
}>;

const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** What could not be looked at makes an answer no pass, also where enough was seen to say that all is well. */
const unseen = (diagnosis: Diagnosis): readonly Finding[] =>
  diagnosis.conclusion.kind !== "healthy"
    ? []
    : diagnosis.links.flatMap((link) =>
        link.outcome !== "unknown"
          ? []
          : [
              {
                code: `fault-${link.fault.kind}`,
                severity: "unknown" as const,
                subject: diagnosis.subject,
                facts: { link: link.id, fault: link.fault.kind },
                text: text`${link.title}: ${link.because}`,
              },
            ],
      );

function ofDiagnosis(diagnosis: Diagnosis, cluster: string): Part {
  const { verdict, why, findings, blocks, next = [] } = diagnosisReply(diagnosis, { cluster });
  return {
    ...verdict,
    ...(why !== undefined && { why }),
    findings: [...findings, ...unseen(diagnosis)],
    blocks,
    next,
    data: { diagnosis: diagnosisJson(diagnosis) },
  };
}

/** The worst of the parts gives the verdict: failed before unknown before fine. */
const rank: readonly Outcome[] = ["failed", "unknown", "info", "ok"];
const worst = (parts: readonly Part[]): Part | undefined =>
  parts.toSorted((a, b) => rank.indexOf(a.outcome) - rank.indexOf(b.outcome))[0];

const manualBlocks = (steps: readonly IncidentStep[]): readonly Block[] =>
  steps.flatMap((step): readonly Block[] =>
    step.kind === "manual" ? [{ kind: "prose", text: text`Then ${step.title}: ${step.instruction}` }] : [],
  );

/**
 * The read part of a runbook for whoever asks, and nothing kept of it: no ledger, no message that stands. Throws
 * FaultError when not even that can be begun.
 */
export async function diagnoseOnce(
  context: Context<unknown>,
  cluster: ClusterPorts,
  runbook: IncidentRunbook,
  subject: string | null,
): Promise<Reply> {
  const { deps, signal } = context;
  const { name } = cluster.config;
  const show = (line: Text): void =>
    context.show({
      verdict: { word: "LOOKING", outcome: "running", text: line },
      cluster: name,
      findings: [],
      blocks: [],
      actions: [],
    });
  const parts: Part[] = [];
  const { diagnose } = runbook;
  let noSuch: Reply | undefined;
  let diagnosis: Diagnosis | undefined;
  for (const step of runbook.steps) {
    if (noSuch !== undefined) break;
    // Nobody does anything in between, so a second look would see what the first one saw.
    if (step.kind === "diagnose" && diagnose !== undefined && diagnosis === undefined) {
      const diagnosed = await within(deps.clock, diagnoseMs, `diagnosis ${runbook.id}`, (late) =>
        diagnose(diagnosePorts(deps, cluster), subject ?? "", {
          signal: AbortSignal.any([signal, late]),
          show,
        }),
      );
      if ("noSuch" in diagnosed)
        noSuch = {
          verdict: { word: "Not understood", outcome: "usage", text: diagnosed.noSuch },
          cluster: name,
          findings: [],
          blocks: [],
          next: diagnosed.next,
          actions: [],
        };
      else {
        diagnosis = diagnosed;
        parts.push(ofDiagnosis(diagnosed, name));
      }
    } else if (step.kind === "checks") {
      const checked = await runChecks(deps, cluster, step, signal, show);
      const progress = { ...step, status: "done", checked } as unknown as StepProgress;
      const { verdict, why, blocks } = checksNote({ cluster: name }, progress);
      parts.push({
        ...verdict,
        ...(why !== undefined && { why }),
        findings: [],
        blocks,
        next: [text`In detail: ${code("/nodes check")}`],
        data: { checks: toJson({ step: step.id, ...checked }) },
      });
    }
  }
  if (noSuch !== undefined) return noSuch;
  const first = worst(parts);
  if (first === undefined)
    return {
      verdict: {
        word: "NOTHING TO LOOK AT",
        outcome: "info",
        text: text`${code(runbook.id)} has no step that looks; these are for people`,
      },
      cluster: name,
      findings: [],
      blocks: manualBlocks(runbook.steps),
      actions: [],
    };
  const { word, outcome, why } = first;
  const others = parts.filter((part) => part !== first);
  const reply: Reply = {
    verdict: { word, outcome, text: first.text },
    cluster: name,
    ...(why !== undefined && { why }),
    findings: parts.flatMap(({ findings }) => findings),
    blocks: [
      ...first.blocks,
      ...others.flatMap((part): readonly Block[] => [
        { kind: "prose", text: text`${part.word}: ${part.text}` },
        ...part.blocks,
      ]),
      ...manualBlocks(runbook.steps),
    ],
    next: parts.flatMap(({ next }) => next),
    actions: [],
    data: {
      runbook: runbook.id,
      subject,
      diagnosis: parts.map(({ data }) => data.diagnosis).find((each) => each !== undefined) ?? null,
      checks: parts.flatMap(({ data }) => (data.checks === undefined ? [] : [data.checks])),
      manual: runbook.steps.flatMap((step) =>
        step.kind === "manual" ? [{ step: step.id, instruction: plain(step.instruction) }] : [],
      ),
    },
  };
  return diagnosis === undefined ? reply : withPathPicture(deps.drawPng, reply, diagnosis, name);
}
