import { decodeName, type Fqdn, fqdn, isWithin } from "../dns/fqdn.ts";
import { type RecordSet, valuesOf } from "../dns/record-set.ts";
import { readZoneFile } from "../dns/zone-file.ts";
import type { ReadZones } from "../dns/zones.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { ClusterConfig, DnsConfig } from "../site/site.ts";
import { type Text, text } from "../text.ts";
import type { ParentSpec, ResolverSpec } from "../twin/resolvers.ts";
import type { SiteDnsSpec } from "../twin/site-spec.ts";
import type { NameServer, ZoneSpec } from "../twin/zones.ts";
import type { SeenHabits } from "./resolver-habits.ts";

/** A hosted zone with all it holds. */
export type KnownZone = Readonly<{
  id: string;
  name: Fqdn;
  private: boolean;
  recordSets: readonly RecordSet[];
}>;

export type KnownZones =
  | Readonly<{ ok: true; zones: readonly KnownZone[] }>
  /** What the zones hold is not known, and why. */
  | Readonly<{ ok: false; fault: Fault }>;

type Move = NonNullable<DnsConfig["move"]>;

const concerns = (zone: string, { from, to }: Move): boolean =>
  [from, to].some((domain) => isWithin(domain, zone) || isWithin(zone, domain));

/** The zones of the account that hold a name of the move. */
export async function zonesOfAccount(
  read: ReadZones | undefined,
  move: Move | undefined,
  signal: AbortSignal,
): Promise<KnownZones> {
  if (read === undefined)
    return {
      ok: false,
      fault: {
        kind: "not-configured",
        what: "Route 53",
        detail: "no zones are configured for this cluster (dns.zones); --zones FILE gives what they hold",
      },
    };
  try {
    const zones: KnownZone[] = [];
    for (const { id, name, private: isPrivate } of await read.zones())
      if (move === undefined || concerns(name, move))
        zones.push({ id, name, private: isPrivate, recordSets: await read.recordSets(id, signal) });
    return { ok: true, zones };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { ok: false, fault: error.fault };
  }
}

/** A zone from its listing. Its name is that of its SOA; its id is the config's, since a listing has none. */
export function zoneOfFile(
  content: string,
  configured: DnsConfig["zones"],
): Readonly<{ ok: true; zone: KnownZone }> | Readonly<{ ok: false; problems: readonly string[] }> {
  const read = readZoneFile(content);
  if (!read.ok) return read;
  const soa = read.recordSets.find(({ type }) => type === "SOA");
  if (soa === undefined)
    return {
      ok: false,
      problems: ["it has no SOA, so which zone it lists is not known; list the whole zone"],
    };
  const name = decodeName(soa.name) as Fqdn;
  const id = configured.find((zone) => decodeName(zone.name) === name)?.id ?? `Z-of-${name}`;
  return { ok: true, zone: { id, name, private: false, recordSets: read.recordSets } };
}

/** An address of the documentation ranges for the n-th name server of the model. */
const serverAddress = (n: number): string => `198.51.100.${10 + (n % 240)}`;

const parentOf = (zone: Fqdn): Fqdn => fqdn(zone.split(".").slice(1).join("."));

export type NamesOfSite = Readonly<{ dns: SiteDnsSpec; config: DnsConfig; resolvers: readonly string[] }>;

/**
 * Zones, the world above them and the resolvers of a site as a model has them. Delegation and the habits of resolvers
 * are taken to be as they should be where nobody has looked, and told.
 */
export function namesOfSite(
  zones: readonly KnownZone[],
  { dns, site }: ClusterConfig,
  assumed: Text[],
  habits?: SeenHabits,
): NamesOfSite {
  let servers = 0;
  const specs = zones.map(
    ({ id, name, private: isPrivate, recordSets }): ZoneSpec => ({
      id,
      name,
      private: isPrivate,
      recordSets,
      nameServers: recordSets
        .filter((set) => set.type === "NS" && set.name === name)
        .flatMap(valuesOf)
        .map((value): NameServer => ({ name: fqdn(value.replace(/\.$/, "")), ip: serverAddress(servers++) })),
    }),
  );
  const publicZones = specs.filter((zone) => zone.private !== true);
  const tops = publicZones.filter(
    ({ name }) => !publicZones.some((other) => other.name !== name && isWithin(name, other.name)),
  );
  const parents = [...new Set(tops.map(({ name }) => parentOf(name)))].map(
    (zone, i): ParentSpec => ({
      zone,
      servers: [{ name: fqdn(`a.registry-of-${zone}`), ip: `192.0.2.${10 + i}` }],
      delegations: tops
        .filter(({ name }) => parentOf(name) === zone)
        .map(({ name, nameServers }) => ({ zone: name, servers: nameServers })),
    }),
  );
  const outside = dns?.publicResolvers ?? [];
  const publicResolvers = outside.length > 0 ? outside : ["1.1.1.1", "8.8.8.8"];
  const [forwarder = "1.1.1.1"] = publicResolvers;
  const inside = site.resolvers.length > 0 ? site.resolvers : [site.routerIp ?? ""];
  const resolvers: readonly ResolverSpec[] = [
    ...inside.map(
      (ip): ResolverSpec => ({
        name: `resolver ${ip}`,
        ip,
        ...(ip === site.routerIp ? { machine: "router" } : {}),
        forwardsTo: forwarder,
        ...habits?.of.get(ip),
      }),
    ),
    ...publicResolvers.map((ip): ResolverSpec => ({ name: ip, ip, validates: true })),
  ];
  if (tops.length > 0)
    assumed.push(
      text`${tops.map(({ name }) => name).join(" and ")} ${tops.length === 1 ? "is" : "are"} delegated to the servers in ${tops.length === 1 ? "its" : "their"} NS records`,
      ...(habits?.said ?? []),
      ...inside
        .filter((ip) => habits?.of.has(ip) !== true)
        .map(
          (ip) =>
            text`clients ask ${ip}, which lets private addresses through and answers for no domain by itself; whether that is so: /dns explain`,
        ),
    );
  return {
    dns: { zones: specs, parents, resolvers },
    config: {
      ...dns,
      zones:
        dns !== undefined && dns.zones.length > 0 ? dns.zones : specs.map(({ id, name }) => ({ id, name })),
      publicResolvers,
    },
    resolvers: inside,
  };
}
