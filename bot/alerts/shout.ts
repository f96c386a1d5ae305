import type { Board } from "#shared/board/board.ts";
import type { Clock } from "#shared/clock.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Reply } from "#shared/reply.ts";
import { counted } from "#shared/report/wording.ts";
import { elapsed, utcDateTime } from "#shared/runs/utc-time.ts";
import { code, text } from "#shared/text.ts";

/** Findings that mean that something which should come by itself does not come any more. */
const stopped = /^(?:dns-scan-|dns-snapshot-|alerts-watchdog-missing|heartbeat-outside-)/;
/** What is over by then was no reason to shout. */
const patienceMs = 120_000;

const key = "heartbeats/bot";
const stream = "shout/heartbeats";

export type Shout = Readonly<{
  /** One look at what is missing. Never rejects. */
  once: () => Promise<void>;
}>;

/** One standing message about everything that has stopped to come; edited when it is back. */
export function createShout(
  options: Readonly<{
    ledger: Ledger;
    board: Board;
    clock: Clock;
    clusters: readonly string[];
    findings: () => readonly Finding[];
    channel?: string;
    /** After so long this process would have missed again what another one missed. */
    sureAfterMs: number;
    log: (entry: Readonly<Record<string, unknown>>) => void;
  }>,
): Shout {
  const { ledger, board, clock, log } = options;
  const since = new Map<string, number>();
  /** What this very process has told. */
  let mine: readonly string[] = [];
  const started = clock.now();
  const cluster = options.clusters.join(", ");

  const reply = (missing: readonly Finding[], began: number): Reply =>
    missing.length === 0
      ? {
          verdict: {
            word: "BACK",
            outcome: "ok",
            text: text`everything that should come by itself comes again, after ${elapsed(clock.now() - began)}`,
          },
          cluster,
          findings: [],
          blocks: [],
          actions: [],
        }
      : {
          verdict: {
            word: "SILENT",
            outcome: "failed",
            text: text`${counted(missing.length, "thing")} that should come by ${missing.length === 1 ? "itself does" : "themselves do"} not come any more`,
          },
          cluster,
          why: text`First missed ${utcDateTime(began)}.`,
          findings: [...missing],
          blocks: [],
          next: [text`What works and what does not: ${code("/arpeggio doctor")}`],
          actions: [],
        };

  const once = async (): Promise<void> => {
    const now = clock.now();
    const found = options.findings().filter((one) => stopped.test(one.code));
    const names = new Map(found.map((one) => [`${one.code} ${one.subject.name}`, one]));
    for (const name of [...since.keys()]) if (!names.has(name)) since.delete(name);
    for (const name of names.keys()) if (!since.has(name)) since.set(name, now);
    const missing = [...names].filter(([name]) => now - (since.get(name) ?? now) >= patienceMs);
    const last = (await ledger.read(stream)).at(-1);
    const told = (last?.data ?? { names: [], began: now }) as { names: string[]; began: number };
    const wanted = missing.map(([name]) => name).toSorted();
    if (JSON.stringify(wanted) === JSON.stringify(told.names)) return;
    // A process that has just begun does not know yet whether what another one missed is back.
    const isOurs = JSON.stringify(mine) === JSON.stringify(told.names);
    if (wanted.length < told.names.length && !isOurs && now - started < options.sureAfterMs) return;
    // Gone from sight a moment ago and back again is not back.
    if (wanted.length === 0 && names.size > 0) return;
    const began =
      told.names.length > 0 ? told.began : Math.min(now, ...wanted.map((name) => since.get(name) ?? now));
    await board.put(
      key,
      reply(
        missing.map(([, one]) => one),
        began,
      ),
      options.channel === undefined ? undefined : { channel: options.channel },
    );
    await ledger.append(stream, last?.version ?? 0, { type: "told", data: { names: wanted, began } });
    mine = wanted;
  };

  return {
    once: async () => {
      try {
        await once();
      } catch (error) {
        log({ level: "error", msg: "what has stopped could not be told", error: String(error) });
      }
    },
  };
}
