import { canonicalHostedZone } from "./aws-canonical-zones.ts";
import { type Endpoint, hasProperty, property, withoutProperty, withProperty } from "./endpoint.ts";
import { atLeast, type Release } from "./release.ts";

export type AwsSettings = Readonly<{
  release: Release;
  /** `--aws-prefer-cname`: AWS host names stay CNAMEs. */
  preferCname: boolean;
  /** `--aws-evaluate-target-health`, on unless switched off. */
  evaluateTargetHealth: boolean;
}>;

const health = "aws/evaluate-target-health";

const asAlias = (endpoint: Endpoint, { evaluateTargetHealth }: AwsSettings): Endpoint => {
  const wanted = property(endpoint, health);
  const value = wanted === undefined ? String(evaluateTargetHealth) : String(wanted === "true");
  return withProperty({ ...endpoint, ttl: endpoint.ttl > 0 ? 300 : 0 }, health, value);
};

/** Without a bias of its own a geoproximity record has 0, as Route 53 shows it. */
function withBias(endpoint: Endpoint, { release }: AwsSettings): Endpoint {
  if (endpoint.setIdentifier === "" || !atLeast(release, "0.19.0")) return endpoint;
  const isGeoproximity = ["region", "local-zone-group", "coordinates"].some((key) =>
    hasProperty(endpoint, `aws/geoproximity-${key}`),
  );
  return isGeoproximity && !hasProperty(endpoint, "aws/geoproximity-bias")
    ? withProperty(endpoint, "aws/geoproximity-bias", "0")
    : endpoint;
}

const isAwsHost = (endpoint: Endpoint, { preferCname, release }: AwsSettings): boolean =>
  !preferCname && canonicalHostedZone(endpoint.targets[0] ?? "", release) !== undefined;

function adjustCname(endpoint: Endpoint, settings: AwsSettings): readonly Endpoint[] {
  const said = property(endpoint, "alias");
  if (atLeast(settings.release, "0.22.0") && (said === "A" || said === "AAAA"))
    return [withBias(asAlias({ ...endpoint, type: said }, settings), settings)];
  const alias = said === undefined ? isAwsHost(endpoint, settings) : said === "true";
  const marked = withProperty(endpoint, "alias", String(alias));
  if (!alias) return [withBias(withoutProperty(marked, health), settings)];
  const a = withBias(asAlias({ ...marked, type: "A" }, settings), settings);
  return atLeast(settings.release, "0.16.0") ? [a, { ...a, type: "AAAA" }] : [a];
}

function adjustOther(endpoint: Endpoint, settings: AwsSettings): Endpoint {
  const { release } = settings;
  const alias = property(endpoint, "alias") === "true";
  const canAlias = endpoint.type === "A" || (endpoint.type === "AAAA" && atLeast(release, "0.16.0"));
  if (canAlias && alias) return withBias(asAlias(endpoint, settings), settings);
  // Since 0.22 records of other types pass untouched.
  if (endpoint.type !== "A" && endpoint.type !== "AAAA" && atLeast(release, "0.22.0")) return endpoint;
  const bare = withoutProperty(endpoint, "alias");
  return withBias(alias ? asAlias(bare, settings) : withoutProperty(bare, health), settings);
}

/**
 * Wanted endpoints as the AWS provider shows them in a zone: AWS host names become alias records, A and since 0.16 AAAA
 * (provider/aws/aws.go AdjustEndpoints).
 */
export const adjustEndpoints = (endpoints: readonly Endpoint[], settings: AwsSettings): readonly Endpoint[] =>
  endpoints.flatMap((endpoint) =>
    endpoint.type === "CNAME" ? adjustCname(endpoint, settings) : [adjustOther(endpoint, settings)],
  );
