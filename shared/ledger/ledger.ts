import type { Json } from "../json.ts";

/**
 * Append-only event streams. A stream is named `kind/id` (`run/R-17`, `outbox/…`, `audit/2026-11-23`); its events
 * are numbered from 1. Run state, approvals, outbox, dedupe, audit and timeline are folds over streams.
 */
export type LedgerEvent = Readonly<{ stream: string; version: number; at: number; type: string; data: Json }>;

export type NewEvent = Readonly<{ type: string; data: Json }>;

export type Appended = Readonly<{ ok: true; version: number }> | Readonly<{ ok: false; version: number }>;

export type Lease = Readonly<{ cluster: string; holder: string; token: number; until: number }>;

export type LeaseResult = Readonly<{ ok: true; lease: Lease }> | Readonly<{ ok: false; held: Lease }>;

export type Ledger = Readonly<{
  /** Events of one stream with a version above `after` (default 0), oldest first. */
  read: (stream: string, after?: number) => Promise<readonly LedgerEvent[]>;
  /** Compare and set: refused (with the actual version) unless the stream is at `expectedVersion` (0 = does not exist). */
  append: (stream: string, expectedVersion: number, event: NewEvent) => Promise<Appended>;
  /** Names of all streams of a kind, in the order of their first event. */
  list: (kind: string) => Promise<readonly string[]>;
  /** Takes or renews the cluster's lease for `ttlMs`. Tokens grow with every change of holder. */
  lease: (cluster: string, holder: string, ttlMs: number) => Promise<LeaseResult>;
  /** Gives the lease up when the token still holds it; otherwise does nothing. */
  release: (cluster: string, token: number) => Promise<void>;
  close: () => Promise<void>;
}>;
