import type { Finding, Severity } from "../finding.ts";
import { bySeverity, isFailure } from "../finding.ts";
import type { Outcome, Reply, StepState } from "../reply.ts";
import type { Inline, Text } from "../text.ts";
import { plain, strong } from "../text.ts";

/**
 * One sign an outcome, so that nothing rests on colour. All are drawn one column wide and none is a code point that
 * Slack or a terminal replaces with an emoji. `unknown` has its own and is never near a tick.
 */
export const outcomeSign: Readonly<Record<Outcome, string>> = {
  ok: "✓",
  info: "•",
  failed: "✗",
  unknown: "?",
  running: "…",
  usage: "›",
  denied: "⊘",
  busy: "◷",
  fault: "!",
};

export const severityWord: Readonly<Record<Severity, string>> = {
  critical: "CRITICAL",
  error: "FAIL",
  warning: "WARN",
  unknown: "UNKNOWN",
  info: "NOTE",
};

export const severitySign: Readonly<Record<Severity, string>> = {
  critical: "✗",
  error: "✗",
  warning: "△",
  unknown: "?",
  info: "•",
};

export const stepWord: Readonly<Record<StepState, string>> = {
  done: "done",
  running: "running",
  waiting: "waits",
  pending: "",
  failed: "FAILED",
  skipped: "skipped",
  unknown: "UNKNOWN",
};

/** Outcomes whose verdict is a sentence of its own (`Not allowed: …`), not `WORD  cluster · subject`. */
const sentence = new Set<Outcome>(["usage", "denied", "busy", "fault"]);

/** The first line without its sign: `CONFLICT  goldentooth · httpbin …`, `Not allowed: /migrate next on …`. */
export function verdictLine(reply: Reply): Text {
  const { word, outcome, text } = reply.verdict;
  const said = plain(text);
  const out: Inline[] = [];
  const asSentence = sentence.has(outcome) || reply.cluster === undefined;
  if (word !== "") out.push(strong(word), asSentence ? (said === "" ? "" : ": ") : "  ");
  if (reply.cluster !== undefined && !(asSentence && said.includes(reply.cluster)))
    out.push(reply.cluster, said === "" ? "" : " · ");
  out.push(...text);
  return out.filter((part) => part !== "");
}

/** `verdictLine` with its sign: `✗ CONFLICT  goldentooth · …`. */
export function signedLine(reply: Reply): Text {
  const sign = outcomeSign[reply.verdict.outcome];
  const [first, ...others] = verdictLine(reply);
  if (reply.verdict.word === "" || typeof first !== "object" || !("strong" in first))
    return [strong(sign), " ", ...verdictLine(reply)];
  return [strong(`${sign} ${first.strong}`), ...others];
}

/** Failures first, then what we could not look at, then remarks; the given order within each. */
export const ranked = (findings: readonly Finding[]): readonly Finding[] => findings.toSorted(bySeverity);

/** The subject's name where the text does not start with it already, else nothing. */
export const shownSubject = (finding: Finding): string =>
  plain(finding.text).startsWith(finding.subject.name) ? "" : finding.subject.name;

/** `karstark  eth0 and wlan0 both up`. */
export const findingText = (finding: Finding): Text => {
  const subject = shownSubject(finding);
  return subject === "" ? finding.text : [subject, "  ", ...finding.text];
};

/** `2 of 7 steps done, 1 skipped` */
export function stepCount(steps: readonly Readonly<{ state: StepState }>[]): string {
  const inState = (state: StepState): number => steps.filter((step) => step.state === state).length;
  const skipped = inState("skipped");
  return `${inState("done")} of ${counted(steps.length, "step")} done${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** `2 more failures, 1 unknown, 3 remarks`: what is behind a fold, in the order of its importance. */
export function findingCount(findings: readonly Finding[], more: "more " | ""): string {
  const failures = findings.filter(isFailure).length;
  const unknown = findings.filter((finding) => finding.severity === "unknown").length;
  const remarks = findings.length - failures - unknown;
  const parts = [
    ...(failures > 0 ? [(word: string) => counted(failures, `${word}failure`)] : []),
    ...(unknown > 0 ? [(word: string) => `${unknown} ${word}unknown`] : []),
    ...(remarks > 0 ? [(word: string) => counted(remarks, `${word}remark`)] : []),
  ];
  return parts.map((part, i) => part(i === 0 ? more : "")).join(", ");
}

export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
