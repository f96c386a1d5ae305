import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import {
  isAlias,
  listedRecordSet,
  type RecordSet,
  type Routing,
  recordSetKey,
  valuesOf,
} from "#shared/dns/record-set.ts";
import { readZoneFile } from "#shared/dns/zone-file.ts";

const a = (over: Readonly<Record<string, unknown>> = {}) => ({
  Name: "web.example.com.",
  Type: "A",
  TTL: 300,
  ResourceRecords: [{ Value: "10.4.11.1" }],
  ...over,
});
const weighted = (id: string, over: Readonly<Record<string, unknown>> = {}) =>
  a({ SetIdentifier: id, Weight: 10, ...over });
const file = (...sets: readonly unknown[]): string => JSON.stringify({ ResourceRecordSets: sets });

function sets(content: string): readonly RecordSet[] {
  const read = readZoneFile(content);
  if (!read.ok) throw new Error(read.problems.join("; "));
  return read.recordSets;
}

const problems = (content: string): readonly string[] => {
  const read = readZoneFile(content);
  return read.ok ? [] : read.problems;
};

describe("what Route 53 holds", () => {
  it("a simple record", () => {
    expect(sets(file(a({ Name: "\\052.Apps.example.com." })))).toEqual([
      {
        name: "*.apps.example.com",
        type: "A",
        routing: { policy: "simple" },
        answer: { kind: "values", ttl: 300, values: ["10.4.11.1"] },
      },
    ]);
  });

  it("an alias, which has no TTL and no values", () => {
    const [set] = sets(
      file({
        Name: "web.example.com.",
        Type: "A",
        ResourceRecords: [],
        AliasTarget: { HostedZoneId: "Z1", DNSName: "LB.example.net.", EvaluateTargetHealth: true },
      }),
    );
    expect(set?.answer).toEqual({
      kind: "alias",
      target: { hostedZoneId: "Z1", name: "lb.example.net", evaluateTargetHealth: true },
    });
    expect(isAlias(set as RecordSet)).toBe(true);
    expect(valuesOf(set as RecordSet)).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, unknown>>, Routing]>([
    ["weighted, also with weight 0", { Weight: 0 }, { policy: "weighted", weight: 0 }],
    ["latency", { Region: "eu-west-1" }, { policy: "latency", region: "eu-west-1" }],
    ["failover", { Failover: "SECONDARY" }, { policy: "failover", role: "SECONDARY" }],
    ["multivalue", { MultiValueAnswer: true }, { policy: "multivalue" }],
    ["geolocation", { GeoLocation: { CountryCode: "*" } }, { policy: "geolocation", country: "*" }],
    [
      "geolocation of a state",
      { GeoLocation: { CountryCode: "US", SubdivisionCode: "CA" } },
      { policy: "geolocation", country: "US", subdivision: "CA" },
    ],
    [
      "geoproximity by place",
      { GeoProximityLocation: { Coordinates: { Latitude: "49.22", Longitude: "-74.01" }, Bias: -10 } },
      { policy: "geoproximity", coordinates: { latitude: "49.22", longitude: "-74.01" }, bias: -10 },
    ],
    [
      "geoproximity by region",
      { GeoProximityLocation: { AWSRegion: "eu-west-1" } },
      { policy: "geoproximity", region: "eu-west-1" },
    ],
    [
      "IP-based",
      { CidrRoutingConfig: { CollectionId: "c-1", LocationName: "office" } },
      { policy: "cidr", collectionId: "c-1", location: "office" },
    ],
  ])("%s", (_, fields, routing) => {
    const listed = a({ SetIdentifier: "one", HealthCheckId: "h-1", ...fields });
    const [set] = sets(file(listed));
    expect(set?.routing).toEqual(routing);
    expect(set?.setIdentifier).toBe("one");
    expect(listedRecordSet(set as RecordSet)).toEqual(listed);
  });

  it("keeps TXT values as they are, byte for byte", () => {
    const values = ['"a" "b"', '"a""b"', '"\\"\\052"'];
    const [set] = sets(file(a({ Type: "TXT", ResourceRecords: values.map((Value) => ({ Value })) })));
    expect(valuesOf(set as RecordSet)).toEqual(values);
  });

  it("keeps what it does not know, so that an undo is whole", () => {
    const listed = a({ TrafficPolicyInstanceId: "t-1", NewThing: { Deep: [1] } });
    const [set] = sets(file(listed));
    expect(set?.unmodelled).toEqual({ NewThing: { Deep: [1] } });
    expect(listedRecordSet(set as RecordSet)).toEqual(listed);
  });

  it("takes the nulls of an SDK and a bare array", () => {
    expect(sets(JSON.stringify([a({ Weight: null, SetIdentifier: null, AliasTarget: null })]))).toHaveLength(
      1,
    );
  });

  it("reads any record set back from what it lists", () => {
    const routing: fc.Arbitrary<Routing> = fc.oneof(
      fc.constant({ policy: "simple" } as const),
      fc.record({ policy: fc.constant("weighted" as const), weight: fc.nat(255) }),
      fc.record({
        policy: fc.constant("latency" as const),
        region: fc.constantFrom("eu-west-1", "us-east-1"),
      }),
      fc.constant({ policy: "multivalue" } as const),
    );
    const set: fc.Arbitrary<RecordSet> = fc
      .record({
        name: fc
          .constantFrom("web.example.com", "*.example.com", "a\\056b.example.com", "bü.example.com")
          .map(fqdn),
        type: fc.constantFrom("A", "TXT", "CAA"),
        routing,
        answer: fc.oneof(
          fc.record({
            kind: fc.constant("values" as const),
            ttl: fc.nat(86_400),
            values: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
          }),
          fc.record({
            kind: fc.constant("alias" as const),
            target: fc.record({
              hostedZoneId: fc.constant("Z1"),
              name: fc.constantFrom("lb.example.net", "*.example.net").map(fqdn),
              evaluateTargetHealth: fc.boolean(),
            }),
          }),
        ),
      })
      .map((each) => (each.routing.policy === "simple" ? each : { ...each, setIdentifier: "id" }));
    fc.assert(
      fc.property(set, (each) => {
        expect(sets(file(listedRecordSet(each)))).toEqual([each]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("record set keys", () => {
  it("tell name, type and set identifier apart", () => {
    const name = fqdn("web.example.com");
    const keys = [
      recordSetKey({ name, type: "A" }),
      recordSetKey({ name, type: "AAAA" }),
      recordSetKey({ name, type: "A", setIdentifier: "one" }),
      recordSetKey({ name, type: "A", setIdentifier: "two" }),
      recordSetKey({ name: fqdn("web\\040a.example.com"), type: "A" }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(recordSetKey({ name: fqdn("\\052.example.com."), type: "A" })).toBe(
      recordSetKey({ name: fqdn("*.Example.com"), type: "A" }),
    );
  });
});

describe("every problem at once, with its place", () => {
  it("in fields", () => {
    expect(problems(file(a({ Name: "a..b" }), a(), a({ Type: "a", TTL: -1 }), "x"))).toEqual([
      expect.stringMatching(/^ResourceRecordSets\[0\]\.Name: "a\.\.b" has an empty label/),
      expect.stringMatching(/^ResourceRecordSets\[2\]\.Type: must be a record type in upper case/),
      expect.stringMatching(/^ResourceRecordSets\[2\]\.TTL: /),
      expect.stringMatching(/^ResourceRecordSets\[3\]: /),
    ]);
  });

  const alias = { HostedZoneId: "Z1", DNSName: "lb.example.net.", EvaluateTargetHealth: false };
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    [
      "two policies",
      { SetIdentifier: "x", Weight: 1, Region: "eu-west-1" },
      "has several routing policies (weighted, latency)",
    ],
    ["a policy without identifier", { Weight: 1 }, "has a routing policy but no SetIdentifier"],
    ["an identifier without policy", { SetIdentifier: "x" }, "has a SetIdentifier but no routing policy"],
    ["alias and values", { AliasTarget: alias }, "has both AliasTarget and ResourceRecords"],
    ["alias and TTL", { AliasTarget: alias, ResourceRecords: [] }, "has both AliasTarget and TTL"],
    ["no values", { ResourceRecords: [] }, "has neither ResourceRecords nor AliasTarget"],
    ["no TTL", { TTL: undefined }, "has no TTL"],
  ])("%s", (_, over, problem) => {
    expect(problems(file(a(over))).join("; ")).toContain(`(web.example.com A) ${problem}`);
  });

  it.each([
    ["no JSON", "{", "not JSON"],
    ["another document", "{}", "no list ResourceRecordSets; expected the output of aws route53"],
    [
      "a page of the API",
      JSON.stringify({ ResourceRecordSets: [], IsTruncated: true }),
      "cut off after one page",
    ],
    ["a page of aws", JSON.stringify({ ResourceRecordSets: [], NextToken: "t" }), "cut off after one page"],
  ])("%s", (_, content, problem) => {
    expect(problems(content).join("; ")).toContain(problem);
  });

  it("counts a record set listed twice alike once, and refuses one listed twice differently", () => {
    expect(sets(file(weighted("one"), weighted("two"), weighted("one")))).toHaveLength(2);
    expect(problems(file(weighted("one"), weighted("one", { Weight: 11 })))).toEqual([
      expect.stringContaining("is listed twice with different content"),
    ]);
  });

  it("never crashes", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => file(value)),
        ),
        (content) => {
          const read = readZoneFile(content);
          expect(read.ok || read.problems.length > 0).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
