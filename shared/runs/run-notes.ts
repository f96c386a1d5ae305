import type { Attachment } from "../board/board.ts";
import type { Json } from "../json.ts";
import { shortDigest } from "../policy/approval.ts";
import type { Block, Reply } from "../reply.ts";
import type { Deed } from "../steps/deed.ts";
import type { Diff, Observed, StepPlan, Verified } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { diffLines } from "./diff-lines.ts";
import type { RunState, StepRun } from "./run-state.ts";

export const stepNumber = (state: RunState, id: string): number =>
  state.steps.findIndex((step) => step.id === id) + 1;

const place = (state: RunState, step: StepRun): string => `step ${stepNumber(state, step.id)}, ${step.title}`;

const head = (
  state: RunState,
  word: string,
  outcome: Reply["verdict"]["outcome"],
  said: Reply["verdict"]["text"],
): Reply => ({
  verdict: { word, outcome, text: said },
  cluster: state.cluster,
  findings: [],
  blocks: [],
  actions: [],
});

/** Everything a plan would do, for reading before it is approved: objects before and after, prediction, way back. */
export function planBlocks(plan: StepPlan): readonly Block[] {
  const list = (title: string, lines: readonly string[]): readonly Block[] =>
    lines.length === 0 ? [] : [{ kind: "evidence", title, lines }];
  return [
    ...plan.prediction.map((said): Block => ({ kind: "prose", text: said })),
    ...plan.instructions.map((said): Block => ({ kind: "prose", text: said })),
    ...plan.diffs.map(
      (diff: Diff): Block => ({
        kind: "evidence",
        title: diff.object,
        lines: diffLines(diff.before, diff.after),
      }),
    ),
    ...list(
      "What would be done, in this order",
      plan.deeds.map((deed, i) => `${i + 1}. ${deed.title}`),
    ),
    ...list(
      "The way back, in this order",
      plan.undo.map((deed, i) => `${i + 1}. ${deed.title}`),
    ),
    ...plan.blocks,
  ];
}

export function planNote(state: RunState, step: StepRun, plan: StepPlan): Reply {
  const digest = step.planned?.digest ?? "";
  const { replaces } = step.planned ?? {};
  return {
    ...head(state, "PLAN", "info", text`${place(state, step)}: plan ${code(shortDigest(digest))}`),
    ...(replaces !== undefined && {
      why: text`It takes the place of ${code(shortDigest(replaces.digest))}: ${replaces.changed.join("; ")}.`,
    }),
    blocks: planBlocks(plan),
  };
}

export const observedNote = (state: RunState, step: StepRun, { findings, blocks }: Observed): Reply => ({
  ...head(state, "SEEN", "info", text`${place(state, step)}: what was seen from outside while it happened`),
  findings,
  blocks,
});

export const verifiedNote = (state: RunState, step: StepRun, result: Verified): Reply => ({
  ...head(
    state,
    result.outcome === "passed" ? "PROVEN" : result.outcome === "unknown" ? "UNKNOWN" : "FAIL",
    result.outcome === "passed" ? "ok" : result.outcome === "unknown" ? "unknown" : "failed",
    text`${place(state, step)}: ${result.text}`,
  ),
  findings: result.findings,
  blocks: result.blocks,
});

export const movedNote = (state: RunState, deed: Deed): Reply => ({
  ...head(
    state,
    "UNKNOWN",
    "unknown",
    text`${deed.title}: it is not known whether this was done. It had been begun, and somebody else has changed what it is about since: it is left as it is`,
  ),
});

export function documentNote(
  state: RunState,
  step: StepRun,
  deed: Extract<Deed, { kind: "document" }>,
): Readonly<{ reply: Reply; files: readonly Attachment[] }> {
  return {
    reply: head(state, "FILE", "info", text`${place(state, step)}: ${deed.title} (${deed.name})`),
    files: [{ name: deed.name, text: deed.text }],
  };
}

/** For `--json`. */
export const planJson = (plan: StepPlan): Json => ({
  deeds: plan.deeds.map(({ id, title, kind }) => ({ id, title, kind })),
  diffs: plan.diffs,
  predicted: plan.predicted,
  undo: plan.undo.map(({ id, title, kind }) => ({ id, title, kind })),
});
