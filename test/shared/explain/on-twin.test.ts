import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { explain } from "#shared/explain/explain.ts";
import { type ExplainPorts, gatherEvidence } from "#shared/explain/gather.ts";
import { askOn } from "#shared/twin/ask-on.ts";
import { createResolvers, type ResolverSpec } from "#shared/twin/resolvers.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { createZones, type NameServer, type ZoneSpec } from "#shared/twin/zones.ts";

const servers = (network: string): readonly NameServer[] =>
  [1, 2].map((i) => ({
    name: fqdn(`ns-${i}.set-${network.replaceAll(".", "-")}.net`),
    ip: `${network}.${i}`,
  }));

const set = (type: string, name: string, ...values: readonly string[]): RecordSet => ({
  name: fqdn(name),
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 300, values },
});

const name = "web.example.net";
const vip = "10.4.11.1";
const txt = "a-web.example.net";

const zone = (
  id: string,
  network: string,
  recordSets: readonly RecordSet[],
  more: Partial<ZoneSpec> = {},
): ZoneSpec => ({ id, name: fqdn("example.net"), nameServers: servers(network), recordSets, ...more });

const records = [set("A", name, vip), set("TXT", txt, '"heritage=external-dns,external-dns/owner=default"')];

type World = Readonly<{
  zones?: readonly ZoneSpec[];
  router?: Partial<ResolverSpec>;
  /** Zones of another account. */
  untold?: readonly string[];
  /** Something the world does before anybody explains. */
  before?: (world: ReturnType<typeof open>) => Promise<void> | void;
}>;

function open({ zones: specs = [zone("ZMAIN", "198.18.1", records)], router = {} }: World) {
  const clock = createVirtualClock();
  let ids = 0;
  const zones = createZones({
    zones: specs,
    clock,
    schedule: (ms, act) => {
      void clock.sleep(ms).then(act);
      return () => {};
    },
    newId: () => `0-${++ids}`,
    propagationMs: 0,
  });
  const resolvers = createResolvers({
    spec: {
      parents: [
        {
          zone: fqdn("net"),
          servers: [{ name: fqdn("a.gtld-servers.net"), ip: "198.18.0.1" }],
          delegations: [{ zone: fqdn("example.net"), servers: specs[0]?.nameServers ?? [] }],
        },
      ],
      resolvers: [
        { name: "first", ip: "198.18.8.1" },
        { name: "second", ip: "198.18.8.2" },
        { name: "router", ip: "10.4.0.1", ...router },
      ],
    },
    zones,
    clock,
    isUp: () => true,
  });
  const ask = askOn({ resolvers });
  const lookUp = (server: string, about = name, type = "A") =>
    ask(server, { name: fqdn(about), type, recurse: true });
  return { clock, zones, resolvers, ask, lookUp };
}

async function explained(world: World, ports: Partial<ExplainPorts> = {}) {
  const opened = open(world);
  await world.before?.(opened);
  const evidence = await opened.clock.runUntil(
    gatherEvidence(
      {
        zones: {
          ...opened.zones.read,
          zones: async (of) =>
            (await opened.zones.read.zones(of)).filter(({ id }) => !world.untold?.includes(id)),
        },
        here: { place: "bot", ask: opened.ask },
        inside: { place: "ops-host", ask: opened.ask },
        publicResolvers: ["198.18.8.1", "198.18.8.2"],
        siteResolvers: ["10.4.0.1"],
        ...ports,
      },
      {
        name: fqdn(name),
        type: "A",
        wanted: [vip],
        ownership: { ok: true, from: "Route 53", value: { owner: "default", ours: ["default"] } },
        change: { ok: true, from: "ledger", value: "none known" },
        txt: fqdn(txt),
      },
      new AbortController().signal,
    ),
  );
  return explain(evidence);
}

const elsewhere = servers("198.18.2");

