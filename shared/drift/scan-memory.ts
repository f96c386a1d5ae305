import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { DriftReport } from "./drift-report.ts";
import type { Sighting } from "./input.ts";
import { add, parse, tries } from "./memory-stream.ts";
import { newSnooze, type Snooze } from "./snooze.ts";
import { readStoredReport, reportJson } from "./stored-report.ts";

/** What scans leave for the next scan and for the bot; whoever scans, the streams are the same. */
export const reportStream = (zoneId: string): string => `drift/${zoneId}`;
export const heartbeatStream = "heartbeat/scan-drift";
const sightingsStream = (zoneId: string): string => `sightings/${zoneId}`;
const snoozeStream = (zoneId: string): string => `snooze/${zoneId}`;

const time = z.number().int();
const keptReport = z.object({ fingerprint: z.string(), report: z.unknown() });

/** A report as it was kept: the last one whose fingerprint was new. */
export type KeptReport = Readonly<{ version: number; fingerprint: string; report: DriftReport }>;

export async function lastReport(ledger: Ledger, zoneId: string): Promise<KeptReport | undefined> {
  const last = (await ledger.read(reportStream(zoneId))).at(-1);
  if (last === undefined) return undefined;
  const kept = parse(keptReport, last);
  const read = readStoredReport(kept.report);
  if (read.ok) return { version: last.version, fingerprint: kept.fingerprint, report: read.value };
  throw new FaultError({
    kind: "unreadable",
    what: `event ${last.version} of ${last.stream}`,
    detail: read.problems[0] ?? "not as written",
  });
}

/** Keeps a report unless somebody kept one of the same fingerprint since; two scans at once keep one. */
export async function keepReport(
  ledger: Ledger,
  before: KeptReport | undefined,
  report: DriftReport,
  fingerprint: string,
): Promise<boolean> {
  let last = before;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (last?.fingerprint === fingerprint) return false;
    const event = { type: "reported", data: { fingerprint, report: reportJson(report) } };
    const { ok } = await ledger.append(reportStream(report.zone.id), last?.version ?? 0, event);
    if (ok) return true;
    last = await lastReport(ledger, report.zone.id);
  }
  throw new FaultError({
    kind: "timed-out",
    what: reportStream(report.zone.id),
    detail: `others kept writing through ${tries} tries`,
  });
}

const keptSightings = z.object({
  at: time,
  sightings: z.array(z.object({ key: z.string(), firstAt: time, lastAt: time })),
});

/** Differences as the last scan saw them, with the time of the first that did. */
export async function lastSightings(
  ledger: Ledger,
  zoneId: string,
): Promise<Readonly<{ at: number; sightings: readonly Sighting[] }>> {
  const last = (await ledger.read(sightingsStream(zoneId))).at(-1);
  return last === undefined ? { at: 0, sightings: [] } : parse(keptSightings, last);
}

/** Written down anew when one came or went, and once a day, as they are forgotten after a week. */
export async function keepSightings(
  ledger: Ledger,
  zoneId: string,
  before: Readonly<{ at: number; sightings: readonly Sighting[] }>,
  sightings: readonly Sighting[],
  at: number,
): Promise<void> {
  const said = (all: readonly Sighting[]): string =>
    JSON.stringify(all.map(({ key, firstAt }) => [key, firstAt]).toSorted());
  const isOld = at - before.at > 86_400_000 && sightings.length > 0;
  if (said(before.sightings) === said(sightings) && !isOld) return;
  await add(ledger, sightingsStream(zoneId), "seen", {
    at,
    sightings: sightings.map((each) => ({ ...each })),
  });
}

const heartbeat = z.object({
  at: time,
  /** Nothing that should be read could not be read. */
  complete: z.boolean(),
  zones: z.array(
    z.object({
      id: z.string(),
      complete: z.boolean(),
      fingerprint: z.string(),
      differences: z.number().int(),
      /** Seen, and told only when a newer snapshot says so too. */
      awaiting: z.number().int().default(0),
    }),
  ),
});

/** That a scan ended, and what it came to: the bot tells when this stops coming. */
export type Heartbeat = z.output<typeof heartbeat>;

export const beat = (ledger: Ledger, said: Heartbeat): Promise<void> =>
  add(ledger, heartbeatStream, "beat", said);

export async function lastHeartbeat(ledger: Ledger): Promise<Heartbeat | undefined> {
  const last = (await ledger.read(heartbeatStream)).at(-1);
  return last && parse(heartbeat, last);
}

const snooze = z.object({
  fingerprint: z.string(),
  reason: z.string(),
  by: z.string(),
  at: time,
  until: time,
});

export const snoozesOf = async (ledger: Ledger, zoneId: string): Promise<readonly Snooze[]> =>
  (await ledger.read(snoozeStream(zoneId))).map((event) => parse(snooze, event));

/** Throws for what `newSnooze` does not take: judge it first and tell its problems. */
export async function addSnooze(ledger: Ledger, zoneId: string, given: Snooze): Promise<void> {
  const read = newSnooze(given);
  if (!read.ok) throw new Error(read.problems.join("; "));
  await add(ledger, snoozeStream(zoneId), "snoozed", { ...read.snooze });
}
