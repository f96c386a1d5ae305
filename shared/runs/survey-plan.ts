import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import type { Migration } from "../steps/runbook.ts";
import type { RunFacts, Step, StepContext, StepPlan, StepPorts } from "../steps/step.ts";
import type { Text } from "../text.ts";
import { planDigest } from "./digest.ts";
import { blocking, couldNotLook } from "./halts.ts";
import { looked } from "./looked.ts";
import { changesWorld } from "./run-state.ts";

/** What a step would do if it were its turn now. Later steps often wait for what earlier ones bring about. */
export type StepForecast = Readonly<{
  step: Step;
  /** What was found and stops nothing. */
  remarks?: readonly Finding[];
}> &
  (
    | Readonly<{ kind: "unneeded"; because: Text }>
    | Readonly<{ kind: "blocked"; findings: readonly Finding[]; because: Text }>
    | Readonly<{
        kind: "planned";
        plan: StepPlan;
        digest: string;
        acts: boolean;
        /** What a check said that was made. */
        seen?: Text;
      }>
  );

/**
 * Looks at every step without starting a run. Checks before the first act are made, since later steps go by what they
 * wrote down; nothing is changed.
 */
export async function forecastSteps(
  migration: Migration,
  ports: StepPorts,
  about: Readonly<{ cluster: string; inputs: Readonly<Record<string, Json>> }>,
  signal: AbortSignal,
  show: (step: Step) => void,
): Promise<readonly StepForecast[]> {
  const notes: Record<string, Json> = {};
  const found: StepForecast[] = [];
  let hasActs = false;
  for (const step of migration.steps) {
    show(step);
    const run: RunFacts = { id: "plan", runbook: migration.id, ...about, notes };
    const context: StepContext = { run, ports, signal, show: () => {} };
    const read = await looked(async (): Promise<StepForecast> => {
      const unneeded = await step.unneeded?.(context);
      if (unneeded !== undefined) return { step, kind: "unneeded", because: unneeded };
      const findings = await step.ready(context);
      const obstacles = blocking(findings);
      const others = findings.filter((each) => !obstacles.includes(each));
      const remarks = others.length === 0 ? {} : { remarks: others };
      const [first] = obstacles;
      if (first !== undefined)
        return { step, kind: "blocked", findings: obstacles, because: first.text, ...remarks };
      const plan = await step.plan(context);
      const acts = changesWorld(plan);
      hasActs ||= acts || step.kind === "manual";
      let seen: Text | undefined;
      if (step.kind === "check" && !hasActs) {
        const verified = await step.verify(context, plan, undefined);
        if (verified.outcome !== "passed")
          return { step, kind: "blocked", findings: verified.findings, because: verified.text };
        notes[step.id] = verified.notes;
        seen = verified.text;
      }
      return {
        step,
        kind: "planned",
        plan,
        digest: planDigest(step.id, plan),
        acts,
        ...remarks,
        ...(seen !== undefined && { seen }),
      };
    });
    if ("value" in read) found.push(read.value);
    else found.push({ step, kind: "blocked", findings: [], because: couldNotLook(read.fault.fault).because });
  }
  return found;
}
