import type { Fqdn } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { Offer, Ownership, PlannedChange } from "./drift.ts";

/** Sent as one atomic batch, in this order. */
export type PlannedBatch = Readonly<{
  changes: readonly PlannedChange[];
  /** Have to stand exactly so; read again before the batch is sent. */
  given: readonly RecordSet[];
}>;

/** One line of the plan for people. */
export type PlanItem = Readonly<{
  kind: string;
  offer: Offer["kind"];
  name: Fqdn;
  type: string;
  setIdentifier?: string;
  ownership: Ownership;
  /** What we do and why, in words. */
  what: string;
  because: string;
}>;

export type Withheld = Readonly<{
  kind: string;
  name: Fqdn;
  type: string;
  setIdentifier?: string;
  why: string;
}>;

/** What is approved and applied: exact changes of one zone, the way back, and what they rest on. */
export type Plan = Readonly<{
  format: 1;
  cluster?: string;
  zone: Readonly<{ id: string; name: Fqdn }>;
  /** Milliseconds since the epoch. */
  madeAt: number;
  snapshot: Readonly<{ hash: string; takenAt: number }>;
  /** Adopting takes two people, whatever the rules for approvals are. */
  twoPeople: boolean;
  items: readonly PlanItem[];
  batches: readonly PlannedBatch[];
  withheld: readonly Withheld[];
  /** The exact inverse, in the order of doing. */
  undo: readonly PlannedBatch[];
  /** Until when the way back is open. */
  reversibleWhile: string;
  /** The how manieth plan of exactly this after one that is over; absent for the first. */
  again?: number;
  /** SHA-256 over the canonical JSON of zone, what is wanted, batches, undo and which time it is. */
  digest: string;
}>;
