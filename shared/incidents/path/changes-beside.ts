import { text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { recentChanges } from "../recent-changes.ts";
import type { DiagnosePorts } from "../runbook.ts";
import type { Lists } from "./evidence.ts";
import { within } from "./within.ts";

/** A diagnosis is there by then, whatever the ledger does. Milliseconds from its start. */
export const allMs = 9_800;

const leastMs = 500;

/** The last hour's changes, or why they are not told: a slow ledger keeps nobody waiting. */
export async function changesBeside(
  ports: DiagnosePorts,
  lists: Lists,
  startedAt: number,
): Promise<Pick<Diagnosis, "changes" | "changesGap">> {
  const { clock } = ports;
  const until = Math.max(clock.now() + leastMs, startedAt + allMs);
  const read = await within(clock, { until, what: "changes" }, () => recentChanges(ports, lists));
  return read.ok
    ? read.evidence
    : { changes: undefined, changesGap: text`${read.fault.what}: ${read.fault.detail}` };
}
