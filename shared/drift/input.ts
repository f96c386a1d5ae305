import type { Endpoint } from "../dns/endpoint.ts";
import type { Controller } from "../dns/forecast.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { Dropped } from "../dns/wanted.ts";
import type { Fault } from "../fault.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";

/** One ExternalDNS Deployment as found, with what its sources want. */
export type ControllerView = Readonly<{
  /** `namespace/name` of the Deployment. */
  name: string;
  controller: Controller;
  wanted: readonly Endpoint[];
  dropped: readonly Dropped[];
  /** Flags and sources that are not modelled, and lists that could not be read: `wanted` may then miss something. */
  unknown: readonly string[];
  /** `--interval`, 60 when not given. */
  intervalSeconds: number;
}>;

/** The addresses a Service has in its status, for judging targets. */
export type ServiceAddresses = Readonly<{ service: string; addresses: readonly string[] }>;

/** Where the wanted endpoints come from: a snapshot of the cluster, taken at a time, with what could not be read. */
export type SnapshotState = Readonly<{
  /** Of the content; a plan is bound to it. */
  hash: string;
  /** Milliseconds since the epoch. */
  takenAt: number;
  /** Kinds that could not be listed. */
  faults: readonly Fault[];
  /** Wanted endpoints of this snapshot, and of the last one that was accepted. */
  endpoints: number;
  lastAccepted?: number;
}>;

/** When a difference was first seen, and when last: a later scan is told by this whether ExternalDNS reconciles. */
export type Sighting = Readonly<{ key: string; firstAt: number; lastAt: number }>;

/** How many deletes one plan may hold, counted over what we own. */
export type DeleteLimits = Readonly<{
  /** In one plan, records and lone ownership TXTs each. */
  absolute: number;
  /** Part of what we own, 0 to 1, rounded up to a whole record: so in a small zone one at a time. */
  share: number;
}>;

export type DriftInput = Readonly<{
  cluster?: string;
  /** Milliseconds since the epoch. */
  at: number;
  zone: Readonly<{ id: string; name: Fqdn }>;
  /** All record sets, or why they could not be listed; never a part. */
  recordSets: readonly RecordSet[] | Fault;
  /** Every ExternalDNS found, or why nobody could look. */
  controllers: readonly ControllerView[] | Fault;
  snapshot: SnapshotState;
  services: readonly ServiceAddresses[];
  /** Of MetalLB; a fault is "could not predict". */
  predictions?: readonly AddressPrediction[] | Fault;
  /** Domains the site moves away from. */
  oldDomains: readonly Fqdn[];
  previous: readonly Sighting[];
  /** Of the plans that are made from it; without them every offer is one that a plan may hold. */
  limits?: DeleteLimits;
}>;
