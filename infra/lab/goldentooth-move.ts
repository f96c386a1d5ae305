import type { Fqdn } from "#shared/dns/fqdn.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { goldentoothBgpPlan } from "#shared/twin/sites/goldentooth-bgp.ts";
import {
  goldentoothDomain,
  goldentoothZone,
  hellholt,
  hellholtZone,
  netRegistry,
  obedientResolver,
  publicResolvers,
} from "#shared/twin/sites/goldentooth-dns.ts";
import type { SitePlan } from "#shared/twin/sites/site-plan.ts";
import { object } from "#shared/twin/sites/stored-object.ts";

/** The move of the story's evening. */
export const move = { from: hellholt as string, to: `services.k8s.${goldentoothDomain}` } as const;

/** cert-manager's issuer of Let's Encrypt, registered, that proves names of the new domain in its zone. */
export const letsEncrypt = object(
  "clusterissuers",
  { name: "letsencrypt-prod" },
  {
    spec: {
      acme: {
        server: "https://acme-v02.api.letsencrypt.org/directory",
        solvers: [
          {
            dns01: { route53: { region: "us-east-1", hostedZoneID: goldentoothZone.id } },
            selector: { dnsZones: [goldentoothDomain as string] },
          },
        ],
      },
    },
    status: {
      conditions: [
        { type: "Ready", status: "True", message: "The ACME account was registered with the ACME server" },
      ],
    },
  },
);

/** The old domain and the new one, both let through by the router unless told otherwise. */
const bothDomains: readonly Fqdn[] = [hellholt, goldentoothDomain];

/**
 * The home lab before the whole evening: BGP carries every address, names are in the old domain, and cert-manager can
 * prove the new one. The router drops private addresses from answers but in `exempt` domains.
 */
export const goldentoothMove = (
  exempt: readonly Fqdn[] = bothDomains,
  plan: SitePlan = goldentoothBgpPlan,
): SiteSpec => {
  const zones = [hellholtZone, goldentoothZone];
  return buildSite({
    ...plan,
    name: "goldentooth-move",
    metallb: { ...plan.metallb, version: "0.16.1" },
    externalDns: { version: "0.21.0", domains: [hellholt], policy: "sync" },
    extra: [...plan.extra, letsEncrypt],
    dns: {
      zones,
      parents: [netRegistry(...zones)],
      resolvers: [{ ...obedientResolver, privateDomains: exempt }, ...publicResolvers],
    },
  });
};
