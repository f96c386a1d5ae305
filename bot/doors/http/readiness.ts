import type { Clock } from "#shared/clock.ts";
import { FaultError, isFault } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { plain } from "#shared/text.ts";
import type { ClusterPorts } from "../../commands/command.ts";

/** What has to be there before the bot can do what it is for. */
export const readyParts = ["slack", "ledger", "clusters", "config"] as const;
export type ReadyPart = Readonly<{ what: (typeof readyParts)[number]; ok: boolean; text: string }>;

export type Readiness = Readonly<{ ok: boolean; text: string; parts: readonly ReadyPart[] }>;

const lookMs = 3_000;
/** A cluster is asked no more often than this, however often we are. */
const clusterEveryMs = 60_000;
const ledgerEveryMs = 10_000;

const words = (error: unknown): string =>
  error instanceof FaultError
    ? `${error.fault.what}: ${error.fault.detail}`
    : "an error of ours; the log has it";

/** Asks again when the last answer is old; many who ask at once share one look. */
function remembered<T>(clock: Clock, everyMs: number, look: () => Promise<T>): () => Promise<T> {
  let last: Readonly<{ at: number; answer: Promise<T> }> | undefined;
  return () => {
    if (last === undefined || clock.now() - last.at >= everyMs) last = { at: clock.now(), answer: look() };
    return last.answer;
  };
}

async function inTime<T>(clock: Clock, work: (signal: AbortSignal) => Promise<T>): Promise<T | string> {
  const over = new AbortController();
  const settled = new AbortController();
  try {
    return await Promise.race([
      work(over.signal).catch(words),
      clock.sleep(lookMs, settled.signal).then(() => `no answer within ${lookMs / 1_000} s`),
    ]);
  } finally {
    over.abort();
    settled.abort();
  }
}

export type ReadinessOf = Readonly<{
  clock: Clock;
  ledger: Ledger;
  clusters: ReadonlyMap<string, ClusterPorts>;
  /** Why Slack is not there; undefined when it is. */
  slack: () => string | undefined;
  /** Rules of the config that are out. */
  brokenRules: () => readonly Finding[];
}>;

/** Looks at every part, each on its own, and says of each what is wrong. Never rejects. */
export function createReadiness(of: ReadinessOf): () => Promise<Readiness> {
  const { clock, ledger, clusters, slack, brokenRules } = of;
  const askLedger = remembered(clock, ledgerEveryMs, () =>
    inTime(clock, async () => {
      await ledger.read("heartbeat/readiness");
      // A full disk or a lost right to write leaves reading as it was, and no alert can be taken. A lease under one name
      // for all processes is a write that leaves nothing behind.
      await ledger.lease("http-door-readiness", "readiness", 1);
      return undefined;
    }),
  );
  const askClusters = remembered(clock, clusterEveryMs, async () => {
    const each = await Promise.all(
      [...clusters].map(async ([name, { read }]) => {
        const said = await inTime(clock, async (signal) => {
          const { namespaces } = await read(["namespaces"], signal);
          return isFault(namespaces) ? namespaces.detail : undefined;
        });
        return said === undefined ? [] : [`${name}: ${said}`];
      }),
    );
    return each.flat();
  });
  const part = (what: ReadyPart["what"], wrong: string | undefined, fine: string): ReadyPart => ({
    what,
    ok: wrong === undefined,
    text: wrong ?? fine,
  });
  return async () => {
    const [ledgerSaid, silent] = await Promise.all([askLedger(), askClusters()]);
    const rules = brokenRules();
    const parts = [
      part("slack", slack(), "connected"),
      part("ledger", ledgerSaid, "answers"),
      part(
        "clusters",
        silent.length > 0 ? silent.join("; ") : clusters.size === 0 ? "none is configured" : undefined,
        `${clusters.size} of ${clusters.size} ${clusters.size === 1 ? "answers" : "answer"}`,
      ),
      part(
        "config",
        rules.length > 0 ? rules.map(({ text }) => plain(text)).join("; ") : undefined,
        "every rule holds",
      ),
    ];
    const missing = parts.filter(({ ok }) => !ok);
    return {
      ok: missing.length === 0,
      text:
        missing.length === 0
          ? "ready"
          : `not ready: ${missing.map(({ what, text }) => `${what} (${text})`).join(", ")}`,
      parts,
    };
  };
}
