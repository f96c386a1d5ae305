import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type DriftReport, driftKey, toldDrifts } from "./drift-report.ts";
import type { Posted } from "./post-message.ts";
import { readStoredReport } from "./stored-report.ts";

/** The open report message of a zone, stream `drift-message/ZONE`: what it says and where it stands. */
const told = z.discriminatedUnion("type", [
  z.object({ type: z.literal("intended"), id: z.string(), fingerprint: z.string(), report: z.unknown() }),
  z.object({ type: z.literal("posted"), id: z.string(), channel: z.string(), ts: z.string() }),
  z.object({
    type: z.literal("edited"),
    fingerprint: z.string(),
    /** What else its words depend on: a snooze. */
    quiet: z.string(),
    report: z.unknown(),
    /** Nothing stands in it any more: the next difference gets a message of its own. */
    closed: z.boolean(),
  }),
  z.object({ type: z.literal("lost") }),
]);

export type ToldEvent = z.output<typeof told>;

export type Told = Readonly<{
  version: number;
  /** Meant to be posted; whether it was is known only with `at`. */
  message:
    | Readonly<{
        id: string;
        intendedAt: number;
        at: Posted | undefined;
        /** Everything it ever said: what is resolved is told against it. */
        seen: DriftReport["drifts"];
        /** What stood when a scan last could tell, and what came since: the rest is news. */
        standing: DriftReport["drifts"];
        /** What it says now. */
        fingerprint: string;
        quiet: string;
      }>
    | undefined;
}>;

/** With what is not among them yet, in the order of the telling. */
function joined(before: DriftReport["drifts"], more: DriftReport["drifts"]): DriftReport["drifts"] {
  const known = new Set(before.map(driftKey));
  return [...before, ...more.filter((drift) => !known.has(driftKey(drift)))];
}

const streamOf = (zoneId: string): string => `drift-message/${zoneId}`;

function reportOf(json: unknown, what: string): DriftReport {
  const read = readStoredReport(json);
  if (read.ok) return read.value;
  throw new FaultError({ kind: "unreadable", what, detail: read.problems[0] ?? "not as written" });
}

export async function readTold(ledger: Ledger, zoneId: string): Promise<Told> {
  const stream = streamOf(zoneId);
  let state: Told = { version: 0, message: undefined };
  const events = await ledger.read(stream);
  // Messages before the last one say nothing about what is open.
  const from = Math.max(
    0,
    events.findLastIndex(({ type }) => type === "intended"),
  );
  for (const event of events.slice(from)) {
    const where = `event ${event.version} of ${stream}`;
    const read = told.safeParse({ ...(event.data as object), type: event.type });
    if (!read.success) throw new FaultError({ kind: "unreadable", what: where, detail: "not as written" });
    const { version } = event;
    const { message } = state;
    switch (read.data.type) {
      case "intended": {
        const report = reportOf(read.data.report, where);
        const { id, fingerprint } = read.data;
        state = {
          version,
          message: {
            id,
            intendedAt: event.at,
            at: undefined,
            seen: toldDrifts(report),
            standing: toldDrifts(report),
            fingerprint,
            quiet: "",
          },
        };
        break;
      }
      case "posted":
        state = {
          version,
          message: message && { ...message, at: { channel: read.data.channel, ts: read.data.ts } },
        };
        break;
      case "edited": {
        const { closed, fingerprint, quiet } = read.data;
        if (closed || message === undefined) {
          state = { version, message: undefined };
          break;
        }
        const report = reportOf(read.data.report, where);
        const told = toldDrifts(report);
        state = {
          version,
          message: {
            ...message,
            seen: joined(message.seen, told),
            // Where not everything could be read, nothing is known to be gone.
            standing: report.complete ? told : joined(message.standing, told),
            fingerprint,
            quiet,
          },
        };
        break;
      }
      case "lost":
        state = { version, message: undefined };
    }
  }
  return state;
}

/** False when somebody else wrote in between: read again. */
export async function appendTold(
  ledger: Ledger,
  zoneId: string,
  version: number,
  event: ToldEvent,
): Promise<boolean> {
  const { type, ...data } = event;
  return (await ledger.append(streamOf(zoneId), version, { type, data: data as Json })).ok;
}
