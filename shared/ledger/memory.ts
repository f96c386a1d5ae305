import type { Json } from "../json.ts";
import type { Lease, Ledger, LedgerEvent } from "./ledger.ts";
import { kindOf } from "./stream.ts";

/** What a store would give back: a copy, without `undefined`, that nobody can change afterwards. */
const stored = (data: Json): string => JSON.stringify(data);

/**
 * A ledger that lives as long as the process: for the twin, for tests, for a console without a config. Same contract
 * as the lasting ones; `now` in milliseconds since the epoch.
 */
export function createMemoryLedger(options: Readonly<{ now: () => number }>): Ledger {
  const streams = new Map<string, Readonly<{ version: number; at: number; type: string; data: string }>[]>();
  const leases = new Map<string, Lease>();

  return {
    read: async (stream, after = 0) => {
      kindOf(stream);
      return (streams.get(stream) ?? [])
        .filter((event) => event.version > after)
        .map((event): LedgerEvent => ({ stream, ...event, data: JSON.parse(event.data) as Json }));
    },

    append: async (stream, expectedVersion, event) => {
      kindOf(stream);
      const events = streams.get(stream) ?? [];
      if (events.length !== expectedVersion) return { ok: false, version: events.length };
      const version = events.length + 1;
      events.push({ version, at: options.now(), type: event.type, data: stored(event.data) });
      streams.set(stream, events);
      return { ok: true, version };
    },

    list: async (kind) => [...streams.keys()].filter((stream) => kindOf(stream) === kind),

    lease: async (cluster, holder, ttlMs) => {
      if (holder === "") throw new Error("a lease needs a holder");
      const now = options.now();
      const held = leases.get(cluster);
      if (held !== undefined && held.holder !== holder && held.until > now) return { ok: false, held };
      const token = held === undefined ? 1 : held.holder === holder ? held.token : held.token + 1;
      const lease: Lease = { cluster, holder, token, until: now + ttlMs };
      leases.set(cluster, lease);
      return { ok: true, lease };
    },

    release: async (cluster, token) => {
      const held = leases.get(cluster);
      // The token stays behind, so that the next holder's is higher.
      if (held?.token === token) leases.set(cluster, { ...held, holder: "", until: 0 });
    },

    close: async () => {},
  };
}
