import { fqdn } from "#shared/dns/fqdn.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { onMachine, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentoothDomain, goldentoothZone } from "#shared/twin/sites/goldentooth-dns.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import type { NameServer } from "#shared/twin/zones.ts";
import {
  anotherResolver,
  answeredElsewhere,
  delegated,
  externalDnsArguments,
  externalDnsRelease,
  onZones,
  record,
  resolver,
  slowChanges,
  withoutName,
  withRecords,
} from "./faults.ts";

/** A site whose names go wrong in one way, and what asking about one of them must say. */
export type DnsScenario = Readonly<{
  /** As `--scenario` takes it. */
  name: string;
  /** `D1` to `D16` in the order of the diagnoses' numbers; none where `/dns check` is what tells. */
  line: string | undefined;
  words: string;
  site: () => SiteSpec;
  /** What happens as soon as the site is up; takes its time on the site's clock. */
  afterwards?: (twin: Twin) => void | Promise<void>;
  ask: string;
  /** Diagnoses that are certain; exactly these. */
  certain: readonly string[];
  /** A diagnosis that must be among the possible ones. */
  possible?: string;
  state: "resolves" | "explained" | "undecided" | "no-record";
}>;

const host = "httpbin.services.k8s.goldentooth.net";
const address = "10.4.11.1";
const right = record("A", host, 60, address);
const ownership = (owner: string): string =>
  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=service/httpbin/httpbin"`;

const made =
  (...faults: readonly SiteFault[]) =>
  (): SiteSpec =>
    withFaults(healthy(), ...faults);

const elsewhere: readonly NameServer[] = [1, 2, 3, 4].map((i) => ({
  name: fqdn(`ns-${100 + i}.awsdns-0${i}.net`),
  ip: `198.51.100.${20 + i}`,
}));

const nameServersAre =
  (state: "lame" | "silent") =>
  ({ zones, resolvers }: Twin): void => {
    for (const { ip } of zones.nameServers(goldentoothZone.id)) resolvers.setServer(ip, state);
  };

/** The zone empty and public, beside another one that holds everything. */
const recordsIn = (other: Readonly<{ id: string; private?: boolean; comment: string }>): SiteFault =>
  onZones(([zone, ...rest]) =>
    zone === undefined
      ? rest
      : [{ ...zone, recordSets: [] }, { ...zone, ...other, nameServers: elsewhere }, ...rest].map((each) => ({
          ...each,
          // Apex records name the servers of the zone they were made for.
          recordSets: each.recordSets.filter(({ name }) => name !== goldentoothDomain),
        })),
  );

