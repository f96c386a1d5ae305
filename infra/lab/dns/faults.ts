import { type Fqdn, fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { DelegationSpec, ResolverSpec } from "#shared/twin/resolvers.ts";
import type { SiteDnsSpec } from "#shared/twin/site-spec.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";

const onDns =
  (change: (dns: SiteDnsSpec) => Partial<SiteDnsSpec>): SiteFault =>
  (spec) => {
    if (spec.dns === undefined) throw new Error(`${spec.name} has no zone`);
    return { ...spec, dns: { ...spec.dns, ...change(spec.dns) } };
  };

export const record = (type: string, name: string, ttl: number, ...values: readonly string[]): RecordSet => ({
  name: fqdn(name),
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl, values },
});

/** Changes zones as the lists they are. */
export const onZones = (change: (zones: SiteDnsSpec["zones"]) => SiteDnsSpec["zones"]): SiteFault =>
  onDns(({ zones }) => ({ zones: change(zones) }));

/** Changes the record sets of every zone. */
export const onRecords = (change: (sets: readonly RecordSet[]) => readonly RecordSet[]): SiteFault =>
  onZones((zones) => zones.map((zone) => ({ ...zone, recordSets: change(zone.recordSets) })));

export const withRecords = (...sets: readonly RecordSet[]): SiteFault =>
  onRecords((all) => [
    ...all.filter((each) => !sets.some((set) => set.name === each.name && set.type === each.type)),
    ...sets,
  ]);

/** Without the name's records and the ownership texts that speak of it (`a-NAME`). */
export const withoutName = (name: string): SiteFault =>
  onRecords((sets) => sets.filter((set) => ![name, `a-${name}`].includes(set.name)));

/** What the registry says about a zone; undefined: nothing. */
export const delegated = (
  zone: Fqdn,
  change: (delegation: DelegationSpec) => DelegationSpec | undefined,
): SiteFault =>
  onDns(({ parents }) => ({
    parents: parents.map((parent) => ({
      ...parent,
      delegations: parent.delegations.flatMap((each) =>
        each.zone === zone ? [change(each)].filter((changed) => changed !== undefined) : [each],
      ),
    })),
  }));

/** Servers somewhere else that answer for a zone of this name and know nothing below it. */
export const answeredElsewhere = (zone: Fqdn, servers: DelegationSpec["servers"]): SiteFault =>
  onDns(({ parents }) => ({ parents: [...parents, { zone, servers, delegations: [] }] }));

/** Changes the habits of a resolver. */
export const resolver = (name: string, habits: Partial<ResolverSpec>): SiteFault =>
  onDns(({ resolvers }) => ({
    resolvers: resolvers.map((each) => (each.name === name ? { ...each, ...habits } : each)),
  }));

export const anotherResolver = (added: ResolverSpec): SiteFault =>
  onDns(({ resolvers }) => ({ resolvers: [...resolvers, added] }));

/** A change reaches the last name server after so long, milliseconds. */
export const slowChanges = (propagationMs: number): SiteFault => onDns(() => ({ propagationMs }));

type Container = Readonly<{ name: string; image?: string; args?: readonly string[] }>;
type WithContainers = Readonly<{
  template?: Readonly<{ spec?: Readonly<{ containers?: readonly Container[] }> }>;
  containers?: readonly Container[];
}>;

/** Changes the container of the site's ExternalDNS, in its Deployment and its pod. */
export const externalDns =
  (change: (container: Container) => Container): SiteFault =>
  (spec) => ({
    ...spec,
    objects: spec.objects.map((each) => {
      const object: KubeObject = each.object;
      const { template, containers } = (object.spec ?? {}) as WithContainers;
      const isIt = object.metadata.labels?.["app.kubernetes.io/name"] === "external-dns";
      if (!isIt) return each;
      const changed = containers
        ? { containers: containers.map(change) }
        : {
            template: {
              ...template,
              spec: { ...template?.spec, containers: template?.spec?.containers?.map(change) },
            },
          };
      return { ...each, object: { ...object, spec: { ...(object.spec as object), ...changed } } };
    }),
  });

/** Another release, as after an upgrade: zones keep what the one before has written. */
export const externalDnsRelease = (release: string): SiteFault =>
  externalDns((container) => ({
    ...container,
    image: container.image?.replace(/:v[^:]*$/, `:v${release}`) ?? "",
  }));

/** Arguments added; those of the same flag go. */
export const externalDnsArguments = (...added: readonly string[]): SiteFault =>
  externalDns((container) => ({
    ...container,
    args: [
      ...(container.args ?? []).filter(
        (each) => !added.some((one) => one.split("=")[0] === each.split("=")[0]),
      ),
      ...added,
    ],
  }));
