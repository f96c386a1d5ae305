import { fqdn } from "#shared/dns/fqdn.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { MigrationConfig } from "#shared/site/site.ts";
import type { ResolverSpec } from "#shared/twin/resolvers.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import {
  goldentoothZone,
  hellholtZone,
  netRegistry,
  obedientResolver,
  publicResolvers,
} from "#shared/twin/sites/goldentooth-dns.ts";
import { publishedZones } from "#shared/twin/sites/published-zones.ts";
import type { SitePlan } from "#shared/twin/sites/site-plan.ts";
import { bgpPlan } from "../steps/bgp-sites.ts";
import { type Drive, drive, type Given } from "../steps/drive.ts";

export const move = { from: "hellholt.net", to: "services.k8s.goldentooth.net" } as const;

export type DnsSite = Readonly<{
  release?: string;
  policy?: "sync" | "upsert-only";
  resolver?: ResolverSpec;
  /** Annotations are under the prefix that 0.22 reads. */
  newPrefix?: boolean;
  services?: (services: SitePlan["services"]) => SitePlan["services"];
}>;

const legacy = "external-dns.alpha.kubernetes.io/";

/** The home lab in the old domain; its router lets private addresses of the new one through. */
export function dnsSite(
  {
    release = "0.17.0",
    policy = "sync",
    resolver = obedientResolver,
    newPrefix = false,
    services,
  }: DnsSite = {},
  ...faults: readonly SiteFault[]
): SiteSpec {
  const zones = [hellholtZone, goldentoothZone];
  const built = buildSite({
    ...bgpPlan,
    ...(services === undefined ? {} : { services: services(bgpPlan.services) }),
    externalDns: { version: release, domains: ["hellholt.net"], policy },
    dns: { zones, parents: [netRegistry(...zones)], resolvers: [resolver, ...publicResolvers] },
  });
  const renamed: SiteSpec = newPrefix
    ? { ...built, objects: built.objects.map((each) => ({ ...each, object: withNewPrefix(each.object) })) }
    : built;
  const spec = faults.reduce((now, fault) => fault(now), renamed);
  // What each ExternalDNS has published by now, changed objects included.
  return {
    ...spec,
    dns: { ...spec.dns, zones: publishedZones(zones, spec.objects) } as NonNullable<SiteSpec["dns"]>,
  };
}

const withNewPrefix = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    annotations: Object.fromEntries(
      Object.entries(object.metadata.annotations ?? {}).map(([key, value]) => [
        key.startsWith(legacy) ? `external-dns.kubernetes.io/${key.slice(legacy.length)}` : key,
        value,
      ]),
    ),
  },
});

/** Quiet for ten minutes instead of a day. */
export const quiet: Partial<MigrationConfig> = { quietSeconds: 600 };

/** Steps over a site with zones; `--from` and `--to` as {@link move} has them. */
export const driveDns = (spec: SiteSpec, more: Partial<Given> = {}): Drive =>
  drive({
    spec,
    ...more,
    inputs: { ...move, ...more.inputs },
    migration: { ...quiet, ...more.migration },
    around: (ports, twin) => {
      const withZones = { ...ports, zones: twin.zones.read };
      return more.around?.(withZones, twin) ?? withZones;
    },
  });

/** Goes forward, waiting on the virtual clock as a run would, until the step ends. */
export async function through(at: Drive, id: string, waits = 60) {
  for (let i = 0; i < waits; i++) {
    const came = await at.forward(id);
    const until = came.verified?.until;
    if (came.outcome !== "waiting" || until === undefined) return came;
    await at.on(({ ports: { clock } }) => clock.sleep(Math.max(1, until - clock.now())));
  }
  throw new Error(`${id} still waits`);
}

/** Lets the virtual time pass in which ExternalDNS has its rounds. */
export const pass = (at: Drive, ms: number): Promise<void> =>
  at.on(({ ports: { clock } }) => clock.sleep(ms));

export const annotationOf = (at: Drive, kind: ResourceKind, namespace: string, name: string, key: string) =>
  at.twin.store.get(kind, namespace, name)?.metadata.annotations?.[key];

export const argsOf = (at: Drive, name = "external-dns", namespace = "external-dns"): readonly string[] => {
  const spec = at.twin.store.get("deployments", namespace, name)?.spec as {
    template: { spec: { containers: readonly { args?: readonly string[] }[] } };
  };
  return spec.template.spec.containers[0]?.args ?? [];
};

/** Names of a zone that hold records of this type. */
export const namesIn = (at: Drive, zone: string, type = "A"): readonly string[] =>
  at.twin.zones
    .recordSets(zone)
    .filter((set) => set.type === type)
    .map(({ name }) => name as string);

export const hellholtId = hellholtZone.id;
export const goldentoothId = goldentoothZone.id;
export const newDomain = fqdn("goldentooth.net");
