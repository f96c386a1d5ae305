import { isPrivateAddress } from "#shared/dns/private-addresses.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";

/** Resolvers that run on a machine of the site; the others are out in the world. */
const isOnSite = ({ machine }: Readonly<{ machine?: string }>): boolean => machine !== undefined;

/** Addresses of the site's own resolvers. */
export const siteResolversOf = ({ dns }: SiteSpec): readonly string[] =>
  (dns?.resolvers ?? []).filter(isOnSite).map(({ ip }) => ip);

/**
 * The config's `dns` for a site of the model. Its name servers exist in the model alone, so a vantage asks them and never
 * the machine the bot runs on. Undefined where the site has no zone.
 */
export function dnsConfigOf({ dns, vantages }: SiteSpec) {
  const zones = dns?.zones.filter((zone) => zone.private !== true) ?? [];
  if (dns === undefined || zones.length === 0) return undefined;
  const outside = dns.resolvers.filter((each) => !isOnSite(each)).map(({ ip }) => ip);
  const publicResolvers = outside.filter((ip) => !isPrivateAddress(ip));
  const [vantage] = vantages.filter(({ clusterNode }) => clusterNode === undefined);
  return {
    zones: zones.map(({ id, name }) => ({ id, name: name as string })),
    publicResolvers,
    ...(vantage === undefined ? {} : { askFrom: vantage.name }),
  };
}
