import { canonicalHostedZone } from "./aws-canonical-zones.ts";
import { type Endpoint, hasProperty, property } from "./endpoint.ts";
import { decodeName, type Fqdn } from "./fqdn.ts";
import type { Answer, RecordSet, Routing } from "./record-set.ts";
import { atLeast, type Release } from "./release.ts";

export type ChangeAction = "CREATE" | "UPSERT" | "DELETE";

/** One change of a Route 53 batch as ExternalDNS sends it. */
export type AwsChange = Readonly<{
  action: ChangeAction;
  set: RecordSet;
  /** Changes of one group stay in one batch and are retried together: a record and its ownership TXT. */
  group: string;
  /** The value holds a random nonce, or depends on a compressor, so nobody can know it. */
  unpredictable: boolean;
}>;

/** Hosted zone of an alias to a record of the zone itself, whose id is not needed to compare. */
export const sameZone = "same-zone";

const integer = (text: string): number => (/^[+-]?\d+$/.test(text) ? Number(text) : 0);

function coordinates(
  text: string | undefined,
): Readonly<{ latitude: string; longitude: string }> | undefined {
  const [latitude, longitude, more] = text?.split(",") ?? [];
  if (latitude === undefined || longitude === undefined || more !== undefined) return undefined;
  const within = (value: string, limit: number): boolean =>
    value.trim() !== "" && Math.abs(Number(value)) <= limit;
  return within(latitude, 90) && within(longitude, 180) ? { latitude, longitude } : undefined;
}

/** Every routing policy an endpoint's properties speak of; Route 53 takes one, and only with a set identifier. */
export function routingsOf(endpoint: Endpoint, release: Release): readonly Routing[] {
  // Up to 0.20 they count only beside a set identifier.
  if (endpoint.setIdentifier === "" && !atLeast(release, "0.21.0")) return [];
  const of = (name: string): string | undefined => property(endpoint, `aws/${name}`);
  const out: Routing[] = [];
  const weight = of("weight");
  if (weight !== undefined) out.push({ policy: "weighted", weight: integer(weight) });
  const region = of("region");
  if (region !== undefined) out.push({ policy: "latency", region });
  const failover = of("failover");
  if (failover !== undefined)
    out.push({ policy: "failover", role: failover === "PRIMARY" ? "PRIMARY" : "SECONDARY" });
  if (hasProperty(endpoint, "aws/multi-value-answer")) out.push({ policy: "multivalue" });
  const continent = of("geolocation-continent-code");
  const country = of("geolocation-country-code");
  const subdivision = of("geolocation-subdivision-code");
  if (continent !== undefined) out.push({ policy: "geolocation", continent });
  else if (country !== undefined || subdivision !== undefined)
    out.push({
      policy: "geolocation",
      ...(country !== undefined && { country }),
      ...(subdivision !== undefined && { subdivision }),
    });
  if (atLeast(release, "0.19.0")) {
    const at = coordinates(of("geoproximity-coordinates"));
    const awsRegion = of("geoproximity-region");
    const localZoneGroup = of("geoproximity-local-zone-group");
    const bias = of("geoproximity-bias");
    if (at || awsRegion !== undefined || localZoneGroup !== undefined || bias !== undefined)
      out.push({
        policy: "geoproximity",
        ...(awsRegion !== undefined && { region: awsRegion }),
        ...(localZoneGroup !== undefined && { localZoneGroup }),
        ...(at && { coordinates: at }),
        ...(bias !== undefined && { bias: integer(bias) }),
      });
  }
  return out;
}

const canBeAlias = (type: string, release: Release): boolean =>
  type === "A" || (type === "AAAA" && atLeast(release, "0.16.0"));

function answerOf(endpoint: Endpoint, release: Release, evaluateTargetHealth: boolean): Answer {
  const [target] = endpoint.targets;
  if (property(endpoint, "alias") !== "true" || !canBeAlias(endpoint.type, release) || target === undefined)
    return { kind: "values", ttl: endpoint.ttl > 0 ? endpoint.ttl : 300, values: endpoint.targets };
  const health = property(endpoint, "aws/evaluate-target-health");
  const hostedZoneId =
    property(endpoint, "aws/target-hosted-zone") ?? canonicalHostedZone(target, release) ?? sameZone;
  return {
    kind: "alias",
    target: {
      hostedZoneId: hostedZoneId.replace(/^\/hostedzone\//, ""),
      name: decodeName(target) as Fqdn,
      evaluateTargetHealth: health === undefined ? evaluateTargetHealth : health === "true",
    },
  };
}

/** The record set the AWS provider sends for an endpoint (provider/aws/aws.go newChange). */
export function sentRecordSet(
  endpoint: Endpoint,
  { release, evaluateTargetHealth }: Readonly<{ release: Release; evaluateTargetHealth: boolean }>,
): RecordSet {
  const routings = routingsOf(endpoint, release);
  const healthCheckId = property(endpoint, "aws/health-check-id");
  return {
    name: decodeName(endpoint.name) as Fqdn,
    type: endpoint.type,
    ...(endpoint.setIdentifier !== "" && { setIdentifier: endpoint.setIdentifier }),
    routing: routings[0] ?? { policy: "simple" },
    answer: answerOf(endpoint, release, evaluateTargetHealth),
    ...(healthCheckId !== undefined && { healthCheckId }),
    ...(routings.length > 1 && {
      unmodelled: { routingPolicies: routings.map(({ policy }) => policy) },
    }),
  };
}

const policyProperties = [
  "weight",
  "region",
  "failover",
  "geolocation-continent-code",
  "geolocation-country-code",
  "geolocation-subdivision-code",
];

/** UPSERT cannot change these, so the provider deletes and creates (provider/aws/aws.go requiresDeleteCreate). */
export function requiresDeleteCreate(from: Endpoint, to: Endpoint): boolean {
  if (from.type !== to.type || from.setIdentifier !== to.setIdentifier) return true;
  if (from.type === "A" && (property(from, "alias") ?? "") !== (property(to, "alias") ?? "")) return true;
  return policyProperties.some((name) => hasProperty(from, `aws/${name}`) !== hasProperty(to, `aws/${name}`));
}
