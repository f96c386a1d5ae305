import { type Fqdn, fqdn } from "../../dns/fqdn.ts";
import type { RecordSet } from "../../dns/record-set.ts";
import type { ParentSpec, ResolverSpec } from "../resolvers.ts";
import type { NameServer, ZoneSpec } from "../zones.ts";

/** Four servers, as Route 53 gives each zone; their addresses are of the documentation ranges. */
const delegationSet = (numbers: readonly number[], network: string): readonly NameServer[] =>
  numbers.map((number, i) => ({
    name: fqdn(
      `ns-${number}.awsdns-${String(number % 64).padStart(2, "0")}.${["com", "net", "org", "co.uk"][i]}`,
    ),
    ip: `${network}.${10 + i}`,
  }));

export const hellholt: Fqdn = fqdn("hellholt.net");
export const goldentoothDomain: Fqdn = fqdn("goldentooth.net");

const oldServers = delegationSet([214, 771, 1290, 1837], "198.51.100");
const newServers = delegationSet([402, 659, 1477, 2033], "203.0.113");

const values = (name: string, type: string, ttl: number, ...texts: readonly string[]): RecordSet => ({
  name: fqdn(name),
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl, values: texts },
});

const ownership = (owner: string, resource: string): string =>
  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=${resource}"`;

/** The old domain: beside what the cluster publishes, things made by hand and one of an older cluster. */
export const hellholtZone: ZoneSpec = {
  id: "Z0584361J2VQ7HELLHOLT",
  name: hellholt,
  nameServers: oldServers,
  recordSets: [
    values("hellholt.net", "MX", 3_600, "10 mail.hellholt.net."),
    values("mail.hellholt.net", "A", 3_600, "192.0.2.25"),
    values("nas.hellholt.net", "A", 300, "10.4.0.4"),
    values("backup.hellholt.net", "A", 300, "10.4.0.6"),
    values("backup.hellholt.net", "TXT", 300, ownership("dell-k3s", "service/backup/minio")),
    values("a-backup.hellholt.net", "TXT", 300, ownership("dell-k3s", "service/backup/minio")),
  ],
};

/** The new domain, under the id of the story. */
export const goldentoothZone: ZoneSpec = {
  id: "Z0736727S7ZH91VKK44A",
  name: goldentoothDomain,
  nameServers: newServers,
  recordSets: [],
};

export const netRegistry = (...zones: readonly ZoneSpec[]): ParentSpec => ({
  zone: fqdn("net"),
  servers: [
    { name: fqdn("a.gtld-servers.net"), ip: "192.5.6.30" },
    { name: fqdn("b.gtld-servers.net"), ip: "192.33.14.30" },
  ],
  delegations: zones.map(({ name, nameServers }) => ({ zone: name, servers: nameServers })),
});

/** Two public resolvers, both of which validate. */
export const publicResolvers: readonly ResolverSpec[] = [
  { name: "one.one.one.one", ip: "1.1.1.1", validates: true },
  { name: "dns.google", ip: "8.8.8.8", validates: true },
];

/**
 * The consumer router's resolver: it answers for the old domain by itself, and empties answers that hold private
 * addresses.
 */
export const stubbornResolver: ResolverSpec = {
  name: "router",
  ip: "10.4.0.1",
  machine: "router",
  forwardsTo: "1.1.1.1",
  privateAddresses: "empty",
  overrides: [{ domain: hellholt, hosts: { "router.hellholt.net": "10.4.0.1" } }],
};

/** The same with the new domain exempt and nothing of its own. */
export const obedientResolver: ResolverSpec = {
  name: "router",
  ip: "10.4.0.1",
  machine: "router",
  forwardsTo: "1.1.1.1",
  privateAddresses: "empty",
  privateDomains: [goldentoothDomain],
};
