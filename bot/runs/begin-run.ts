import type { Json } from "#shared/json.ts";
import type { Reply } from "#shared/reply.ts";
import { openNewRun, openRun, takeRunId } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { startedEvent } from "#shared/runs/started.ts";
import { defaultMigration } from "#shared/site/site.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { code, person, text } from "#shared/text.ts";
import { type Desk, noLedger } from "./desk.ts";

/**
 * Opens a run of a runbook and goes as far as it goes without a person; a cluster has one open run at a time. `job` is the
 * command that asks for it: what the ledger does not know of opens none.
 */
export async function beginRun(
  desk: Desk,
  job: string | undefined,
  migration: Migration,
  inputs: Readonly<Record<string, Json>>,
): Promise<Reply> {
  if (job === undefined) return noLedger(desk.name);
  const standing = await openRun(desk.ledger, desk.name);
  if (standing !== undefined) return busyWith(desk, standing);
  const id = await takeRunId(desk.ledger);
  const approvals = (desk.cluster.config.migration ?? defaultMigration).approvals.who;
  const opened = await openNewRun(
    desk.ledger,
    id,
    startedEvent(migration, { cluster: desk.name, inputs, by: desk.by, approvals }),
  );
  if (opened.ok) {
    await desk.link(id);
    return desk.goOn(id);
  }
  return busyWith(desk, opened.state);
}

const busyWith = (desk: Desk, state: RunState): Reply => ({
  verdict: {
    word: "Busy",
    outcome: "busy",
    text: text`${state.id} (${state.runbook}, ${person(desk.ref(state.by))}) is open on ${desk.name}; one run at a time.`,
  },
  cluster: desk.name,
  findings: [],
  blocks: [],
  next: [
    text`Go on with it: ${code(`/migrate next ${state.id}`)}`,
    text`End it: ${code(`/migrate abort ${state.id}`)}`,
  ],
  actions: [],
});
