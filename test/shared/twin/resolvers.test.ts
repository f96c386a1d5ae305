import { beforeEach, describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { DnsResponse } from "#shared/twin/dns-message.ts";
import { createResolvers, type ResolverSpec } from "#shared/twin/resolvers.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { createZones, type NameServer, type ZoneSpec } from "#shared/twin/zones.ts";

const servers = (network: string): readonly NameServer[] =>
  [1, 2].map((i) => ({
    name: fqdn(`ns-${i}.set-${network.replaceAll(".", "-")}.org`),
    ip: `${network}.${i}`,
  }));

const a = (name: string, value: string, ttl = 300): RecordSet => ({
  name: fqdn(name),
  type: "A",
  routing: { policy: "simple" },
  answer: { kind: "values", ttl, values: [value] },
});

const zone = (id: string, name: string, network: string, ...recordSets: readonly RecordSet[]): ZoneSpec => ({
  id,
  name: fqdn(name),
  nameServers: servers(network),
  recordSets,
});

const main = zone(
  "ZMAIN",
  "example.net",
  "203.0.113",
  a("web.example.net", "10.4.11.1", 300),
  a("public.example.net", "9.9.9.9"),
  { ...a("txt.example.net", '"x"'), type: "TXT" },
  { ...a("www.example.net", "web.other.net"), type: "CNAME" },
);
const duplicate = zone("ZDUP", "example.net", "198.51.100", a("web.example.net", "10.9.9.9"));
const inside: ZoneSpec = {
  ...zone("ZPRIV", "example.net", "192.0.2", a("vpc.example.net", "10.1.1.1")),
  private: true,
};
const other = zone("ZOTHER", "other.net", "203.0.113", a("web.other.net", "10.4.11.2"));

const habits: readonly ResolverSpec[] = [
  { name: "plain", ip: "10.0.0.1" },
  { name: "dnsmasq", ip: "10.0.0.2", forwardsTo: "10.0.0.1", privateAddresses: "empty" },
  { name: "unbound", ip: "10.0.0.3", privateAddresses: "strip" },
  { name: "control-d", ip: "10.0.0.4", privateAddresses: "zero" },
  { name: "exempt", ip: "10.0.0.5", privateAddresses: "empty", privateDomains: [fqdn("example.net")] },
  {
    name: "hijacker",
    ip: "10.0.0.6",
    overrides: [{ domain: fqdn("example.net"), hosts: { "web.example.net": "10.4.0.1" } }],
  },
  { name: "validating", ip: "10.0.0.7", validates: true },
  { name: "vpc", ip: "10.0.0.8", privateZones: ["ZPRIV"] },
  { name: "stale", ip: "10.0.0.9", servesStale: true },
  { name: "router", ip: "10.0.0.10", machine: "router" },
];

const setUp = () => {
  const clock = createVirtualClock();
  let ids = 0;
  const zones = createZones({
    zones: [main, duplicate, inside, other],
    clock,
    schedule: (ms, act) => {
      void clock.sleep(ms).then(act);
      return () => {};
    },
    newId: () => `0-${++ids}`,
    propagationMs: 0,
  });
  const off = new Set<string>();
  const resolvers = createResolvers({
    spec: {
      parents: [
        {
          zone: fqdn("net"),
          servers: [{ name: fqdn("a.gtld-servers.net"), ip: "192.5.6.30" }],
          delegations: [
            { zone: fqdn("example.net"), servers: main.nameServers },
            { zone: fqdn("other.net"), servers: other.nameServers },
          ],
        },
      ],
      resolvers: habits,
    },
    zones,
    clock,
    isUp: (machine) => !off.has(machine),
  });
  const ask = (resolver: string, name: string, type = "A", flags = {}) =>
    resolvers.ask(resolvers.addressOf(resolver) ?? resolver, {
      name: fqdn(name),
      type,
      recursive: true,
      checkingDisabled: false,
      ...flags,
    });
  const seen = (...args: Parameters<typeof ask>) => {
    const outcome = ask(...args);
    return typeof outcome === "string"
      ? outcome
      : `${outcome.status} ${outcome.answer.map(({ value }) => value).join(" ")}`.trim();
  };
  const message = (...args: Parameters<typeof ask>) => ask(...args) as DnsResponse;
  return { clock, zones, resolvers, off, seen, message };
};

let world: ReturnType<typeof setUp>;
beforeEach(() => {
  world = setUp();
});

describe("habits of resolvers", () => {
  it.each([
    ["plain", "web.example.net", "NOERROR 10.4.11.1"],
    ["plain", "www.example.net", "NOERROR web.other.net. 10.4.11.2"],
    ["plain", "nope.example.net", "NXDOMAIN"],
    ["plain", "nobody.elsewhere.invalid", "NXDOMAIN"],
    ["dnsmasq", "web.example.net", "NOERROR"],
    ["dnsmasq", "public.example.net", "NOERROR 9.9.9.9"],
    ["unbound", "web.example.net", "NOERROR"],
    ["control-d", "web.example.net", "NOERROR 0.0.0.0"],
    ["exempt", "web.example.net", "NOERROR 10.4.11.1"],
    ["hijacker", "web.example.net", "NOERROR 10.4.0.1"],
    ["hijacker", "public.example.net", "NXDOMAIN"],
    ["vpc", "vpc.example.net", "NOERROR 10.1.1.1"],
    ["vpc", "web.example.net", "NXDOMAIN"],
    ["plain", "vpc.example.net", "NXDOMAIN"],
  ])("%s asked for %s: %s", (resolver, name, expected) => {
    expect(world.seen(resolver, name)).toBe(expected);
  });

  it("an emptied answer has no SOA, a true no has one", () => {
    expect(world.message("dnsmasq", "web.example.net").authority).toEqual([]);
    expect(world.message("dnsmasq", "web.example.net", "AAAA").authority).toMatchObject([{ type: "SOA" }]);
    expect(world.seen("dnsmasq", "txt.example.net", "TXT")).toBe('NOERROR "x"');
  });

  it("a machine that is off does not answer", () => {
    world.off.add("router");
    expect(world.seen("router", "web.example.net")).toBe("timed-out");
  });
});

describe("caches", () => {
  it("keep what was there until its TTL is over, and say how old it is", async () => {
    world.seen("plain", "web.example.net");
    world.zones.edit("ZMAIN", [{ action: "UPSERT", set: a("web.example.net", "10.4.11.8") }]);
    await world.clock.advance(100_000);
    expect(world.message("plain", "web.example.net").answer).toMatchObject([
      { value: "10.4.11.1", ttl: 200 },
    ]);
    expect(world.seen("203.0.113.1", "web.example.net")).toBe("NOERROR 10.4.11.8");
    await world.clock.advance(200_000);
    expect(world.seen("plain", "web.example.net")).toBe("NOERROR 10.4.11.8");
  });

  it("keep what was not there for the SOA's time, 900 s", async () => {
    world.seen("plain", "new.example.net");
    world.zones.edit("ZMAIN", [{ action: "CREATE", set: a("new.example.net", "10.4.11.8") }]);
    await world.clock.advance(899_000);
    expect(world.message("plain", "new.example.net")).toMatchObject({
      status: "NXDOMAIN",
      authority: [{ type: "SOA", ttl: 1 }],
    });
    await world.clock.advance(1_000);
    expect(world.seen("plain", "new.example.net")).toBe("NOERROR 10.4.11.8");
  });

  it("linger on servers that the parent no longer names", async () => {
    world.seen("plain", "public.example.net");
    world.resolvers.setDelegation({ zone: fqdn("example.net"), servers: duplicate.nameServers });
    expect(world.seen("plain", "web.example.net")).toBe("NOERROR 10.4.11.1");
    world.resolvers.flush("plain");
    expect(world.seen("plain", "web.example.net")).toBe("NOERROR 10.9.9.9");
  });

  it("answer what has expired where nobody else does, if that is their habit", async () => {
    world.seen("stale", "web.example.net");
    for (const { ip } of main.nameServers) world.resolvers.setServer(ip, "silent");
    await world.clock.advance(301_000);
    expect(world.message("stale", "web.example.net").answer).toMatchObject([{ value: "10.4.11.1", ttl: 30 }]);
    expect(world.seen("plain", "web.example.net")).toBe("SERVFAIL");
  });

  it("answer without recursion only what they have", () => {
    expect(world.seen("plain", "web.example.net", "A", { recursive: false })).toBe("NOERROR");
    world.seen("plain", "web.example.net");
    expect(world.seen("plain", "web.example.net", "A", { recursive: false })).toBe("NOERROR 10.4.11.1");
  });
});

describe("delegation", () => {
  it("missing: nobody finds the zone, though its own servers answer", () => {
    world.resolvers.removeDelegation(fqdn("example.net"));
    expect(world.seen("plain", "web.example.net")).toBe("NXDOMAIN");
    expect(world.seen("203.0.113.1", "web.example.net")).toBe("NOERROR 10.4.11.1");
  });

  it("a lame server is passed over, all of them fail", () => {
    world.resolvers.setServer("203.0.113.1", "lame");
    expect(world.seen("203.0.113.1", "web.example.net")).toBe("REFUSED");
    expect(world.seen("plain", "web.example.net")).toBe("NOERROR 10.4.11.1");
    world.resolvers.setServer("203.0.113.2", "lame");
    expect(world.seen("plain", "web.other.net")).toBe("SERVFAIL");
  });

  it("a DS left behind breaks those that validate, unless they are asked not to", () => {
    world.resolvers.setDelegation({
      zone: fqdn("example.net"),
      servers: main.nameServers,
      ds: "left-behind",
    });
    expect(world.seen("plain", "web.example.net")).toBe("NOERROR 10.4.11.1");
    expect(world.seen("validating", "web.example.net")).toBe("SERVFAIL");
    expect(world.seen("validating", "web.example.net", "A", { checkingDisabled: true })).toBe(
      "NOERROR 10.4.11.1",
    );
    expect(world.seen("192.5.6.30", "example.net", "DS")).toMatch(/^NOERROR \d+ 13 2 /);
  });

  it("a server refuses what it is not set up for", () => {
    expect(world.seen("198.51.100.1", "web.other.net")).toBe("REFUSED");
  });
});