export const dnsScenarios: readonly DnsScenario[] = [
  {
    name: "dns-not-delegated",
    line: "D1",
    words: "the registry has no NS records for the zone",
    site: made(delegated(goldentoothDomain, () => undefined)),
    ask: host,
    certain: ["not-delegated"],
    state: "explained",
  },
  {
    name: "dns-other-delegation",
    line: "D2",
    words: "the registry names the servers of a zone in another account",
    site: made(
      delegated(goldentoothDomain, (each) => ({ ...each, servers: elsewhere })),
      answeredElsewhere(goldentoothDomain, elsewhere),
    ),
    ask: host,
    certain: ["other-delegation"],
    state: "explained",
  },
  {
    name: "dns-lame",
    line: "D3",
    words: "the zone's servers refuse to answer for it",
    site: healthy,
    afterwards: nameServersAre("lame"),
    ask: host,
    certain: ["lame-server"],
    state: "explained",
  },
  {
    name: "dns-unreachable",
    line: "D4",
    words: "the zone's servers are silent over UDP and TCP",
    site: healthy,
    afterwards: nameServersAre("silent"),
    ask: host,
    certain: ["server-unreachable"],
    state: "explained",
  },
  {
    name: "dns-twin-zone",
    line: "D5",
    words: "two public zones of one name, the record in the one that is not delegated",
    site: made(
      recordsIn({ id: "Z0999999TWINGOLDEN", comment: "made a second time" }),
      externalDnsArguments("--zone-id-filter=Z0999999TWINGOLDEN"),
    ),
    ask: host,
    certain: ["wrong-twin-zone"],
    state: "explained",
  },
  {
    name: "dns-private-only",
    line: "D6",
    words: "ExternalDNS writes to a private zone alone",
    site: made(
      recordsIn({ id: "Z0888888PRIVGOLDEN", private: true, comment: "VPC" }),
      externalDnsArguments("--aws-zone-type=private"),
    ),
    ask: host,
    certain: ["private-zone-only"],
    state: "explained",
  },
  {
    name: "dns-not-in-sync",
    line: "D7",
    words: "a change has reached one of four servers",
    site: made(
      withRecords(record("A", host, 60, "10.4.11.99")),
      slowChanges(40_000),
      // Slow enough that its own change does not come before ours.
      externalDnsArguments("--interval=1h"),
    ),
    afterwards: async ({ zones, clock }) => {
      await zones.change(goldentoothZone.id, [{ action: "UPSERT", set: right }], "moved");
      await clock.sleep(15_000);
      zones.faults.holdChanges(true);
    },
    ask: host,
    certain: [],
    possible: "not-in-sync",
    state: "undecided",
  },
  {
    name: "dns-negative-cache",
    line: "D8",
    words: "the name was asked for before it existed",
    site: made(withoutName(host)),
    afterwards: ({ zones, resolve }) => {
      resolve("router", host, "A");
      zones.edit(goldentoothZone.id, [
        { action: "CREATE", set: right },
        { action: "CREATE", set: record("TXT", `a-${host}`, 300, ownership("default")) },
      ]);
    },
    ask: host,
    certain: ["negative-cache"],
    state: "explained",
  },
  {
    name: "dns-stale-cache",
    line: "D9",
    words: "the address changed, and its old record had a TTL of an hour",
    site: made(withRecords(record("A", host, 3_600, "10.4.11.99"))),
    afterwards: ({ zones, resolve }) => {
      resolve("router", host, "A");
      zones.edit(goldentoothZone.id, [{ action: "UPSERT", set: right }]);
    },
    ask: host,
    certain: [],
    possible: "stale-cache",
    state: "undecided",
  },
  {
    name: "dns-sub-delegation",
    line: "D10",
    words: "NS records at services.k8s hand everything below to a server that is gone",
    site: made(withRecords(record("NS", "services.k8s.goldentooth.net", 300, "ns.old-cluster.example."))),
    ask: host,
    certain: ["hidden-by-delegation"],
    state: "explained",
  },
  {
    name: "dns-shadowed-wildcard",
    line: "D11",
    words: "a wildcard for k8s, and names below services.k8s that stop it",
    site: made(withRecords(record("A", "*.k8s.goldentooth.net", 300, "10.4.11.4"))),
    ask: "demo.services.k8s.goldentooth.net",
    certain: ["shadowed"],
    state: "explained",
  },
  {
    name: "dns-dangling-cname",
    line: "D11",
    words: "a CNAME to a name that is gone",
    site: made(
      withRecords(record("CNAME", "shop.goldentooth.net", 300, "gone.services.k8s.goldentooth.net")),
    ),
    ask: "shop.goldentooth.net",
    certain: ["shadowed"],
    state: "explained",
  },
  ...(["empty", "strip", "zero"] as const).map(
    (privateAddresses): DnsScenario => ({
      name: privateAddresses === "empty" ? "dns-private-filter" : `dns-private-filter-${privateAddresses}`,
      line: "D12",
      words: {
        empty: "the router empties answers with private addresses, as dnsmasq does",
        strip: "the router takes private addresses out, as Unbound does",
        zero: "the router answers 0.0.0.0 in their place",
      }[privateAddresses],
      site: made(resolver("router", { privateAddresses, privateDomains: [] })),
      ask: host,
      certain: ["private-address-filter"],
      state: "explained",
    }),
  ),
  {
    name: "dns-split-horizon",
    line: "D13",
    words: "the router answers for the domain by itself",
    site: made(resolver("router", { overrides: [{ domain: goldentoothDomain, hosts: {} }] })),
    ask: host,
    certain: ["split-horizon"],
    state: "explained",
  },
  {
    name: "dns-dnssec",
    line: "D14",
    words: "a DS record was left at the registry",
    site: made(delegated(goldentoothDomain, (each) => ({ ...each, ds: "left-behind" }))),
    ask: host,
    certain: ["dnssec-broken"],
    state: "explained",
  },
  {
    name: "dns-client",
    line: "D15",
    words: "the laptop asks a resolver of its own, which filters",
    site: made(
      anotherResolver({
        name: "laptop-vpn",
        ip: "10.64.0.1",
        forwardsTo: "1.1.1.1",
        privateAddresses: "empty",
      }),
      onMachine("laptop", { resolvers: ["10.64.0.1"] }),
    ),
    ask: host,
    certain: [],
    possible: "client-side",
    state: "resolves",
  },
  {
    name: "dns-foreign-owner",
    line: "D16",
    words: "the record is another cluster's, with another address",
    site: made(
      withRecords(
        record("A", host, 300, "192.0.2.80"),
        record("TXT", `a-${host}`, 300, ownership("dell-k3s")),
      ),
    ),
    ask: host,
    certain: ["wrong-owner"],
    state: "explained",
  },
  {
    name: "dns-unowned",
    line: "D16",
    words: "the record was made by hand, without ownership",
    site: made(withoutName(host), withRecords(record("A", host, 300, "192.0.2.80"))),
    ask: host,
    certain: ["wrong-owner"],
    state: "explained",
  },
  {
    name: "dns-orphaned-txt",
    line: undefined,
    words: "the ownership text is there, its record is not, and no ExternalDNS wants the name",
    site: made(withRecords(record("TXT", "a-old.services.k8s.goldentooth.net", 300, ownership("default")))),
    ask: "old.services.k8s.goldentooth.net",
    certain: [],
    state: "no-record",
  },
  {
    name: "dns-new-prefix",
    line: undefined,
    words: "ExternalDNS 0.22 reads annotations under another prefix: it wants nothing more and deletes",
    site: made(externalDnsRelease("0.22.0"), externalDnsArguments("--policy=sync")),
    ask: host,
    certain: [],
    state: "no-record",
  },
];
