import type { Clock } from "#shared/clock.ts";
import type { Json } from "#shared/json.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";

/** Doing once what Slack, a nervous finger or a captured request delivers twice, over all processes of one ledger. */
export type Once = Readonly<{
  /** True for the first of all callers with this key. */
  claim: (key: string) => Promise<boolean>;
  /** True when nobody claimed this key in the last `withinMs`. */
  claimFor: (key: string, withinMs: number) => Promise<boolean>;
  /** Keeps what the first was told, so that a repetition can be told the same. */
  keep: (key: string, outcome: Json) => Promise<void>;
  kept: (key: string) => Promise<Json | undefined>;
}>;

const rememberMs = 60 * 60_000;

/**
 * Over the ledger's streams `dedupe/…`; beside it this process remembers an hour, which alone still holds when the
 * ledger cannot be reached.
 */
export function createOnce(
  ledger: Ledger,
  clock: Clock,
  log: (entry: Readonly<Record<string, unknown>>) => void,
): Once {
  const seen = new Map<string, number>();
  const stream = (key: string): string => `dedupe/slack:${key}`;

  const fresh = (key: string, withinMs: number): boolean => {
    const now = clock.now();
    for (const [old, at] of seen) {
      if (at > now - rememberMs) break;
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

  return {
    claim: async (key) =>
      fresh(key, rememberMs) &&
      (await guarded(
        async () => (await ledger.append(stream(key), 0, { type: "claimed", data: null })).ok,
        true,
      )),
    claimFor: async (key, withinMs) =>
      fresh(key, withinMs) &&
      (await guarded(async () => {
        const last = (await ledger.read(stream(key))).at(-1);
        if (last !== undefined && last.at > clock.now() - withinMs) return false;
        return (await ledger.append(stream(key), last?.version ?? 0, { type: "claimed", data: null })).ok;
      }, true)),
    keep: (key, outcome) =>
      guarded(async () => {
        await ledger.append(stream(key), 1, { type: "answered", data: outcome });
      }, undefined),
    kept: (key) =>
      guarded(
        async () => (await ledger.read(stream(key))).find((event) => event.type === "answered")?.data,
        undefined,
      ),
  };
}
