import type { CheckResult } from "#shared/check-result.ts";
import { nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { judgeAll } from "#shared/checks/run.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import type { CheckedOnce } from "#shared/incidents/incident-events.ts";
import { type Text, text } from "#shared/text.ts";
import type { ClusterPorts, Deps } from "../commands/command.ts";

export type ChecksRan = Readonly<{
  /** All that did not pass. */
  results: CheckedOnce[];
  passed: number;
  fault?: Fault;
}>;

/** Findings of more than this many results are counted and not listed: `/nodes check` has them all. */
const mostResults = 200;

const becauseOf = (result: CheckResult): Text => {
  switch (result.outcome) {
    case "passed":
      return [];
    case "failed":
      return result.findings[0]?.text ?? [];
    case "skipped":
      return [result.because];
    case "unknown":
      return text`${result.fault.what}: ${result.fault.detail}`;
  }
};

/** Runs the checks of a step over its nodes, or over all. Throws nothing but bugs: what could not be seen is unknown. */
export async function runChecks(
  deps: Deps,
  cluster: ClusterPorts,
  step: Readonly<{ checks: readonly string[]; nodes?: readonly string[] | undefined }>,
  signal: AbortSignal,
  show: (line: Text) => void,
): Promise<ChecksRan> {
  // Loaded when asked for: the list brings every check along, and help needs none.
  const { checks: all } = await import("#shared/checks/all.ts");
  const checks = all.filter(({ id }) => step.checks.includes(id));
  const gone = step.checks.filter((id) => !all.some((each) => each.id === id));
  const missing = gone.map(
    (check): CheckedOnce => ({
      check,
      subject: { kind: "config", name: check },
      outcome: "unknown",
      because: ["this release has no check of that name"],
    }),
  );
  const ports = {
    config: cluster.config,
    read: cluster.read,
    shell: cluster.shell,
    logs: cluster.logs,
    clock: deps.clock,
    newNonce: () => [deps.newId(), deps.newId(), deps.newId(), deps.newId()].join("-"),
    signal,
  };
  try {
    const lists = await readLists(ports, checks);
    const source = nodeSource(lists.nodes, cluster.config);
    const known = step.nodes?.filter((node) => source.names.includes(node));
    const strangers = (step.nodes ?? []).filter((node) => !source.names.includes(node));
    // Checks that compare nodes see all of them, and are told of those that were asked for.
    const compares = checks.some(({ about, needs }) => about === "cluster" && needs.length > 0);
    const gathered = await visitNodes(ports, lists, source, {
      checks,
      ...(known === undefined || compares ? {} : { only: known }),
      onProgress: (done, total) => show(text`checks: ${done} of ${total} nodes answered`),
    });
    const results = judgeAll(checks, gathered).filter(
      ({ subject }) => known === undefined || subject.kind !== "node" || known.includes(subject.name),
    );
    const told = results
      .filter(({ outcome }) => outcome !== "passed")
      .map(
        (result): CheckedOnce => ({
          check: result.check,
          subject: { ...result.subject },
          outcome: result.outcome,
          because: becauseOf(result),
        }),
      );
    const unseen = strangers.map(
      (node): CheckedOnce => ({
        check: "node",
        subject: { kind: "node", name: node },
        outcome: "unknown",
        because: ["the cluster lists no node of that name"],
      }),
    );
    const order = ["failed", "unknown", "skipped"];
    const listed = [...told, ...unseen, ...missing].toSorted(
      (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome),
    );
    return {
      results: listed.slice(0, mostResults),
      passed: results.length - told.length,
      ...(listed.length > mostResults && {
        fault: {
          kind: "truncated" as const,
          what: "checks",
          detail: `${listed.length - mostResults} more results were not kept`,
        },
      }),
    };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { results: missing, passed: 0, fault: error.fault };
  }
}
