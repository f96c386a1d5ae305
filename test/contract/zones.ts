import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fqdn, fqdn } from "#shared/dns/fqdn.ts";
import { listedRecordSet, type RecordSet } from "#shared/dns/record-set.ts";
import { formatTxtText } from "#shared/dns/txt-text.ts";
import type { BatchResult, ChangeZone, ReadZones, RecordChange } from "#shared/dns/zones.ts";
import { FaultError } from "#shared/fault.ts";

export type WantedZone = Readonly<{ name: Fqdn; private: boolean }>;

export type ZonesUnderTest = Readonly<{
  read: ReadZones;
  change: ChangeZone;
  /** Ids of the zones, in the order they were asked for. */
  ids: readonly string[];
  close: () => Promise<void>;
}>;

export const simple = (name: string, type: string, values: readonly string[], ttl = 300): RecordSet => ({
  name: fqdn(name),
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl, values },
});

export const weighted = (name: string, setIdentifier: string, weight: number, value: string): RecordSet => ({
  ...simple(name, "A", [value], 60),
  setIdentifier,
  routing: { policy: "weighted", weight },
});

const create = (...sets: readonly RecordSet[]): readonly RecordChange[] =>
  sets.map((set) => ({ action: "CREATE", set }));

const zoneName = fqdn("goldentooth.net");
const many = 1_203;

/** The cases by name, so that a peer that differs can say where and why. */
export type ZonesCase =
  | "names"
  | "private"
  | "unknown"
  | "spelling"
  | "create-other"
  | "delete-words"
  | "cname-alone"
  | "one-routing"
  | "apex"
  | "delete-twice"
  | "outside";

