import type { Step, StepContext, StepPlan } from "../steps/step.ts";
import type { Text } from "../text.ts";
import { blocking, couldNotLook, type Halt, notReady } from "./halts.ts";
import { looked } from "./looked.ts";

export type Prepared = Readonly<{ unneeded: Text }> | Readonly<{ halt: Halt }> | Readonly<{ plan: StepPlan }>;

/** What has to be true before a plan counts: the step is needed, nothing blocks it, and what it would do now. */
export async function prepareStep(step: Step, context: StepContext): Promise<Prepared> {
  const read = await looked(async (): Promise<Prepared> => {
    const unneeded = await step.unneeded?.(context);
    if (unneeded !== undefined) return { unneeded };
    const obstacles = blocking(await step.ready(context));
    if (obstacles.length > 0) return { halt: notReady(obstacles) };
    return { plan: await step.plan(context) };
  });
  return "fault" in read ? { halt: couldNotLook(read.fault.fault) } : read.value;
}
