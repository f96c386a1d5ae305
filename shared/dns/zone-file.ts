import * as z from "zod";
import type { Json } from "../json.ts";
import { once } from "../once.ts";
import { readFqdn } from "./fqdn.ts";
import { listedRecordSet, type RecordSet, type Routing, recordSetKey } from "./record-set.ts";

export type ReadZoneFile =
  | Readonly<{ ok: true; recordSets: readonly RecordSet[] }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const text = z.string().min(1);
const maybeText = text.nullish();
const count = z.number().int().nonnegative();

const name = z.string().transform((value, context) => {
  const read = readFqdn(value);
  if (read.ok) return read.fqdn;
  context.addIssue({ code: "custom", message: read.problem });
  return z.NEVER;
});

const listed = once(() =>
  z.looseObject({
    Name: name,
    Type: z.string().regex(/^[A-Z][A-Z0-9]*$/, "must be a record type in upper case, such as A"),
    SetIdentifier: text.max(128).nullish(),
    Weight: count.max(255).nullish(),
    Region: maybeText,
    Failover: z.enum(["PRIMARY", "SECONDARY"]).nullish(),
    MultiValueAnswer: z.boolean().nullish(),
    GeoLocation: z
      .strictObject({
        ContinentCode: maybeText,
        CountryCode: maybeText,
        SubdivisionCode: maybeText,
      })
      .nullish(),
    GeoProximityLocation: z
      .strictObject({
        AWSRegion: maybeText,
        LocalZoneGroup: maybeText,
        Coordinates: z.strictObject({ Latitude: text, Longitude: text }).nullish(),
        Bias: z.number().int().min(-99).max(99).nullish(),
      })
      .nullish(),
    CidrRoutingConfig: z.strictObject({ CollectionId: text, LocationName: text }).nullish(),
    TTL: count.max(2_147_483_647).nullish(),
    ResourceRecords: z.array(z.strictObject({ Value: z.string() })).nullish(),
    AliasTarget: z
      .strictObject({ HostedZoneId: text, DNSName: name, EvaluateTargetHealth: z.boolean() })
      .nullish(),
    HealthCheckId: maybeText,
    TrafficPolicyInstanceId: maybeText,
  }),
);

type Listed = z.output<ReturnType<typeof listed>>;

const known = once(() => new Set(Object.keys(listed().shape)));

const optional = <K extends string, V>(key: K, value: V | null | undefined): Partial<Record<K, V>> =>
  value === null || value === undefined ? {} : ({ [key]: value } as Record<K, V>);

/** Every routing policy the fields speak of; Route 53 allows one. */
function routings(set: Listed): readonly Routing[] {
  const found: Routing[] = [];
  if (typeof set.Weight === "number") found.push({ policy: "weighted", weight: set.Weight });
  if (set.Region) found.push({ policy: "latency", region: set.Region });
  if (set.Failover) found.push({ policy: "failover", role: set.Failover });
  if (set.MultiValueAnswer) found.push({ policy: "multivalue" });
  if (set.GeoLocation)
    found.push({
      policy: "geolocation",
      ...optional("continent", set.GeoLocation.ContinentCode),
      ...optional("country", set.GeoLocation.CountryCode),
      ...optional("subdivision", set.GeoLocation.SubdivisionCode),
    });
  if (set.GeoProximityLocation) {
    const { AWSRegion, LocalZoneGroup, Coordinates, Bias } = set.GeoProximityLocation;
    found.push({
      policy: "geoproximity",
      ...optional("region", AWSRegion),
      ...optional("localZoneGroup", LocalZoneGroup),
      ...(Coordinates && {
        coordinates: { latitude: Coordinates.Latitude, longitude: Coordinates.Longitude },
      }),
      ...optional("bias", Bias),
    });
  }
  if (set.CidrRoutingConfig)
    found.push({
      policy: "cidr",
      collectionId: set.CidrRoutingConfig.CollectionId,
      location: set.CidrRoutingConfig.LocationName,
    });
  return found;
}

