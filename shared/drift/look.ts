import type { Clock } from "../clock.ts";
import { clusterWishes, wishKinds } from "../dns/cluster-wishes.ts";
import { fqdn } from "../dns/fqdn.ts";
import { makeSnapshot, type Snapshot } from "../dns/snapshot.ts";
import type { ReadZones } from "../dns/zones.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import type { DnsConfig } from "../site/site.ts";
import { lastAccepted } from "./accepted.ts";
import { defaultDeleteLimits } from "./guards.ts";
import { lookAtZone, type ZoneLook } from "./look-at-zone.ts";
import { announcementKinds, predictedAddresses } from "./predicted-addresses.ts";
import { lastSightings } from "./scan-memory.ts";

export type LookPorts = Readonly<{
  read: ReadCluster;
  zones: ReadZones;
  clock: Clock;
  /** Where earlier sightings are; without it nothing is said to be overdue. */
  ledger?: Ledger;
}>;

export type LookSettings = Readonly<{
  cluster: string;
  dns: DnsConfig;
  /** Only these zones; without it all that are configured. */
  only?: (zone: Readonly<{ id: string; name: string }>) => boolean;
}>;

export type DriftLook = Readonly<{ snapshot: Snapshot; zones: readonly ZoneLook[] }>;

async function orFault<T>(look: () => Promise<T>): Promise<T | Fault> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
}

const kinds: readonly ResourceKind[] = [...new Set<ResourceKind>([...wishKinds, ...announcementKinds])];

export type ClusterSide = Readonly<{
  snapshot: Snapshot;
  predictions: readonly AddressPrediction[] | Fault;
}>;

/** What the cluster wants now, and who is predicted to announce the addresses. What could not be read is in it. */
export async function lookAtCluster(
  ports: Pick<LookPorts, "read" | "clock">,
  cluster: string,
  signal?: AbortSignal,
): Promise<ClusterSide> {
  const lists = await ports.read(kinds, signal);
  const wishes = clusterWishes(cluster, lists as Parameters<typeof clusterWishes>[1]);
  return {
    snapshot: makeSnapshot(wishes, ports.clock.now()),
    predictions: predictedAddresses(lists as Parameters<typeof predictedAddresses>[0]),
  };
}

/**
 * Reads the cluster once and every configured zone once, and compares them: only the ExternalDNS that look at a zone are
 * asked about it. What could not be read is in each report as not known. Throws FaultError only where the ledger cannot
 * be read.
 */
export async function lookForDrift(
  ports: LookPorts,
  settings: LookSettings,
  signal?: AbortSignal,
): Promise<DriftLook> {
  const { zones: read, clock, ledger } = ports;
  const { cluster, dns } = settings;
  const chosen = dns.zones.filter((zone) => settings.only?.(zone) ?? true);
  const all = await orFault(() => read.zones());
  const listed = [];
  for (const zone of chosen) {
    const recordSets = await orFault(() => read.recordSets(zone.id, signal));
    listed.push({ zone, recordSets, at: clock.now() });
  }
  // After the zones: what ExternalDNS wrote meanwhile is then wanted, too.
  const { snapshot, predictions } = await lookAtCluster(ports, cluster, signal);
  const accepted = ledger && (await lastAccepted(ledger, cluster));
  const looks: ZoneLook[] = [];
  for (const {
    zone: { id, name },
    recordSets,
    at,
  } of listed) {
    const previous = ledger === undefined ? [] : (await lastSightings(ledger, id)).sightings;
    looks.push(
      lookAtZone({
        cluster,
        at,
        zone: { id, name: fqdn(name) },
        all,
        recordSets,
        snapshot,
        accepted,
        predictions,
        oldDomains: dns.move === undefined ? [] : [fqdn(dns.move.from)],
        previous,
        limits: defaultDeleteLimits,
      }),
    );
  }
  return { snapshot, zones: looks };
}
