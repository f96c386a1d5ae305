import { type Fault, FaultError } from "../fault.ts";
import type { Finding, Severity, Subject } from "../finding.ts";
import type { Json } from "../json.ts";
import type { Step, Verified } from "../steps/step.ts";
import { type Text, text } from "../text.ts";

/** Could not look, as a finding: it halts like a failure does. */
export const couldNotLook = (fault: Fault, subject: Subject): Finding => ({
  code: "could-not-look",
  severity: "unknown",
  subject,
  facts: { kind: fault.kind, what: fault.what, detail: fault.detail },
  text: text`${fault.what}: ${fault.detail}`,
});

export const finding = (
  code: string,
  severity: Severity,
  subject: Subject,
  said: Text,
  more: Readonly<{ facts?: Readonly<Record<string, Json>>; remedy?: Text }> = {},
): Finding => ({
  code,
  severity,
  subject,
  facts: more.facts ?? {},
  text: said,
  ...(more.remedy === undefined ? {} : { remedy: more.remedy }),
});

export const verified = (
  outcome: Verified["outcome"],
  said: Text,
  more: Partial<Omit<Verified, "outcome" | "text">> = {},
): Verified => ({ findings: [], blocks: [], notes: null, ...more, outcome, text: said });

/**
 * A step whose looks may fail: a FaultError in `ready`, `verify`, `canUndo` or `verifyUndone`
 * becomes unknown, which halts and is never a pass. `plan` still throws it: nothing can be planned on what was not seen.
 */
export function defineStep(step: Step): Step {
  const about = (cluster: string): Subject => ({ kind: "cluster", name: cluster });
  return {
    ...step,
    ready: async (context) => {
      try {
        return await step.ready(context);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return [couldNotLook(error.fault, about(context.run.cluster))];
      }
    },
    verify: async (context, plan, observed) => {
      try {
        return await step.verify(context, plan, observed);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        const { fault } = error;
        return verified("unknown", text`could not look: ${fault.what}: ${fault.detail}`, {
          findings: [couldNotLook(fault, about(context.run.cluster))],
        });
      }
    },
    ...(step.canUndo === undefined
      ? {}
      : {
          canUndo: async (context, plan) => {
            try {
              return (await step.canUndo?.(context, plan)) ?? [];
            } catch (error) {
              if (!(error instanceof FaultError)) throw error;
              return [couldNotLook(error.fault, about(context.run.cluster))];
            }
          },
        }),
    ...(step.verifyUndone === undefined
      ? {}
      : {
          verifyUndone: async (context, plan) => {
            try {
              return (
                (await step.verifyUndone?.(context, plan)) ??
                verified("passed", text`taken back, and seen to be as before`)
              );
            } catch (error) {
              if (!(error instanceof FaultError)) throw error;
              const { fault } = error;
              return verified("unknown", text`could not look: ${fault.what}: ${fault.detail}`, {
                findings: [couldNotLook(fault, about(context.run.cluster))],
              });
            }
          },
        }),
  };
}

/**
 * An act that passed is verified again when whoever syncs had a turn: `recheckAfterMs` where the survey found somebody,
 * nothing where it found nobody.
 */
export function recheckAfterSync(notes: Readonly<Record<string, Json>>): Pick<Verified, "recheckAfterMs"> {
  const { survey } = notes;
  const seconds =
    typeof survey === "object" && survey !== null && "syncSeconds" in survey ? survey.syncSeconds : null;
  // Syncs take a while themselves.
  return typeof seconds === "number" ? { recheckAfterMs: seconds * 1_000 + 15_000 } : {};
}
