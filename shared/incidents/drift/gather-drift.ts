import * as z from "zod";
import { wishKinds } from "../../dns/cluster-wishes.ts";
import { isWithin, readFqdn } from "../../dns/fqdn.ts";
import type { DriftReport } from "../../drift/drift-report.ts";
import { lookForDrift } from "../../drift/look.ts";
import { announcementKinds } from "../../drift/predicted-addresses.ts";
import { lastReport } from "../../drift/scan-memory.ts";
import { type Fault, FaultError, isFault } from "../../fault.ts";
import type { ResourceKind } from "../../kubernetes/kinds.ts";
import type { Listed, ReadCluster } from "../../kubernetes/read.ts";
import type { DnsConfig } from "../../site/site.ts";
import { changeKinds } from "../recent-changes.ts";
import type { DiagnoseOptions, DiagnosePorts } from "../runbook.ts";

export type ConfiguredZone = DnsConfig["zones"][number];

/** A Deployment of ExternalDNS as Kubernetes keeps it. */
export type ControllerState = Readonly<{
  /** `namespace/name`. */
  name: string;
  /** Wanted and ready replicas. */
  wanted: number;
  ready: number;
}>;

export type DriftEvidence = Readonly<{
  zone: ConfiguredZone;
  report: DriftReport | Fault;
  /** Where the report is from: looked at now, or kept by the last scan. */
  from: "now" | "last scan";
  /** The ExternalDNS that look at the zone; a fault where Deployments could not be listed. */
  controllers: readonly ControllerState[] | Fault;
  lists: Readonly<Partial<Record<ResourceKind, Listed>>>;
}>;

/** Zones that a word means: by id, by name, or the one that holds the name. Several of one name are never guessed apart. */
export function zonesNamed(dns: DnsConfig, word: string): readonly ConfiguredZone[] {
  const byId = dns.zones.filter(({ id }) => id === word);
  if (byId.length > 0) return byId;
  const read = readFqdn(word);
  if (!read.ok) return [];
  const holding = dns.zones.filter(({ name }) => isWithin(read.fqdn, name));
  const longest = Math.max(0, ...holding.map(({ name }) => name.length));
  return holding.filter(({ name }) => name.length === longest);
}

const deployment = z.looseObject({
  spec: z.looseObject({ replicas: z.number().nullish() }),
  status: z.looseObject({ readyReplicas: z.number().nullish() }).nullish(),
});

function statesOf(listed: Listed | undefined, names: readonly string[]): readonly ControllerState[] | Fault {
  if (listed === undefined)
    return { kind: "not-configured", what: "list of deployments", detail: "it was not asked for" };
  if (isFault(listed)) return listed;
  return listed.flatMap((object): ControllerState[] => {
    const name = `${object.metadata.namespace ?? "default"}/${object.metadata.name}`;
    const read = deployment.safeParse(object).data;
    if (!names.includes(name) || read === undefined) return [];
    return [{ name, wanted: read.spec.replicas ?? 1, ready: read.status?.readyReplicas ?? 0 }];
  });
}

const kinds: readonly ResourceKind[] = [
  ...new Set<ResourceKind>([...changeKinds, ...wishKinds, ...announcementKinds, "deployments"]),
];

/** Looks at one zone now; where no zone may be read here, at what the last scan kept. Throws only bugs. */
export async function gatherDrift(
  { config, read, zones, clock, ledger }: DiagnosePorts,
  zone: ConfiguredZone,
  { signal, show }: DiagnoseOptions,
): Promise<DriftEvidence> {
  const { dns } = config;
  let lists: DriftEvidence["lists"] = {};
  const reading: ReadCluster = async (wanted, by) => {
    const all = await read([...new Set<ResourceKind>([...kinds, ...wanted])], by);
    lists = all;
    return all as Awaited<ReturnType<typeof reading>>;
  };
  const kept = async (): Promise<DriftReport | Fault> => {
    const none: Fault = {
      kind: "not-configured",
      what: `zone ${zone.id}`,
      detail: "Route 53 cannot be read from here, and no scan has left a report",
    };
    return ledger === undefined ? none : ((await lastReport(ledger, zone.id))?.report ?? none);
  };
  const live = async (): Promise<DriftReport | Fault> => {
    if (zones === undefined || dns === undefined) return kept();
    const look = await lookForDrift(
      { read: reading, zones, clock, ...(ledger && { ledger }) },
      { cluster: config.name, dns, only: ({ id }) => id === zone.id },
      signal,
    );
    const [found] = look.zones;
    if (found === undefined) throw new Error(`zone ${zone.id} was not looked at`);
    return found.report;
  };
  show([`listing ${zone.name}`]);
  let report: DriftReport | Fault;
  try {
    report = await live();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    report = error.fault;
  }
  if (lists.events === undefined) await reading(kinds, signal);
  const names = isFault(report) ? [] : report.controllers.map(({ name }) => name);
  return {
    zone,
    report,
    from: zones === undefined || dns === undefined ? "last scan" : "now",
    controllers: statesOf(lists.deployments, names),
    lists,
  };
}
