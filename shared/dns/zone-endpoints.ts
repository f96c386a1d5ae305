import type { Endpoint, ProviderProperty } from "./endpoint.ts";
import type { RecordSet, Routing } from "./record-set.ts";
import { atLeast, type Release } from "./release.ts";

/** Types the AWS provider lists; all others of a zone are invisible to ExternalDNS (provider/recordfilter.go). */
export function isListed(type: string, release: Release): boolean {
  if (["A", "AAAA", "CNAME", "SRV", "TXT", "NS", "MX"].includes(type)) return true;
  if (type === "NAPTR") return atLeast(release, "0.21.0");
  return type === "DNAME" && atLeast(release, "0.22.0");
}

const given = (name: string, value: string | undefined): readonly ProviderProperty[] =>
  value === undefined ? [] : [{ name, value }];

function routingProperties(routing: Routing, release: Release): readonly ProviderProperty[] {
  switch (routing.policy) {
    case "weighted":
      return given("aws/weight", String(routing.weight));
    case "latency":
      return given("aws/region", routing.region);
    case "failover":
      return given("aws/failover", routing.role);
    case "multivalue":
      return given("aws/multi-value-answer", "");
    case "geolocation":
      return routing.continent !== undefined
        ? given("aws/geolocation-continent-code", routing.continent)
        : [
            ...given("aws/geolocation-country-code", routing.country),
            ...given("aws/geolocation-subdivision-code", routing.subdivision),
          ];
    case "geoproximity":
      return atLeast(release, "0.19.0")
        ? [
            ...given("aws/geoproximity-region", routing.region),
            ...given("aws/geoproximity-bias", routing.bias === undefined ? undefined : String(routing.bias)),
            ...given(
              "aws/geoproximity-coordinates",
              routing.coordinates && `${routing.coordinates.latitude},${routing.coordinates.longitude}`,
            ),
            ...given("aws/geoproximity-local-zone-group", routing.localZoneGroup),
          ]
        : [];
    default:
      return [];
  }
}

const keepsDots = (type: string, release: Release): boolean =>
  type === "TXT"
    ? atLeast(release, "0.20.0")
    : type === "NAPTR" || type === "SRV"
      ? atLeast(release, "0.21.0")
      : false;

/** An alias is shown with TTL 300, up to 0.15 always as an A record (provider/aws/aws.go Records). */
export function currentEndpoint(set: RecordSet, release: Release): Endpoint | undefined {
  if (!isListed(set.type, release)) return undefined;
  const { answer } = set;
  const own: readonly ProviderProperty[] =
    answer.kind === "alias"
      ? [
          { name: "aws/evaluate-target-health", value: String(answer.target.evaluateTargetHealth) },
          { name: "alias", value: "true" },
        ]
      : set.type === "CNAME"
        ? [{ name: "alias", value: "false" }]
        : [];
  const properties = [
    ...own,
    ...(set.setIdentifier === undefined ? [] : routingProperties(set.routing, release)),
    ...given("aws/health-check-id", set.healthCheckId),
  ];
  const cleaned = (value: string): string =>
    keepsDots(set.type, release) ? value : value.replace(/\.$/, "");
  return {
    name: set.name,
    type: answer.kind === "alias" && !atLeast(release, "0.16.0") ? "A" : set.type,
    targets: answer.kind === "alias" ? [answer.target.name] : answer.values.map(cleaned),
    ttl: answer.kind === "alias" ? 300 : answer.ttl,
    setIdentifier: set.setIdentifier ?? "",
    labels: {},
    providerSpecific: properties.length === 0 ? undefined : properties,
  };
}
