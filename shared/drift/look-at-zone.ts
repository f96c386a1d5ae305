import type { Fqdn } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { Snapshot } from "../dns/snapshot.ts";
import { serviceAddresses, wishFaults } from "../dns/snapshot-views.ts";
import { type ZoneViews, zoneViews } from "../dns/zone-views.ts";
import type { HostedZone } from "../dns/zones.ts";
import { type Fault, isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import type { Accepted } from "./accepted.ts";
import { detectDrift } from "./detect.ts";
import type { DriftReport } from "./drift-report.ts";
import type { DeleteLimits, DriftInput, Sighting, SnapshotState } from "./input.ts";

/** One zone, looked at whole: what the report was made from is kept, as a plan is made of both. */
export type ZoneLook = Readonly<{ input: DriftInput; report: DriftReport; private: boolean | undefined }>;

/** What was read for one zone; each side that could not be read is a fault. */
export type ZoneReading = Readonly<{
  cluster: string;
  at: number;
  zone: Readonly<{ id: string; name: Fqdn }>;
  /** All zones of the account: which of them gets a name is decided among all. */
  all: readonly HostedZone[] | Fault;
  recordSets: readonly RecordSet[] | Fault;
  snapshot: Snapshot | Fault;
  accepted: Accepted | undefined;
  predictions?: readonly AddressPrediction[] | Fault;
  oldDomains: readonly Fqdn[];
  previous: readonly Sighting[];
  /** Of the plans that are made from it. */
  limits?: DeleteLimits;
}>;

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

/** Endpoints that all ExternalDNS of a cluster want together. */
export const wantedCount = ({ controllers }: Snapshot): number =>
  controllers.reduce((sum, { endpoints }) => sum + endpoints.length, 0);

/** Without a snapshot nobody knows what is wanted; its state then is that of the last one that was accepted. */
function stateOf({ snapshot, accepted, at }: ZoneReading): SnapshotState {
  if (isFault(snapshot))
    return {
      hash: accepted?.hash ?? "none",
      takenAt: accepted?.takenAt ?? at,
      faults: [],
      endpoints: accepted?.endpoints ?? 0,
    };
  return {
    hash: snapshot.hash,
    takenAt: snapshot.takenAt,
    faults: wishFaults(snapshot),
    endpoints: wantedCount(snapshot),
    ...(accepted && { lastAccepted: accepted.endpoints }),
  };
}

/** The zone's place in the account, or why it has none that can be trusted. */
function knownZone({ zone, all }: ZoneReading): HostedZone | Fault {
  if (isFault(all)) return all;
  const what = `zone ${zone.id}`;
  const known = all.find(({ id }) => id === zone.id);
  if (known === undefined) return { kind: "not-configured", what, detail: "the account has no such zone" };
  return known.name === zone.name
    ? known
    : {
        kind: "not-configured",
        what,
        detail: `it is ${known.name}, and the configuration says ${zone.name}`,
      };
}

/**
 * Compares one zone with what the ExternalDNS that look at it want there. What could not be read is in the report as not
 * known, and nothing is then said to be absent.
 */
export function lookAtZone(reading: ZoneReading): ZoneLook {
  const { cluster, at, zone, all, snapshot, predictions, oldDomains, previous } = reading;
  const known = knownZone(reading);
  const views =
    isFault(known) || isFault(all) || isFault(snapshot) ? undefined : zoneViews(snapshot, known, all);
  // A listing says the same of a zone that is not there or is another one; of an unreadable list of zones it does not.
  const recordSets = isFault(known) && !isFault(all) ? known : reading.recordSets;
  const input: DriftInput = {
    cluster,
    at,
    zone,
    recordSets,
    controllers: views?.views ?? (isFault(snapshot) ? snapshot : isFault(known) ? known : []),
    snapshot: stateOf(reading),
    services: isFault(snapshot) ? [] : serviceAddresses(snapshot),
    ...(predictions !== undefined && { predictions }),
    oldDomains,
    previous,
    ...(reading.limits && { limits: reading.limits }),
  };
  const report = withWatchers(detectDrift(input), views ?? { views: [], others: [] });
  const twins = isFault(known) || isFault(all) ? [] : twinFinding(known, all);
  return {
    input,
    report: { ...report, findings: [...report.findings, ...twins] },
    private: isFault(known) ? undefined : known.private,
  };
}
