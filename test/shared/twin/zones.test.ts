import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { isFault } from "#shared/fault.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { compareListed, createZones, type ZoneSpec } from "#shared/twin/zones.ts";

const a = (name: string, ...values: readonly string[]): RecordSet => ({
  name: fqdn(name),
  type: "A",
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 300, values },
});

const servers = ["ns-1.awsdns-01.com", "ns-2.awsdns-02.net"].map((name, i) => ({
  name: fqdn(name),
  ip: `203.0.113.${i + 1}`,
}));

const one: ZoneSpec = {
  id: "ZONE1",
  name: fqdn("example.net"),
  nameServers: servers,
  recordSets: [a("web.example.net", "10.4.11.1")],
};

const setUp = (...zones: readonly ZoneSpec[]) => {
  const clock = createVirtualClock();
  let ids = 0;
  return {
    clock,
    zones: createZones({
      zones: zones.length === 0 ? [one] : zones,
      clock,
      schedule: (ms, act) => {
        const cancelled = new AbortController();
        void clock.sleep(ms, cancelled.signal).then(() => {
          if (!cancelled.signal.aborted) act();
        });
        return () => cancelled.abort();
      },
      newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    }),
  };
};

const namesOf = (sets: readonly RecordSet[]) => sets.map(({ name, type }) => `${name} ${type}`);
const faultOf = async (promise: Promise<unknown>) =>
  promise.then(
    () => "no fault",
    (error: { fault?: unknown }) =>
      isFault(error.fault) ? `${error.fault.kind}: ${error.fault.detail}` : error,
  );

