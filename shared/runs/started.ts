import type { Json } from "../json.ts";
import type { Migration } from "../steps/runbook.ts";
import type { RunEvent } from "./run-events.ts";

/** The first event of a run: it names all its steps. */
export const startedEvent = (
  { id, title, steps }: Migration,
  about: Readonly<{
    cluster: string;
    inputs: Readonly<Record<string, Json>>;
    by: string;
    approvals: "others" | "self";
  }>,
): Extract<RunEvent, { type: "started" }> => ({
  type: "started",
  runbook: id,
  title,
  ...about,
  steps: steps.map((step) => ({
    id: step.id,
    kind: step.kind,
    title: step.title,
    reversibleWhile: step.reversibleWhile,
    ...(step.proof !== undefined && { proof: step.proof }),
    ...(step.cleanUp !== undefined && { cleanUp: step.cleanUp }),
    ...(step.whenStopped !== undefined && { whenStopped: step.whenStopped }),
  })),
});