const worlds: readonly (readonly [string, World])[] = [
  ["not-delegated", { before: ({ resolvers }) => resolvers.removeDelegation(fqdn("example.net")) }],
  [
    "other-delegation",
    {
      // The old zone is somebody else's account by now: the API does not tell of it.
      zones: [zone("ZMAIN", "198.18.1", records), zone("ZOLD", "198.18.2", [set("A", name, "10.4.11.9")])],
      untold: ["ZOLD"],
      before: ({ resolvers }) => resolvers.setDelegation({ zone: fqdn("example.net"), servers: elsewhere }),
    },
  ],
  [
    "lame-server",
    {
      before: ({ resolvers }) => {
        for (const { ip } of servers("198.18.1")) resolvers.setServer(ip, "lame");
      },
    },
  ],
  [
    "server-unreachable",
    {
      before: ({ resolvers }) => {
        for (const { ip } of servers("198.18.1")) resolvers.setServer(ip, "silent");
      },
    },
  ],
  [
    "wrong-twin-zone",
    {
      zones: [zone("ZMAIN", "198.18.1", records), zone("ZDUP", "198.18.2", [])],
      before: ({ resolvers }) => resolvers.setDelegation({ zone: fqdn("example.net"), servers: elsewhere }),
    },
  ],
  [
    "private-zone-only",
    { zones: [zone("ZMAIN", "198.18.1", []), zone("ZPRIV", "198.18.3", records, { private: true })] },
  ],
  [
    "hidden-by-delegation",
    { zones: [zone("ZMAIN", "198.18.1", [...records, set("NS", name, "ns.nobody.example.")])] },
  ],
  [
    "shadowed",
    {
      zones: [zone("ZMAIN", "198.18.1", [set("A", "*.example.net", vip), set("TXT", name, '"here"')])],
    },
  ],
  ["private-address-filter", { router: { forwardsTo: "198.18.8.1", privateAddresses: "empty" } }],
  ["private-address-filter", { router: { privateAddresses: "strip" } }],
  ["private-address-filter", { router: { privateAddresses: "zero" } }],
  [
    "split-horizon",
    { router: { overrides: [{ domain: fqdn("example.net"), hosts: { [name]: "10.4.0.1" } }] } },
  ],
  ["split-horizon", { router: { overrides: [{ domain: fqdn("example.net"), hosts: {} }] } }],
  [
    "dnssec-broken",
    {
      router: { validates: true },
      before: ({ resolvers }) =>
        resolvers.setDelegation({
          zone: fqdn("example.net"),
          servers: servers("198.18.1"),
          ds: "left-behind",
        }),
    },
  ],
  [
    "negative-cache",
    {
      zones: [zone("ZMAIN", "198.18.1", records.slice(1))],
      before: async ({ zones, lookUp, clock }) => {
        await lookUp("10.4.0.1");
        await clock.advance(100_000);
        await clock.runUntil(zones.change("ZMAIN", [{ action: "CREATE", set: set("A", name, vip) }], "late"));
        await clock.advance(1_000);
      },
    },
  ],
];

describe("explain on a modelled world", () => {
  it("finds nothing wrong in a world where nothing is", async () => {
    const found = await explained({});
    expect(found.probes.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(found).toMatchObject({ state: "resolves", certain: [] });
  });

  it.each(worlds)("%s", async (id, world) => {
    const found = await explained(world);
    expect(found.certain.map(({ diagnosis }) => diagnosis.id)).toContain(id);
    expect(found.certain[0]?.diagnosis.id).toBe(id);
  });

  it("a value from before the last change is a candidate with its test, never certain", async () => {
    const found = await explained({
      zones: [zone("ZMAIN", "198.18.1", [set("A", name, "10.4.11.9"), records[1] as RecordSet])],
      before: async ({ zones, lookUp, clock }) => {
        await lookUp("10.4.0.1");
        await clock.advance(60_000);
        await clock.runUntil(
          zones.change("ZMAIN", [{ action: "UPSERT", set: set("A", name, vip) }], "moved"),
        );
        await clock.advance(1_000);
      },
    });
    expect(found.certain).toEqual([]);
    expect(found.possible.map(({ diagnosis }) => diagnosis.id)).toContain("stale-cache");
  });

  it("without a vantage inside, everything about the site's resolver is unknown", async () => {
    const found = await explained({ router: { privateAddresses: "empty" } }, { inside: undefined });
    expect(found.certain).toEqual([]);
    expect(found.unknown.map(({ diagnosis }) => diagnosis.id)).toContain("private-address-filter");
    expect(found.probes.filter(({ fault }) => fault !== undefined).map(({ id }) => id)).toEqual([
      "P5",
      "P6",
      "P7",
    ]);
  });

  it("without Route 53 the zone is not known, and nothing is called absent", async () => {
    const found = await explained({}, { zones: undefined });
    expect(found.certain).toEqual([]);
    expect(found.state).not.toBe("no-record");
  });

  it("a page of the zone that fails is unknown, not an empty zone", async () => {
    const found = await explained({ before: ({ zones }) => zones.faults.failPage("ZMAIN", 0) });
    expect(found.state).not.toBe("no-record");
    expect(found.probes.find(({ id }) => id === "P8")?.fault).toBeDefined();
  });
});