describe("hosted zones", () => {
  it("tells public and private twins of one name apart by their ids", async () => {
    const { zones } = setUp(one, { ...one, id: "ZONE2", private: true });
    expect(await zones.read.zones(fqdn("example.net"))).toMatchObject([
      { id: "ZONE1", private: false, recordCount: 3, nameServers: servers.map(({ name }) => name) },
      { id: "ZONE2", private: true, nameServers: undefined },
    ]);
  });

  it("lists in Route 53's order, a whole zone over any number of pages", () => {
    const name = fc
      .constantFrom("web", "a", "a-b", "b.a", "*", "*.a", "z_1", "x.web")
      .map((label) => `${label}.example.net`);
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.integer({ min: 1, max: 4 }), (names, size) => {
        const { zones } = setUp({ ...one, recordSets: names.map((each) => a(each, "10.0.0.1")) });
        const listed: RecordSet[] = [];
        let start: RecordSet | undefined;
        do {
          const page = zones.page("ZONE1", start, size);
          listed.push(...page.sets);
          start = page.next;
        } while (start !== undefined);
        expect(namesOf(listed)).toEqual(namesOf(zones.recordSets("ZONE1")));
        expect([...listed].sort(compareListed)).toEqual(listed);
        expect(listed).toHaveLength(names.length + 2);
      }),
      { numRuns: 60 },
    );
  });

  it("puts a hyphen before the dot, which a plain order of text would not", () => {
    const { zones } = setUp({
      ...one,
      recordSets: [a("x.a.example.net", "1.1.1.1"), a("a-b.example.net", "1.1.1.1")],
    });
    expect(namesOf(zones.recordSets("ZONE1")).slice(-2)).toEqual(["a-b.example.net A", "x.a.example.net A"]);
  });

  it("makes all of a batch or nothing of it, and says what it disliked", async () => {
    const { zones } = setUp();
    const before = zones.recordSets("ZONE1");
    const result = await zones.change(
      "ZONE1",
      [
        { action: "CREATE", set: a("new.example.net", "10.4.11.2") },
        { action: "CREATE", set: a("web.example.net", "10.4.11.3") },
        { action: "DELETE", set: a("gone.example.net", "10.4.11.3") },
      ],
      "test",
    );
    expect(result).toEqual({
      ok: false,
      messages: [
        "Tried to create resource record set [name='web.example.net.', type='A'] but it already exists",
        "Tried to delete resource record set [name='gone.example.net.', type='A'] but it was not found",
      ],
    });
    expect(zones.recordSets("ZONE1")).toEqual(before);
    expect(zones.history()).toEqual([]);
  });

  it("shows a change at once in listings, and later on one name server after the other", async () => {
    const { zones, clock } = setUp();
    const result = await zones.change(
      "ZONE1",
      [{ action: "UPSERT", set: a("web.example.net", "10.4.11.9") }],
      "test",
    );
    if (!result.ok) throw new Error("refused");
    const seen = () => [0, 1].map((server) => webValue(zones.served("ZONE1", server)));
    expect(webValue(zones.recordSets("ZONE1"))).toEqual("10.4.11.9");
    expect(seen()).toEqual(["10.4.11.1", "10.4.11.1"]);
    expect(await zones.read.change(result.changeId)).toBe("PENDING");
    await clock.advance(15_000);
    expect(seen()).toEqual(["10.4.11.9", "10.4.11.1"]);
    await clock.advance(15_000);
    expect(seen()).toEqual(["10.4.11.9", "10.4.11.9"]);
    expect(await zones.read.change(result.changeId)).toBe("INSYNC");
  });

  it("holds changes back while told to", async () => {
    const { zones, clock } = setUp();
    zones.faults.holdChanges(true);
    const result = await zones.change(
      "ZONE1",
      [{ action: "UPSERT", set: a("web.example.net", "10.4.11.9") }],
      "test",
    );
    if (!result.ok) throw new Error("refused");
    await clock.advance(3_600_000);
    expect(await zones.read.change(result.changeId)).toBe("PENDING");
    zones.faults.holdChanges(false);
    expect(await zones.read.change(result.changeId)).toBe("INSYNC");
  });

  it("throttles so many calls and then goes on", async () => {
    const { zones } = setUp();
    zones.faults.throttle(2);
    expect(await faultOf(zones.read.zones())).toBe("refused: Throttling: Rate exceeded");
    expect(await faultOf(zones.read.zone("ZONE1"))).toBe("refused: Throttling: Rate exceeded");
    expect(await zones.read.zones()).toHaveLength(1);
  });

  it("fails a whole listing for one page of it", async () => {
    const names = Array.from({ length: 400 }, (_, i) => a(`host-${i}.example.net`, "10.4.11.1"));
    const { zones } = setUp({ ...one, recordSets: names });
    zones.faults.failPage("ZONE1", 1);
    expect(await faultOf(zones.read.recordSets("ZONE1"))).toBe(
      "unreachable: ServiceUnavailable: Service Unavailable",
    );
    zones.faults.failPage("ZONE1", undefined);
    expect(await zones.read.recordSets("ZONE1")).toHaveLength(402);
  });

  it("refuses a second change while it works on the first, where that is switched on", async () => {
    const { zones, clock } = setUp();
    zones.faults.setBusyMs(500);
    const change = (value: string) =>
      zones.change("ZONE1", [{ action: "UPSERT", set: a("web.example.net", value) }], "test");
    await change("10.4.11.2");
    expect(await faultOf(change("10.4.11.3"))).toMatch(/^refused: PriorRequestNotComplete: /);
    await clock.advance(500);
    expect(await change("10.4.11.3")).toMatchObject({ ok: true });
  });

  it("loses an answer without losing the change", async () => {
    const { zones } = setUp();
    zones.faults.loseAnswers(1);
    expect(
      await faultOf(
        zones.change("ZONE1", [{ action: "UPSERT", set: a("web.example.net", "10.4.11.2") }], "test"),
      ),
    ).toBe("timed-out: no answer came");
    expect(webValue(zones.recordSets("ZONE1"))).toBe("10.4.11.2");
  });

  it("counts values and characters, an UPSERT twice", async () => {
    const { zones } = setUp();
    const many = (count: number, action: "CREATE" | "UPSERT") =>
      Array.from(
        { length: count },
        (_, i) => ({ action, set: a(`h${i}.example.net`, "10.4.11.1") }) as const,
      );
    expect(await zones.change("ZONE1", many(501, "UPSERT"), "test")).toEqual({
      ok: false,
      messages: ["Number of records limit of 1000 exceeded."],
    });
    expect(await zones.change("ZONE1", many(1_000, "CREATE"), "test")).toMatchObject({ ok: true });
  });

  it("looks record sets up by name, type and set identifier", async () => {
    const { zones } = setUp();
    expect(
      await zones.read.lookUp("ZONE1", [
        { name: fqdn("web.example.net"), type: "A" },
        { name: fqdn("web.example.net"), type: "TXT" },
      ]),
    ).toEqual([a("web.example.net", "10.4.11.1"), undefined]);
  });

  it("tells a zone and a change that do not exist", async () => {
    const { zones } = setUp();
    expect(await faultOf(zones.read.recordSets("ZNONE"))).toMatch(/^not-configured: NoSuchHostedZone: /);
    expect(await faultOf(zones.read.change("CNONE"))).toMatch(/^not-configured: NoSuchChange: /);
  });
});

function webValue(sets: readonly RecordSet[]): string | undefined {
  const web = sets.find(({ name, type }) => name === "web.example.net" && type === "A");
  return web?.answer.kind === "values" ? web.answer.values[0] : undefined;
}
