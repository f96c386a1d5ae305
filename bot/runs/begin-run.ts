import type { Json } from "#shared/json.ts";
import type { Reply } from "#shared/reply.ts";
import { openNewRun } from "#shared/runs/run-log.ts";
import { startedEvent } from "#shared/runs/started.ts";
import { defaultMigration } from "#shared/site/site.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { code, person, text } from "#shared/text.ts";
import { type Desk, noLedger } from "./desk.ts";

/** Opens a run of a runbook and goes as far as it goes without a person; a cluster has one open run at a time. */
export async function beginRun(
  desk: Desk,
  id: string | undefined,
  migration: Migration,
  inputs: Readonly<Record<string, Json>>,
): Promise<Reply> {
  if (id === undefined) return noLedger(desk.name);
  const approvals = (desk.cluster.config.migration ?? defaultMigration).approvals.who;
  const opened = await openNewRun(
    desk.ledger,
    id,
    startedEvent(migration, { cluster: desk.name, inputs, by: desk.by, approvals }),
  );
  if (opened.ok) return desk.goOn(id);
  const { state } = opened;
  return {
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
  };
}
