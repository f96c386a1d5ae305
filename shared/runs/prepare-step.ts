import type { Finding } from "../finding.ts";
import type { Block } from "../reply.ts";
import type { Step, StepContext, StepPlan } from "../steps/step.ts";
import { type Text, text } from "../text.ts";
import { blocking, couldNotLook, type Halt, notReady } from "./halts.ts";
import { looked } from "./looked.ts";

export type Prepared = Readonly<{ unneeded: Text }> | Readonly<{ halt: Halt }> | Readonly<{ plan: StepPlan }>;

/** What was found and blocks nothing is read with the plan: accepted warnings among it. Never part of the digest. */
const withRemarks = (plan: StepPlan, findings: readonly Finding[]): StepPlan => ({
  ...plan,
  blocks: [
    ...findings.map(
      ({ text: said, remedy }): Block => ({
        kind: "prose",
        text: remedy === undefined ? text`Note: ${said}.` : text`Note: ${said}. ${remedy}.`,
      }),
    ),
    ...plan.blocks,
  ],
});

/** What has to be true before a plan counts: the step is needed, nothing blocks it, and what it would do now. */
export async function prepareStep(step: Step, context: StepContext): Promise<Prepared> {
  const read = await looked(async (): Promise<Prepared> => {
    const unneeded = await step.unneeded?.(context);
    if (unneeded !== undefined) return { unneeded };
    const findings = await step.ready(context);
    const obstacles = blocking(findings);
    if (obstacles.length > 0) return { halt: notReady(obstacles) };
    return { plan: withRemarks(await step.plan(context), findings) };
  });
  return "fault" in read ? { halt: couldNotLook(read.fault.fault) } : read.value;
}
