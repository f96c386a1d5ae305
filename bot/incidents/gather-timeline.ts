import * as z from "zod";
import { FaultError } from "#shared/fault.ts";
import { incidentKey } from "#shared/incidents/incident-log.ts";
import { incidentName, incidentVerdict } from "#shared/incidents/incident-reply.ts";
import type { IncidentState } from "#shared/incidents/incident-state.ts";
import { type Timeline, type TimelineSources, timelineOf } from "#shared/incidents/timeline.ts";
import { type AuditEntry, readAudit } from "#shared/ledger/audit.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { utcDay } from "#shared/ledger/stream.ts";
import { readRunEvent } from "#shared/runs/run-events.ts";
import { runKey } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { text } from "#shared/text.ts";

const dayMs = 24 * 60 * 60_000;
/** The record of who asked what is read day by day. */
const mostDays = 14;

type Meanwhile = Readonly<{ asked: readonly AuditEntry[]; gaps: readonly string[] }>;

/** What people asked of the cluster meanwhile; what concerns incidents is in their own streams. */
async function askedMeanwhile(
  ledger: Ledger,
  cluster: string,
  from: number,
  until: number,
): Promise<Meanwhile> {
  const asked: AuditEntry[] = [];
  const gaps: string[] = [];
  const last = Math.min(until, from + (mostDays - 1) * dayMs);
  for (const day of new Set([
    ...Array.from({ length: Math.floor((last - from) / dayMs) + 1 }, (_, i) => utcDay(from + i * dayMs)),
    utcDay(last),
  ]))
    try {
      asked.push(
        ...(await readAudit(ledger, day)).filter(
          (entry) =>
            entry.cluster === cluster &&
            entry.at >= from &&
            entry.at <= until &&
            !/^\/?runbook\b/.test(entry.words),
        ),
      );
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      gaps.push(`what people asked on ${day}: ${error.fault.detail}`);
    }
  if (last < until) gaps.push(`what people asked after ${utcDay(last)}`);
  return { asked, gaps };
}

const askedEvent = z.object({ words: z.array(z.string()) });

type Act = TimelineSources["runs"][number];

/** An act of an incident; one that this release cannot read is a gap and costs nothing else. */
async function actOf(ledger: Ledger, id: string): Promise<Readonly<{ act: Act; gaps: readonly string[] }>> {
  const events = await ledger.read(runKey(id));
  const [first] = await ledger.read(`asked/${id}`);
  const asked = askedEvent.safeParse(first?.data);
  const words = asked.success ? `/${asked.data.words.join(" ")}` : undefined;
  const bare = { id, events: [], ...(words !== undefined && { words }) };
  if (events.length === 0) return { act: bare, gaps: [] };
  try {
    events.map(readRunEvent);
    return { act: { id, events }, gaps: [] };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { act: bare, gaps: [`${id}: ${error.fault.detail}`] };
  }
}

/** Everything on record of an incident and of the acts that belong to it. Throws FaultError. */
export async function timelineOfIncident(
  ledger: Ledger,
  state: IncidentState,
  now: number,
): Promise<Timeline> {
  const until = state.closed?.at;
  const acts = await Promise.all(state.runs.map(({ run }) => actOf(ledger, run)));
  const meanwhile = await askedMeanwhile(ledger, state.cluster, state.openedAt, until ?? now);
  return timelineOf({
    id: state.id,
    title: incidentName(state),
    cluster: state.cluster,
    from: state.openedAt,
    ...(until !== undefined && { until }),
    verdict: incidentVerdict(state),
    incident: await ledger.read(incidentKey(state.id)),
    runs: acts.map(({ act }) => act),
    asked: meanwhile.asked,
    gaps: [...meanwhile.gaps, ...acts.flatMap(({ gaps }) => gaps)],
  });
}

/** The same of a migration run. Throws FaultError. */
export async function timelineOfRun(ledger: Ledger, state: RunState, now: number): Promise<Timeline> {
  const until = state.ended?.at;
  const meanwhile = await askedMeanwhile(ledger, state.cluster, state.startedAt, until ?? now);
  const done = state.steps.filter(({ status }) => status === "done").length;
  return timelineOf({
    id: state.id,
    title: state.runbook,
    cluster: state.cluster,
    from: state.startedAt,
    ...(until !== undefined && { until }),
    verdict: text`${state.ended?.how.replace("-", " ") ?? (state.halted === undefined ? "open" : "stopped")}, ${done} of ${state.steps.length} steps done`,
    incident: [],
    runs: [{ id: state.id, events: await ledger.read(runKey(state.id)) }],
    ...meanwhile,
  });
}
