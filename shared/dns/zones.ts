import type { Fqdn } from "./fqdn.ts";
import type { RecordSet, RecordSetId } from "./record-set.ts";

/** A hosted zone. Two zones may have one name (a public and a private twin, or duplicates): the id tells them apart. */
export type HostedZone = Readonly<{
  /** Without the `/hostedzone/` prefix. */
  id: string;
  name: Fqdn;
  private: boolean;
  /** As the API counts, SOA and NS included. */
  recordCount: number;
  /** The delegation set; undefined for private zones, and where all zones were listed at once: then ask for the one. */
  nameServers: readonly string[] | undefined;
  comment?: string;
}>;

/**
 * Reading DNS zones. Throws FaultError; never a part of a zone: a page that failed makes the whole listing a fault.
 * Implementations keep to the calls a second that the account's quota leaves them.
 */
export type ReadZones = Readonly<{
  /** All zones whose name is exactly this one, or all zones. */
  zones: (name?: Fqdn) => Promise<readonly HostedZone[]>;
  zone: (id: string) => Promise<HostedZone>;
  recordSets: (id: string, signal?: AbortSignal) => Promise<readonly RecordSet[]>;
  /** Those of a few names, by a listing that starts there; each undefined when it does not exist. */
  lookUp: (id: string, ids: readonly RecordSetId[]) => Promise<readonly (RecordSet | undefined)[]>;
  /** State of a change that was accepted. */
  change: (changeId: string) => Promise<"PENDING" | "INSYNC">;
}>;

export type RecordChange = Readonly<{ action: "CREATE" | "DELETE" | "UPSERT"; set: RecordSet }>;

export type BatchResult =
  | Readonly<{ ok: true; changeId: string; status: "PENDING" | "INSYNC" }>
  /** InvalidChangeBatch: nothing of the batch was done; Route 53's own words, one for each change it disliked. */
  | Readonly<{ ok: false; messages: readonly string[] }>;

/**
 * Sends one atomic batch. Throws FaultError when no answer came: nobody then knows whether it was made, and the record
 * sets have to be read again.
 */
export type ChangeZone = (
  id: string,
  changes: readonly RecordChange[],
  comment: string,
) => Promise<BatchResult>;
