import { type Endpoint, type ProviderProperty, resourceLabel, suitableType } from "./endpoint.ts";

export type Claim = Readonly<{
  hostname: string;
  targets: readonly string[];
  ttl: number;
  providerSpecific: readonly ProviderProperty[];
  setIdentifier: string;
  resource: string;
}>;

const bytes = (text: string): number =>
  /^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length;

const withoutDot = (text: string): string => text.replace(/\.$/, "");

/**
 * One endpoint a type of target; none at all for a name with a label over 63 bytes (endpoint/utils.go
 * EndpointsForHostname, endpoint.go NewEndpointWithTTL).
 */
export function endpointsForHostname(claim: Claim): readonly Endpoint[] {
  if (claim.hostname.split(".").some((label) => bytes(label) > 63)) return [];
  return (["A", "AAAA", "CNAME"] as const).flatMap((type) => {
    const targets = claim.targets.filter((target) => suitableType(target) === type).map(withoutDot);
    if (targets.length === 0) return [];
    return [
      {
        name: withoutDot(claim.hostname),
        type,
        targets,
        ttl: claim.ttl,
        setIdentifier: claim.setIdentifier,
        labels: { [resourceLabel]: claim.resource },
        providerSpecific: claim.providerSpecific,
      },
    ];
  });
}
