import type { Finding } from "../finding.ts";
import type { Deed } from "../steps/deed.ts";
import { madeByDeed } from "../steps/deed.ts";
import type { StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { finding } from "./define-step.ts";

/** Asks the API server whether it would do these writes: admission webhooks and rights answer, and nothing is written. */
export async function dryRunFindings(
  context: StepContext,
  deeds: readonly Deed[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const deed of deeds) {
    if (deed.kind !== "kube") continue;
    if (deed.write.verb !== "create" && madeByDeed(deed.write.is.uid) !== undefined) continue;
    const answer = await context.ports.dryRun(deed.write, { dryRun: true, signal: context.signal });
    if (answer.ok) continue;
    findings.push(
      finding(
        "dry-run-refused",
        "error",
        { kind: "config", name: deed.title },
        text`the API server refuses to ${deed.title} (${answer.because}): ${code(answer.message)}`,
        { facts: { because: answer.because, message: answer.message } },
      ),
    );
  }
  return findings;
}
