import type { Json } from "../json.ts";
import { type Fqdn, route53Name } from "./fqdn.ts";

/** Upper case, as Route 53 writes it: `A`, `AAAA`, `CNAME`, `TXT` … */
export type RecordType = string;

export type Coordinates = Readonly<{ latitude: string; longitude: string }>;

/** How Route 53 chooses among the record sets of one name and type (APIReference, ResourceRecordSet). */
export type Routing =
  | Readonly<{ policy: "simple" }>
  | Readonly<{ policy: "weighted"; weight: number }>
  | Readonly<{ policy: "latency"; region: string }>
  | Readonly<{ policy: "failover"; role: "PRIMARY" | "SECONDARY" }>
  | Readonly<{ policy: "multivalue" }>
  | Readonly<{ policy: "geolocation"; continent?: string; country?: string; subdivision?: string }>
  | Readonly<{
      policy: "geoproximity";
      region?: string;
      localZoneGroup?: string;
      coordinates?: Coordinates;
      bias?: number;
    }>
  | Readonly<{ policy: "cidr"; collectionId: string; location: string }>;

export type AliasTarget = Readonly<{ hostedZoneId: string; name: Fqdn; evaluateTargetHealth: boolean }>;

/** Values are exactly as listed (TXT with quotes and escapes): a DELETE has to repeat them byte for byte. */
export type Answer =
  | Readonly<{ kind: "values"; ttl: number; values: readonly string[] }>
  | Readonly<{ kind: "alias"; target: AliasTarget }>;

/** One record set of a zone as Route 53 holds it. */
export type RecordSet = Readonly<{
  name: Fqdn;
  type: RecordType;
  /** Present exactly when the routing is not simple. */
  setIdentifier?: string;
  routing: Routing;
  answer: Answer;
  healthCheckId?: string;
  trafficPolicyInstanceId?: string;
  /** Fields this program does not know, kept so that an undo repeats the record set whole. */
  unmodelled?: Readonly<Record<string, Json>>;
}>;

export const isAlias = (set: RecordSet): boolean => set.answer.kind === "alias";

/** The values of a record set; none for an alias. */
export const valuesOf = (set: RecordSet): readonly string[] =>
  set.answer.kind === "values" ? set.answer.values : [];

/** What tells one record set of a zone from every other. */
export type RecordSetId = Readonly<{ name: Fqdn; type: RecordType; setIdentifier?: string }>;

/** Canonical text of (name, type, set identifier): `*.apps.example.com` A becomes `\052.apps.example.com. A `. */
export const recordSetKey = ({ name, type, setIdentifier }: RecordSetId): string =>
  `${route53Name(name)} ${type} ${setIdentifier ?? ""}`;

const routingFields = (routing: Routing): Readonly<Record<string, Json | undefined>> => {
  switch (routing.policy) {
    case "simple":
      return {};
    case "weighted":
      return { Weight: routing.weight };
    case "latency":
      return { Region: routing.region };
    case "failover":
      return { Failover: routing.role };
    case "multivalue":
      return { MultiValueAnswer: true };
    case "geolocation":
      return {
        GeoLocation: {
          ...(routing.continent !== undefined && { ContinentCode: routing.continent }),
          ...(routing.country !== undefined && { CountryCode: routing.country }),
          ...(routing.subdivision !== undefined && { SubdivisionCode: routing.subdivision }),
        },
      };
    case "geoproximity":
      return {
        GeoProximityLocation: {
          ...(routing.region !== undefined && { AWSRegion: routing.region }),
          ...(routing.localZoneGroup !== undefined && { LocalZoneGroup: routing.localZoneGroup }),
          ...(routing.coordinates && {
            Coordinates: {
              Latitude: routing.coordinates.latitude,
              Longitude: routing.coordinates.longitude,
            },
          }),
          ...(routing.bias !== undefined && { Bias: routing.bias }),
        },
      };
    case "cidr":
      return { CidrRoutingConfig: { CollectionId: routing.collectionId, LocationName: routing.location } };
  }
};

/** The record set as Route 53's API takes and gives it, whole: what a DELETE or an undo repeats. */
export function listedRecordSet(set: RecordSet): Readonly<Record<string, Json>> {
  const { answer } = set;
  return {
    Name: route53Name(set.name),
    Type: set.type,
    ...(set.setIdentifier !== undefined && { SetIdentifier: set.setIdentifier }),
    ...(routingFields(set.routing) as Readonly<Record<string, Json>>),
    ...(answer.kind === "values"
      ? { TTL: answer.ttl, ResourceRecords: answer.values.map((Value) => ({ Value })) }
      : {
          AliasTarget: {
            HostedZoneId: answer.target.hostedZoneId,
            DNSName: route53Name(answer.target.name),
            EvaluateTargetHealth: answer.target.evaluateTargetHealth,
          },
        }),
    ...(set.healthCheckId !== undefined && { HealthCheckId: set.healthCheckId }),
    ...(set.trafficPolicyInstanceId !== undefined && {
      TrafficPolicyInstanceId: set.trafficPolicyInstanceId,
    }),
    ...set.unmodelled,
  };
}
