import type { CheckResult } from "../check-result.ts";
import type { Check } from "../checks/check.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "../checks/gather.ts";
import { judgeAll } from "../checks/run.ts";
import { type Finding, isFailure } from "../finding.ts";
import { foldSiblings } from "../metallb/prediction-findings.ts";
import type { StepContext } from "../steps/step.ts";
import { text } from "../text.ts";
import { couldNotLook } from "./define-step.ts";

export type Checked = Readonly<{
  results: readonly CheckResult[];
  /** What failed, and as `unknown` what could not be looked at. */
  findings: readonly Finding[];
  /** Names of what failed, once each. */
  failing: readonly string[];
  passed: number;
  nodes: number;
}>;

/** Visits the nodes and runs registered checks. What fails to answer is unknown, never passed. */
export async function runChecks(context: StepContext, checks: readonly Check[]): Promise<Checked> {
  const { config, read, shell, logs, clock, newNonce } = context.ports;
  const ports: GatherPorts = { config, read, shell, logs, clock, newNonce, signal: context.signal };
  const lists = await readLists(ports, checks);
  const gathered = await visitNodes(ports, lists, nodeSource(lists.nodes, config), {
    checks,
    onProgress: (done, total) => context.show(text`${done} of ${total} nodes read`),
  });
  const results = judgeAll(checks, gathered);
  const findings = results.flatMap((result): readonly Finding[] =>
    result.outcome === "failed"
      ? result.findings.filter(isFailure)
      : result.outcome === "unknown"
        ? [couldNotLook(result.fault, result.subject)]
        : [],
  );
  return {
    results,
    findings: foldSiblings(findings),
    failing: [
      ...new Set(findings.filter(isFailure).map(({ subject }) => subject.name.split("/")[0] ?? subject.name)),
    ],
    passed: results.filter(({ outcome }) => outcome === "passed").length,
    nodes: gathered.nodes.length,
  };
}
