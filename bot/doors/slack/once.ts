import type { Clock } from "#shared/clock.ts";
import type { Json } from "#shared/json.ts";
import { claimOnce, interestMs } from "#shared/ledger/dedupe.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Log } from "./log.ts";

/** Doing once what Slack, a nervous finger or a captured request delivers twice, over all processes of one ledger. */
export type Once = Readonly<{
  /** True for the first of all callers with this key within the hour. */
  claim: (key: string) => Promise<boolean>;
  /** True when nobody claimed this key in the last `withinMs`. */
  claimFor: (key: string, withinMs: number) => Promise<boolean>;
  /** Keeps what the first was told, so that a repetition can be told the same. */
  keep: (key: string, outcome: Json) => Promise<void>;
  kept: (key: string) => Promise<Json | undefined>;
}>;

/**
 * Over the ledger's streams `dedupe/…`. This process also remembers by itself, which is all that is left while the
 * ledger cannot be asked; nothing changes a cluster then, because changes are refused without a ledger.
 */
export function createOnce(ledger: Ledger, clock: Clock, log: Log): Once {
  const seen = new Map<string, number>();
  const stream = (key: string): string => `dedupe/slack/${key}`;

  const fresh = (key: string, withinMs: number): boolean => {
    const now = clock.now();
    for (const [old, at] of seen) {
      if (at > now - interestMs) break;
      seen.delete(old);
    }
    const last = seen.get(key);
    if (last !== undefined && last > now - withinMs) return false;
    seen.delete(key);
    seen.set(key, now);
    return true;
  };

  const guarded = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      log({
        level: "error",
        msg: "the ledger could not say whether this was done before",
        error: String(error),
      });
      return otherwise;
    }
  };

  const last = async (key: string) => (await ledger.read(stream(key))).at(-1);

  return {
    claim: async (key) =>
      fresh(key, interestMs) && (await guarded(() => claimOnce(ledger, `slack/${key}`, clock.now()), true)),
    claimFor: async (key, withinMs) =>
      fresh(key, withinMs) &&
      (await guarded(async () => {
        const before = await last(key);
        const { at } = (before?.data ?? {}) as { at?: number };
        if (before !== undefined && (at ?? before.at) > clock.now() - withinMs) return false;
        const claim = { type: "claimed", data: { at: clock.now() } };
        return (await ledger.append(stream(key), before?.version ?? 0, claim)).ok;
      }, true)),
    keep: (key, outcome) =>
      guarded(async () => {
        const event = { type: "answered", data: outcome };
        // After a claim of its own, which is nearly always the first.
        const { ok, version } = await ledger.append(stream(key), 1, event);
        if (!ok) await ledger.append(stream(key), version, event);
      }, undefined),
    kept: (key) =>
      guarded(
        async () => (await ledger.read(stream(key))).findLast((event) => event.type === "answered")?.data,
        undefined,
      ),
  };
}
