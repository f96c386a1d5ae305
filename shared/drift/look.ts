import type { Clock } from "../clock.ts";
import { clusterWishes, serviceAddresses, wishFaults, wishKinds } from "../dns/cluster-wishes.ts";
import { type Fqdn, fqdn } from "../dns/fqdn.ts";
import { makeSnapshot, type Snapshot } from "../dns/snapshot.ts";
import { type ZoneViews, zoneViews } from "../dns/zone-views.ts";
import type { HostedZone, ReadZones } from "../dns/zones.ts";
import { type Fault, FaultError, isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import type { DnsConfig } from "../site/site.ts";
import { detectDrift } from "./detect.ts";
import type { DriftReport } from "./drift-report.ts";
import type { DriftInput } from "./input.ts";
import { announcementKinds, predictedAddresses } from "./predicted-addresses.ts";
import { lastAccepted, lastSightings } from "./scan-memory.ts";

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

/** One zone, looked at whole: what the report was made from is kept, as a plan is made of both. */
export type ZoneLook = Readonly<{ input: DriftInput; report: DriftReport; private: boolean | undefined }>;

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

const about = (zone: Fqdn, code: string, severity: Finding["severity"], words: string): Finding => ({
  code,
  severity,
  subject: { kind: "zone", name: zone },
  facts: {},
  text: [words],
});

/** Another zone of the same name: which of the two is meant is never guessed from the name. */
function twinFinding(zone: HostedZone, all: readonly HostedZone[]): readonly Finding[] {
  const twins = all.filter(({ name, id }) => name === zone.name && id !== zone.id);
  if (twins.length === 0) return [];
  const own = zone.private ? "private" : "public";
  const list = twins.map((twin) => `${twin.id} (${twin.private ? "private" : "public"})`).join(", ");
  const isDouble = twins.some((twin) => twin.private === zone.private);
  return [
    about(
      zone.name,
      "dns-zone-twin",
      isDouble ? "warning" : "info",
      `this is ${zone.id} (${own}); another zone has the same name: ${list}`,
    ),
  ];
}

/** Where no ExternalDNS looks, nobody repairs anything, and nothing there is anybody's drift. */
function withWatchers(report: DriftReport, { views, others }: ZoneViews): DriftReport {
  if (views.length > 0 || others.length === 0) return report;
  const why = others.map(({ name, why: because }) => `${name}: ${because}`).join("; ");
  const words = `no ExternalDNS looks at this zone, so nobody will repair anything in it (${why})`;
  return {
    ...report,
    findings: report.findings.map((finding) =>
      finding.code === "dns-no-controller"
        ? { ...finding, code: "dns-zone-unwatched", text: [words] }
        : finding,
    ),
    deletesBlocked: [words],
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
  const [side, all] = await Promise.all([lookAtCluster(ports, cluster, signal), orFault(() => read.zones())]);
  const { snapshot, predictions } = side;
  const accepted = ledger && (await lastAccepted(ledger, cluster));
  const looks: ZoneLook[] = [];
  for (const { id, name } of chosen) {
    const zone = { id, name: fqdn(name) };
    const known = isFault(all) ? all : all.find((each) => each.id === id);
    const listed = await orFault(() => read.recordSets(id, signal));
    const wrongName: Fault | undefined =
      known !== undefined && !isFault(known) && known.name !== zone.name
        ? {
            kind: "not-configured",
            what: `zone ${id}`,
            detail: `it is ${known.name}, and the configuration says ${zone.name}`,
          }
        : undefined;
    const lost: Fault = {
      kind: "not-configured",
      what: `zone ${id}`,
      detail: "the account has no such zone",
    };
    const views =
      known === undefined || isFault(known) || isFault(all) ? undefined : zoneViews(snapshot, known, all);
    const at = clock.now();
    const input: DriftInput = {
      cluster,
      at,
      zone,
      recordSets: wrongName ?? (known === undefined ? lost : listed),
      controllers: views?.views ?? (isFault(known) ? known : lost),
      snapshot: {
        hash: snapshot.hash,
        takenAt: snapshot.takenAt,
        faults: wishFaults(snapshot),
        endpoints: snapshot.controllers.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
        ...(accepted && { lastAccepted: accepted.endpoints }),
      },
      services: serviceAddresses(snapshot),
      predictions,
      oldDomains: dns.move === undefined ? [] : [fqdn(dns.move.from)],
      previous: ledger === undefined ? [] : (await lastSightings(ledger, id)).sightings,
    };
    const report = withWatchers(detectDrift(input), views ?? { views: [], others: [] });
    const isKnown = known !== undefined && !isFault(known);
    const twins = isKnown && !isFault(all) ? twinFinding(known, all) : [];
    looks.push({
      input,
      report: { ...report, findings: [...report.findings, ...twins] },
      private: isKnown ? known.private : undefined,
    });
  }
  return { snapshot, zones: looks };
}
