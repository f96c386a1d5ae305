import type { Fault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { bySeverity, isFailure } from "../finding.ts";
import type { Deed } from "../steps/deed.ts";
import { code, plain, type Text, text } from "../text.ts";
import type { HaltCode, RunEvent } from "./run-events.ts";
import type { DeedProgress } from "./run-state.ts";

/** Why a run stops, and the next safe move; `halted` without its place. */
export type Halt = Readonly<{ code: HaltCode; because: Text; next: Text; findings: readonly Finding[] }>;

const retry = code("/migrate retry");
const goBack = code("/migrate rollback");
const status = code("/migrate status");

/** Findings that block an act: failures, and what could not be looked at. */
export const blocking = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter((finding) => isFailure(finding) || finding.severity === "unknown").toSorted(bySeverity);

const summary = (findings: readonly Finding[]): Text => {
  const [first, ...others] = findings;
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return text`${first.text}${more}`;
};

export const notReady = (findings: readonly Finding[]): Halt => ({
  code: "not-ready",
  because: text`not ready: ${summary(findings)}`,
  next:
    findings[0]?.remedy === undefined
      ? text`Cure it, then ${retry}. Nothing was done in this step.`
      : text`${findings[0].remedy}. Then ${retry}; nothing was done in this step.`,
  findings,
});

export const couldNotLook = ({ what, detail }: Fault): Halt => ({
  code: "could-not-look",
  because: text`could not look at ${what}: ${detail}`,
  next: text`See that it answers, then ${retry}. Nothing was changed by looking.`,
  findings: [],
});

const refusals: Readonly<
  Record<NonNullable<DeedProgress["refusal"]>["because"], readonly [why: string, next: Text]>
> = {
  conflict: [
    "the object was changed by somebody else since it was read (409)",
    text`${retry} reads it again and asks for approval of what is true then.`,
  ],
  exists: [
    "there is one of that name already, and it is not the one we meant to make (409)",
    text`Look at who made it. ${retry} plans with it in place.`,
  ],
  "not-found": [
    "the object is gone (404 or 410)",
    text`Find out who removed it. ${retry} plans with what is there now.`,
  ],
  webhook: ["an admission webhook refused it", text`Its words say what it wants. Cure that, then ${retry}.`],
  denied: ["the API denied it to our account", text`Grant the runbook's Role (infra/k8s), then ${retry}.`],
  invalid: [
    "the API found it invalid",
    text`This is a plan of ours that does not fit here. ${goBack} goes back; report its words.`,
  ],
  failed: ["it failed", text`Its words say why. Cure that, then ${retry}; or ${goBack}.`],
};

export function refused(
  deed: Deed,
  refusal: NonNullable<DeedProgress["refusal"]>,
  done: Readonly<{ before: number; of: number }>,
): Halt {
  const [why, next] = refusals[refusal.because];
  const partial =
    done.before === 0
      ? "Nothing of this step was done"
      : `${done.before} of ${done.of} parts of this step are done and stay: it is done in part`;
  return {
    code: refusal.because,
    because: text`${deed.title}: ${why}${refusal.message === "" ? "" : `: ${refusal.message}`}. ${partial}`,
    next: done.before === 0 ? next : text`${next} To take the done part back: ${goBack}`,
    findings: [],
  };
}

export const moved = (deed: Deed): Halt => ({
  code: "moved",
  because: text`${deed.title} had started, and what it is about has been changed by somebody else since`,
  next: text`Look at the object before anything else: ${retry} looks again, ${goBack} goes back.`,
  findings: [],
});

/** On the way back nothing that somebody else wrote is written over. */
export const movedSince = (deed: Deed): Halt => ({
  code: "moved",
  because: text`${deed.title}: what it is about has been changed by somebody else since, and is not written over`,
  next: text`Look at the object. Put it as it was before by hand, then ${retry} goes on going back; to leave it and end the run: ${code("/migrate abort")}.`,
  findings: [],
});

/** It was looked at again without anybody asking, and is known now. */
export const seenLater = (deed: Deed, wasDone: boolean): Halt => ({
  code: "late",
  because: text`${deed.title} had started and nobody answered; it has been looked at since: it was ${wasDone ? "done" : "not done"}. Nothing more of this step was begun`,
  next: text`${retry} goes on from there; ${goBack} takes back what was done.`,
  findings: [],
});

export const unseen = (deed: Deed, { what, detail }: Fault): Halt => ({
  code: "unseen",
  because: text`${deed.title} had started, and it cannot be seen whether it was done: ${what}: ${detail}`,
  next: text`${retry} looks again. Nothing is repeated before that is known.`,
  findings: [],
});

export const late: Halt = {
  code: "late",
  because: text`the act was interrupted for longer than its approval holds; what is left of it was not begun`,
  next: text`${retry} plans what is left and asks for approval of that; or ${goBack}.`,
  findings: [],
};

export const notObserved = ({ what, detail }: Fault): Halt => ({
  code: "not-observed",
  because: text`the probe that should watch this act could not begin: ${what}: ${detail}. Nothing was done`,
  next: text`See that the vantage answers, then ${retry}.`,
  findings: [],
});

export const notProven = (said: Text, findings: readonly Finding[], acted: boolean): Halt => ({
  code: "not-proven",
  because: said,
  next: acted
    ? text`${goBack} takes it back; ${retry} looks again.`
    : text`Cure it, then ${retry}, which looks again.`,
  findings,
});

export const unproven = (said: Text, findings: readonly Finding[], acted: boolean): Halt => ({
  code: "unproven",
  because: text`it could not be seen: ${said}`,
  next: acted
    ? text`${retry} looks again; ${goBack} takes it back.`
    : text`See that it can be looked at, then ${retry}.`,
  findings,
});

export const reverted = (said: Text, findings: readonly Finding[]): Halt => ({
  code: "reverted",
  because: text`it held at first and no longer does, so somebody (GitOps, an operator) has put it back: ${said}`,
  next: text`Change it at its source or pause its sync, then ${retry}, which plans it anew and asks for approval; ${goBack} leaves nothing of it.`,
  findings,
});

export const wayBackClosed = (findings: readonly Finding[]): Halt => ({
  code: "way-back-closed",
  because: text`the way back of this step is closed: ${summary(findings)}`,
  next: text`What is true now: ${status}. Cure it, then ${retry} goes on going back.`,
  findings,
});

export const notUndone = (said: Text, findings: readonly Finding[]): Halt => ({
  code: "not-undone",
  because: text`it was taken back, and that does not show: ${said}`,
  next: text`${retry} looks again.`,
  findings,
});

export const unknownStep = (step: string): Halt => ({
  code: "unknown-step",
  because: text`this release has no step ${code(step)}: the run was started by another one`,
  next: text`Go on with the release that started it; nothing was done.`,
  findings: [],
});

/** Something threw that is no outcome of looking or doing: a mistake of this program. */
export const fault = (error: unknown): Halt => ({
  code: "fault",
  because: text`this program made a mistake: ${error instanceof Error ? error.message : String(error)}`,
  next: text`${retry} looks at what is true and tries again; ${goBack} takes back what was done. The log has the whole of it.`,
  findings: [],
});

export const haltEvent = (step: string, halt: Halt): RunEvent => ({
  type: "halted",
  step,
  ...halt,
  findings: [...halt.findings],
});

/** For one-line uses. */
export const haltSentence = ({ because }: Pick<Halt, "because">): string => plain(because);
