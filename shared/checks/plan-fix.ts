import { text } from "../text.ts";
import { type Check, passed } from "./check.ts";
import type { Gathered } from "./evidence.ts";
import type { Fix, FixAnswer } from "./fix.ts";
import { judgeAll } from "./run.ts";

/** A check that needs what a fix needs, to visit a node with. It judges nothing. */
export const askingFor = (check: Check, { needs, reads }: Fix): Check => ({
  id: check.id,
  title: check.title,
  codes: check.codes,
  page: check.page,
  about: "node",
  needs,
  reads,
  judge: () => passed,
});

/** What a fix makes of the evidence; evidence that is missing makes it unknown, never a plan. */
function answerOf(check: Check, fix: Fix, gathered: Gathered): FixAnswer {
  let answer: FixAnswer | undefined;
  const asking: Check = {
    ...askingFor(check, fix),
    about: "node",
    judge: (node, around) => {
      answer = fix.plan(node, around);
      return passed;
    },
  };
  const [result] = judgeAll([asking], gathered);
  if (answer !== undefined) return answer;
  if (result?.outcome === "unknown") return { kind: "unknown", fault: result.fault };
  const detail = result?.outcome === "skipped" ? result.because : "the node was not visited";
  return { kind: "unknown", fault: { kind: "unreadable", what: `evidence for ${check.id}`, detail } };
}

/**
 * What to do about a check on the one node that was visited for it and its fix. A check that passes needs no change, and
 * a failure that the fix does not cover is told as such, not as fine.
 */
export function planFix(check: Check, fix: Fix, gathered: Gathered): FixAnswer {
  const [result] = judgeAll([check], gathered);
  switch (result?.outcome) {
    case "passed":
      return { kind: "nothing-to-do", because: "the check passes" };
    case "skipped":
      return { kind: "nothing-to-do", because: result.because };
    case "unknown":
      return { kind: "unknown", fault: result.fault };
  }
  const answer = answerOf(check, fix, gathered);
  if (answer.kind !== "nothing-to-do") return answer;
  const [finding] = result?.findings ?? [];
  return { kind: "by-hand", because: text`${finding?.text ?? []}: no command cures that` };
}