function contradictions(set: Listed, policies: readonly Routing[]): readonly string[] {
  const out: string[] = [];
  const values = set.ResourceRecords ?? [];
  if (policies.length > 1)
    out.push(
      `has several routing policies (${policies.map(({ policy }) => policy).join(", ")}); one is allowed`,
    );
  if (policies.length > 0 && !set.SetIdentifier) out.push("has a routing policy but no SetIdentifier");
  if (policies.length === 0 && set.SetIdentifier) out.push("has a SetIdentifier but no routing policy");
  if (set.AliasTarget) {
    if (values.length > 0) out.push("has both AliasTarget and ResourceRecords; one is allowed");
    if (typeof set.TTL === "number") out.push("has both AliasTarget and TTL; an alias has none");
  } else {
    if (values.length === 0) out.push("has neither ResourceRecords nor AliasTarget");
    if (typeof set.TTL !== "number") out.push("has no TTL");
  }
  return out;
}

/** One item of `ResourceRecordSets`, from the AWS SDK or from `aws`; `where` starts each problem. */
export function readRecordSet(
  item: unknown,
  where: string,
): Readonly<{ ok: true; recordSet: RecordSet }> | Readonly<{ ok: false; problems: readonly string[] }> {
  const parsed = listed().safeParse(item);
  if (!parsed.success)
    return {
      ok: false,
      problems: parsed.error.issues.map(
        ({ path, message }) => `${[where, ...path.map(String)].join(".")}: ${message}`,
      ),
    };
  const set = parsed.data;
  const policies = routings(set);
  const problems = contradictions(set, policies);
  if (problems.length > 0)
    return {
      ok: false,
      problems: problems.map((problem) => `${where} (${set.Name} ${set.Type}) ${problem}`),
    };
  const unmodelled = Object.entries(set).filter(
    ([key, value]) => !known().has(key) && value !== undefined && value !== null,
  );
  return {
    ok: true,
    recordSet: {
      name: set.Name,
      type: set.Type,
      ...optional("setIdentifier", set.SetIdentifier),
      routing: policies[0] ?? { policy: "simple" },
      answer: set.AliasTarget
        ? {
            kind: "alias",
            target: {
              hostedZoneId: set.AliasTarget.HostedZoneId,
              name: set.AliasTarget.DNSName,
              evaluateTargetHealth: set.AliasTarget.EvaluateTargetHealth,
            },
          }
        : {
            kind: "values",
            ttl: set.TTL as number,
            values: (set.ResourceRecords ?? []).map(({ Value }) => Value),
          },
      ...optional("healthCheckId", set.HealthCheckId),
      ...optional("trafficPolicyInstanceId", set.TrafficPolicyInstanceId),
      ...(unmodelled.length > 0 && { unmodelled: Object.fromEntries(unmodelled) as Record<string, Json> }),
    },
  };
}

const expected =
  "expected the output of aws route53 list-resource-record-sets --hosted-zone-id ZONE --output json";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function items(parsed: unknown): readonly unknown[] | string {
  if (Array.isArray(parsed)) return parsed;
  if (!isObject(parsed) || !Array.isArray(parsed.ResourceRecordSets))
    return `no list ResourceRecordSets; ${expected}`;
  if (parsed.IsTruncated === true || typeof parsed.NextToken === "string")
    return "the listing is cut off after one page; list again without --max-items and --no-paginate";
  return parsed.ResourceRecordSets;
}

/**
 * The items of a whole listing, from `aws` or put together from the pages of the API; every problem at once. A record
 * set listed twice alike, as pages of a zone in motion may do, counts once; with different content it is a problem.
 */
export function readRecordSets(list: readonly unknown[]): ReadZoneFile {
  const problems: string[] = [];
  const sets = new Map<string, RecordSet>();
  list.forEach((item, i) => {
    const where = `ResourceRecordSets[${i}]`;
    const read = readRecordSet(item, where);
    if (!read.ok) {
      problems.push(...read.problems);
      return;
    }
    const key = recordSetKey(read.recordSet);
    const seen = sets.get(key);
    if (seen === undefined) sets.set(key, read.recordSet);
    else if (JSON.stringify(listedRecordSet(seen)) !== JSON.stringify(listedRecordSet(read.recordSet)))
      problems.push(`${where} (${key.trim()}) is listed twice with different content; list the zone again`);
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, recordSets: [...sets.values()] };
}

/** Reads a listing as `aws` prints it, or its bare array. */
export function readZoneFile(content: string): ReadZoneFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [`not JSON (${detail}); ${expected}`] };
  }
  const list = items(parsed);
  if (typeof list === "string") return { ok: false, problems: [list] };
  return readRecordSets(list);
}