/** What every pair of `ReadZones` and `ChangeZone` promises; `open` gives fresh zones that hold their NS and SOA only. */
export function zonesContract(
  title: string,
  open: (zones: readonly WantedZone[]) => Promise<ZonesUnderTest>,
  differs: Partial<Readonly<Record<ZonesCase, string>>> = {},
): void {
  /** A case that a peer is known to fail: it must go on failing, else the list of differences is out of date. */
  const unless = (key: ZonesCase) => (differs[key] === undefined ? it : it.fails);

  describe(`ReadZones and ChangeZone: ${title}`, () => {
    let under: ZonesUnderTest;
    let id: string;
    beforeAll(async () => {
      under = await open([
        { name: fqdn("goldentooth.net"), private: false },
        { name: fqdn("services.goldentooth.net"), private: false },
        { name: fqdn("goldentooth.org"), private: false },
        { name: fqdn("goldentooth.net"), private: true },
      ]);
      id = under.ids[0] as string;
    });
    afterAll(() => under?.close());

    const made = async (changes: readonly RecordChange[]): Promise<void> => {
      const result = await under.change(id, changes, "contract");
      expect(result).toMatchObject({ ok: true });
    };
    const refused = (result: BatchResult): readonly string[] => (result.ok ? [] : result.messages);
    const listed = async (name: string): Promise<readonly RecordSet[]> =>
      (await under.read.recordSets(id)).filter((set) => set.name === fqdn(name));

    unless("names")(
      "gives the zones of exactly one name, whether public or private, and no later one",
      async () => {
        const found = await under.read.zones(zoneName);
        expect(found.map((zone) => zone.id).sort()).toEqual([under.ids[0], under.ids[3]].sort());
        expect(found.every((zone) => zone.name === zoneName)).toBe(true);
        expect(await under.read.zones(fqdn("goldentooth.nets"))).toEqual([]);
        expect(await under.read.zones(fqdn("golden.net"))).toEqual([]);
      },
    );

    it("gives all zones", async () => {
      const found = (await under.read.zones()).map((zone) => zone.id);
      expect(found).toEqual(expect.arrayContaining([...under.ids]));
    });

    it("tells a public zone's delegation set and the number of its record sets", async () => {
      const zone = await under.read.zone(id);
      expect(zone).toMatchObject({ id, name: zoneName, private: false });
      expect(zone.nameServers?.length).toBeGreaterThan(0);
      expect(zone.recordCount).toBe((await under.read.recordSets(id)).length);
    });

    unless("private")("tells a private zone, which has no delegation set", async () => {
      expect(await under.read.zone(under.ids[3] as string)).toMatchObject({
        private: true,
        nameServers: undefined,
      });
    });

    unless("unknown")("tells a zone that does not exist", async () => {
      const asked = under.read.recordSets("ZNOSUCHZONE0");
      await expect(asked).rejects.toBeInstanceOf(FaultError);
      await expect(under.read.recordSets("ZNOSUCHZONE0")).rejects.toMatchObject({
        fault: { kind: "not-configured" },
      });
    });

    it("lists a fresh zone's NS and SOA", async () => {
      const types = (await under.read.recordSets(under.ids[1] as string)).map((set) => set.type);
      expect(types.sort()).toEqual(["NS", "SOA"]);
    });

    it("makes a record and its TXT in one batch and lists both as they were sent", async () => {
      const address = simple("httpbin.goldentooth.net", "A", ["10.4.11.1", "10.4.11.2"]);
      const text = simple("a-httpbin.goldentooth.net", "TXT", [
        '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/apps/httpbin"',
      ]);
      await made(create(address, text));
      expect(await listed("httpbin.goldentooth.net")).toEqual([address]);
      expect(await listed("a-httpbin.goldentooth.net")).toEqual([text]);
    });

    it("says of an accepted change whether it is everywhere", async () => {
      const result = await under.change(
        id,
        create(simple("state.goldentooth.net", "A", ["10.4.11.3"])),
        "state",
      );
      if (!result.ok) throw new Error(result.messages.join());
      expect(result.changeId).not.toContain("/");
      expect(["PENDING", "INSYNC"]).toContain(await under.read.change(result.changeId));
    });

    it("keeps long texts in their strings, with quotes and escapes", async () => {
      const long = simple("long.goldentooth.net", "TXT", [
        formatTxtText(`${"k".repeat(255)}${"l".repeat(44)}`),
      ]);
      const odd = simple("odd.goldentooth.net", "TXT", [formatTxtText('say "yes" \\ <&>')]);
      await made(create(long, odd));
      expect(await listed("long.goldentooth.net")).toEqual([long]);
      expect(await listed("odd.goldentooth.net")).toEqual([odd]);
    });

    it.each([
      "*.apps.goldentooth.net",
      "a@b.goldentooth.net",
    ])("gives the name %s back decoded", async (name) => {
      const set = simple(name, "A", ["10.4.11.9"]);
      await made(create(set));
      expect(await listed(name)).toEqual([set]);
      expect(await under.read.lookUp(id, [set])).toEqual([set]);
      await made([{ action: "DELETE", set }]);
      expect(await under.read.lookUp(id, [set])).toEqual([undefined]);
    });

    it("makes an alias to a record of the zone itself", async () => {
      const target = simple("target.goldentooth.net", "A", ["10.4.11.10"]);
      const alias: RecordSet = {
        name: fqdn("alias.goldentooth.net"),
        type: "A",
        routing: { policy: "simple" },
        answer: {
          kind: "alias",
          target: { hostedZoneId: id, name: fqdn("target.goldentooth.net"), evaluateTargetHealth: true },
        },
      };
      await made(create(target));
      await made(create(alias));
      expect(await listed("alias.goldentooth.net")).toEqual([alias]);
      await made([{ action: "DELETE", set: alias }]);
      expect(await listed("alias.goldentooth.net")).toEqual([]);
    });

    it("tells the weighted record sets of one name apart by their set identifiers", async () => {
      const blue = weighted("web.goldentooth.net", "blue", 200, "10.4.12.1");
      const green = weighted("web.goldentooth.net", "green", 55, "10.4.12.2");
      await made(create(blue, green));
      expect(new Set(await listed("web.goldentooth.net"))).toEqual(new Set([blue, green]));
      const wanted = [
        { name: blue.name, type: "A", setIdentifier: "green" },
        { name: blue.name, type: "A", setIdentifier: "red" },
        { name: blue.name, type: "A", setIdentifier: "blue" },
      ];
      expect(await under.read.lookUp(id, wanted)).toEqual([green, undefined, blue]);
      await made([{ action: "DELETE", set: blue }]);
      expect(await listed("web.goldentooth.net")).toEqual([green]);
    });

    it.each([
      ["latency", { policy: "latency", region: "eu-central-1" }],
      ["failover", { policy: "failover", role: "PRIMARY" }],
      ["multivalue", { policy: "multivalue" }],
      ["geolocation", { policy: "geolocation", continent: "EU" }],
    ] as const)("keeps the routing policy %s", async (name, routing) => {
      const set: RecordSet = {
        ...simple(`${name}.goldentooth.net`, "A", ["10.4.12.9"]),
        setIdentifier: "only",
        routing,
      };
      await made(create(set));
      expect(await listed(`${name}.goldentooth.net`)).toEqual([set]);
      await made([{ action: "DELETE", set }]);
    });

    it("looks up what is there and what is not, in the order it was asked", async () => {
      const one = simple("one.goldentooth.net", "A", ["10.4.13.1"]);
      const two = simple("two.goldentooth.net", "CNAME", ["one.goldentooth.net"]);
      await made(create(one, two));
      expect(
        await under.read.lookUp(id, [
          { name: two.name, type: "CNAME" },
          { name: one.name, type: "AAAA" },
          { name: fqdn("zzz.goldentooth.net"), type: "A" },
          { name: one.name, type: "A" },
        ]),
      ).toEqual([two, undefined, undefined, one]);
    });

    it("replaces by UPSERT, and makes where there was nothing", async () => {
      const before = simple("upsert.goldentooth.net", "A", ["10.4.13.5"]);
      const after = simple("upsert.goldentooth.net", "A", ["10.4.13.6"], 60);
      await made([{ action: "UPSERT", set: before }]);
      await made([{ action: "UPSERT", set: after }]);
      expect(await listed("upsert.goldentooth.net")).toEqual([after]);
    });

    unless("spelling")("takes DELETE of a name in another order of values and case", async () => {
      const set = simple("order.goldentooth.net", "A", ["10.4.13.7", "10.4.13.8"]);
      await made(create(set));
      await made([
        { action: "DELETE", set: simple("ORDER.goldentooth.net", "A", ["10.4.13.8", "10.4.13.7"]) },
      ]);
      expect(await listed("order.goldentooth.net")).toEqual([]);
    });

    it("refuses CREATE of what exists, in Route 53's words", async () => {
      const set = simple("there.goldentooth.net", "A", ["10.4.13.9"]);
      await made(create(set));
      const messages = refused(await under.change(id, create(set), "again"));
      expect(messages).toEqual([expect.stringMatching(/there\.goldentooth\.net.*already exists/)]);
    });

    unless("create-other")("refuses CREATE of what exists with another value too", async () => {
      const zone = under.ids[1] as string;
      const set = simple("there.services.goldentooth.net", "A", ["10.4.13.9"]);
      const other = simple("there.services.goldentooth.net", "A", ["10.4.13.10"]);
      expect(await under.change(zone, create(set), "first")).toMatchObject({ ok: true });
      expect(refused(await under.change(zone, create(other), "again"))).toEqual([
        expect.stringMatching(/there\.services\.goldentooth\.net.*already exists/),
      ]);
      expect(await under.read.lookUp(zone, [set])).toEqual([set]);
    });

    it("does nothing of a batch in which one change is refused", async () => {
      const good = simple("atomic.goldentooth.net", "A", ["10.4.14.1"]);
      const bad = simple("atomic-bad.goldentooth.net", "A", ["10.4.14.2"]);
      const result = await under.change(id, [...create(good), { action: "DELETE", set: bad }], "atomic");
      expect(result.ok).toBe(false);
      expect(await listed("atomic.goldentooth.net")).toEqual([]);
    });

    it("refuses DELETE with another value or TTL", async () => {
      const set = simple("exact.goldentooth.net", "A", ["10.4.14.3"]);
      await made(create(set));
      for (const other of [
        simple("exact.goldentooth.net", "A", ["10.4.14.4"]),
        simple("exact.goldentooth.net", "A", ["10.4.14.3"], 60),
      ])
        expect((await under.change(id, [{ action: "DELETE", set: other }], "other")).ok).toBe(false);
      expect(await listed("exact.goldentooth.net")).toEqual([set]);
    });

    unless("delete-words")("says why it refuses a DELETE, in Route 53's words", async () => {
      const set = simple("words.goldentooth.net", "A", ["10.4.14.3"]);
      const remove = () => under.change(id, [{ action: "DELETE", set }], "words");
      expect(refused(await remove())).toEqual([
        expect.stringMatching(/words\.goldentooth\.net.*was not found/),
      ]);
      await made(create(simple("words.goldentooth.net", "A", ["10.4.14.4"])));
      expect(refused(await remove())).toEqual([
        expect.stringMatching(/words\.goldentooth\.net.*do not match the current values/),
      ]);
    });

    unless("delete-twice")("refuses to delete one record set twice in a batch", async () => {
      const set = simple("twice.goldentooth.net", "A", ["10.4.14.5"]);
      await made(create(set));
      const result = await under.change(
        id,
        [
          { action: "DELETE", set },
          { action: "DELETE", set },
        ],
        "twice",
      );
      expect(refused(result)).not.toEqual([]);
      expect(await listed("twice.goldentooth.net")).toEqual([set]);
    });

    unless("cname-alone")("refuses a CNAME beside other data", async () => {
      await made(create(simple("alone.goldentooth.net", "A", ["10.4.14.6"])));
      const result = await under.change(
        id,
        create(simple("alone.goldentooth.net", "CNAME", ["elsewhere.example.com"])),
        "cname",
      );
      expect(refused(result)).toEqual([expect.stringMatching(/CNAME.*alone\.goldentooth\.net.*conflicts/)]);
    });

    unless("one-routing")("refuses a weighted record set beside a simple one", async () => {
      await made(create(simple("mixed.goldentooth.net", "A", ["10.4.14.7"])));
      const result = await under.change(
        id,
        create(weighted("mixed.goldentooth.net", "a", 1, "10.4.14.8")),
        "mix",
      );
      expect(refused(result)).not.toEqual([]);
    });

    unless("apex")("refuses to delete the zone's own SOA", async () => {
      const soa = (await under.read.recordSets(id)).find((set) => set.type === "SOA") as RecordSet;
      expect(refused(await under.change(id, [{ action: "DELETE", set: soa }], "apex"))).not.toEqual([]);
    });

    unless("outside")("refuses a name of another zone", async () => {
      const result = await under.change(id, create(simple("www.example.com", "A", ["10.4.14.9"])), "outside");
      expect(refused(result)).toEqual([expect.stringMatching(/www\.example\.com.*not permitted in zone/)]);
    });

    it(`lists ${many} record sets and more, each once`, async () => {
      const zone = under.ids[2] as string;
      const sets = Array.from({ length: many }, (_, i) =>
        i % 100 < 2
          ? weighted(
              `w${Math.floor(i / 100)}.goldentooth.org`,
              `set-${i % 100}`,
              i % 256,
              `10.9.0.${i % 250}`,
            )
          : simple(`r${i}.goldentooth.org`, "A", [`10.8.${i >> 8}.${i & 255}`]),
      );
      for (let at = 0; at < sets.length; at += 500)
        expect(await under.change(zone, create(...sets.slice(at, at + 500)), "many")).toMatchObject({
          ok: true,
        });
      const found = await under.read.recordSets(zone);
      expect(found).toHaveLength(many + 2);
      const text = (set: RecordSet) => JSON.stringify(listedRecordSet(set));
      expect(new Set(found.filter((set) => !/SOA|NS/.test(set.type)).map(text))).toEqual(
        new Set(sets.map(text)),
      );
    });
  });
}
