import * as z from "zod";
import { type Fault, FaultError } from "../fault.ts";
import { type AuditEntry, readAudit } from "../ledger/audit.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { utcDay } from "../ledger/stream.ts";
import { code, text } from "../text.ts";
import type { Change, Window } from "./change.ts";

/** A run of ours as it was asked for. */
export type AskedRun = Readonly<{
  id: string;
  at: number;
  words: readonly string[];
  cluster: string | null;
  who: string | null;
  account: string;
  /** What it was asked to do; older records do not say. */
  effect?: "none" | "read" | "probe" | "change" | undefined;
}>;

const asked = z.object({
  words: z.array(z.string()),
  cluster: z.string().nullable(),
  who: z.string().nullable(),
  account: z.string(),
  effect: z.enum(["none", "read", "probe", "change"]).optional(),
});

/** More runs than this in one window are a storm that nobody reads line by line. */
const mostRuns = 500;

/** Only looking changes nothing, and whoever asks what changed is not told that they asked. */
const onlyLooks = ({ effect, words }: AskedRun): boolean =>
  effect === undefined ? words[0] === "arpeggio" && words[1] === "changes" : effect !== "change";

/** The entry of a run: same words and account, received just before the id was taken. */
const entryOf = (run: AskedRun, entries: readonly AuditEntry[]): AuditEntry | undefined => {
  const words = run.words.join(" ");
  return entries
    .filter((entry) => entry.account === run.account && entry.words.trim().replaceAll(/\s+/g, " ") === words)
    .toSorted((a, b) => Math.abs(a.at - run.at) - Math.abs(b.at - run.at))
    .find((entry) => Math.abs(entry.at - run.at) <= 5_000);
};

/** Runs as changes, with the outcome that the audit has for them. Pure. */
export function runChanges(
  runs: readonly AskedRun[],
  entries: readonly AuditEntry[],
  cluster: string,
): readonly Change[] {
  return runs
    .filter((run) => run.cluster === cluster && !onlyLooks(run))
    .map((run) => {
      const entry = entryOf(run, entries);
      return {
        at: run.at,
        subject: { kind: "Command", name: run.id },
        what: text`${code(`/${run.words.join(" ")}`)}: ${entry?.outcome ?? "no outcome recorded"}`,
        by: run.who === null ? run.account : `@${run.who}`,
        source: "ledger" as const,
      };
    });
}

const days = ({ since, until }: Window): readonly string[] => {
  const found: string[] = [];
  for (let at = since; at < until; at += 86_400_000) found.push(utcDay(at));
  return [...new Set([...found, utcDay(until)])];
};

/** The ledger's runs within the window, newest streams first, at most {@link mostRuns}. Throws FaultError. */
export async function readRuns(
  ledger: Ledger,
  window: Window,
): Promise<Readonly<{ runs: readonly AskedRun[]; entries: readonly AuditEntry[]; cut: boolean }>> {
  const runs: AskedRun[] = [];
  const streams = (await ledger.list("asked")).toReversed();
  for (const stream of streams.slice(0, mostRuns)) {
    const [event] = await ledger.read(stream);
    if (event === undefined) continue;
    if (event.at < window.since) break;
    const read = asked.safeParse(event.data);
    if (!read.success) {
      const detail = z.prettifyError(read.error).replaceAll("\n", "; ");
      throw new FaultError({ kind: "unreadable", what: stream, detail });
    }
    runs.push({ id: stream.slice("asked/".length), at: event.at, ...read.data });
  }
  const entries = await Promise.all(days(window).map((day) => readAudit(ledger, day)));
  return { runs, entries: entries.flat(), cut: runs.length === mostRuns };
}

export type RunsRead =
  | Readonly<{ kind: "read"; changes: readonly Change[]; cut: boolean }>
  | Readonly<{ kind: "no ledger" }>
  | Readonly<{ kind: "unread"; fault: Fault }>;

/** The runs of one cluster as changes, or why there are none to tell. */
export async function runsOf(ledger: Ledger | undefined, window: Window, cluster: string): Promise<RunsRead> {
  if (ledger === undefined) return { kind: "no ledger" };
  try {
    const { runs, entries, cut } = await readRuns(ledger, window);
    return { kind: "read", changes: runChanges(runs, entries, cluster), cut };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { kind: "unread", fault: error.fault };
  }
}
