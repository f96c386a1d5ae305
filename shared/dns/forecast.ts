import { adjustEndpoints } from "./aws-adjust.ts";
import { type Batches, type BatchLimits, batchChanges, defaultBatchLimits, groups } from "./aws-batch.ts";
import type { AwsChange } from "./aws-change.ts";
import { type DomainFilter, domainMatcher, noDomainFilter } from "./domain-filter.ts";
import { type Endpoint, ownerOf, property, sortTargets } from "./endpoint.ts";
import { decodeName, type Fqdn, isWithin } from "./fqdn.ts";
import type { AesKey } from "./ownership-encryption.ts";
import type { OwnershipFlags } from "./ownership-written.ts";
import { type Changes, type PlanConfig, planRows, rowsOf } from "./plan.ts";
import type { Policy } from "./policy.ts";
import type { RecordSet } from "./record-set.ts";
import { crashingTxts, type Registry, type RegistryRead, readRegistry } from "./registry.ts";
import { providerChanges, unpairedUpdates } from "./registry-write.ts";
import { atLeast, ownershipRules, type Release } from "./release.ts";
import { type Refusal, zoneModel } from "./route53-judge.ts";
import { type Silent, silentRows } from "./silent.ts";
import type { Dropped } from "./wanted.ts";

/** One running ExternalDNS with the AWS provider and the TXT registry, as far as its flags decide what it does. */
export type Controller = Readonly<{
  release: Release;
  policy: Policy;
  /** Empty stands for `--registry=noop`: no ownership is read or written, and everything managed is touched. */
  owner: string;
  managedTypes: readonly string[];
  excludedTypes: readonly string[];
  domainFilter: DomainFilter;
  ownership: OwnershipFlags;
  key: AesKey | undefined;
  migrateFromOwner: string | undefined;
  preferCname: boolean;
  evaluateTargetHealth: boolean;
  batch: BatchLimits;
}>;

/** A release with nothing but owner and policy set. */
export const defaultController = (release: Release, policy: Policy, owner: string): Controller => ({
  release,
  policy,
  owner,
  managedTypes: atLeast(release, "0.13.5") ? ["A", "AAAA", "CNAME"] : ["A", "CNAME"],
  excludedTypes: [],
  domainFilter: noDomainFilter,
  ownership: {},
  key: undefined,
  migrateFromOwner: undefined,
  preferCname: false,
  evaluateTargetHealth: true,
  batch: defaultBatchLimits,
});

export type ForecastInput = Readonly<{
  zone: Fqdn;
  recordSets: readonly RecordSet[];
  wanted: readonly Endpoint[];
  /** What objects ask for in vain, told among what is never fixed. */
  dropped: readonly Dropped[];
  controller: Controller;
}>;

export type Forecast = Readonly<{
  /** In the order they are sent, those outside the zone left out as the AWS provider does. */
  changes: readonly AwsChange[];
  /** `null` when nothing is sent. */
  accepted: boolean | null;
  refused: readonly Refusal[];
  silent: readonly Silent[];
  unknown: readonly string[];
  /** The zone after ExternalDNS's first round: what was refused as a whole is retried group by group. */
  after: readonly RecordSet[];
  plan: Changes;
  /** What the registry read of the zone, and the wanted endpoints as the provider shows them. */
  read: RegistryRead;
  wanted: readonly Endpoint[];
}>;

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

/**
 * Upstream compares updates as Go structures, an absent list unlike an empty one, and sends nothing when all are equal
 * (plan/plan.go HasChanges). So a migrated owner may never be written (issue 6671).
 */
function isSame(a: Endpoint, b: Endpoint): boolean {
  const properties = (endpoint: Endpoint): readonly string[] =>
    (endpoint.providerSpecific ?? []).map(({ name, value }) => `${name}=${value}`).sort();
  const labels = (endpoint: Endpoint): readonly string[] =>
    Object.entries(endpoint.labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort();
  return (
    a.name === b.name &&
    a.ttl === b.ttl &&
    (a.providerSpecific === undefined) === (b.providerSpecific === undefined) &&
    sameList(sortTargets(a.targets), sortTargets(b.targets)) &&
    sameList(labels(a), labels(b)) &&
    sameList(properties(a), properties(b))
  );
}

const hasChanges = (changes: Changes): boolean =>
  changes.create.length > 0 ||
  changes.delete.length > 0 ||
  changes.update.some(({ from, to }) => !isSame(from, to));

const noChanges: Pick<Changes, "create" | "update" | "delete"> = { create: [], update: [], delete: [] };

export const registryOf = (controller: Controller): Registry => ({
  owner: controller.owner,
  release: controller.release,
  rules: ownershipRules(controller.release),
  flags: controller.ownership,
  key: controller.key,
  migrateFromOwner: controller.migrateFromOwner,
  isManaged: (type) => controller.managedTypes.includes(type) && !controller.excludedTypes.includes(type),
});

/** Which names this ExternalDNS looks at: its own filter and that of the provider, the zones it has. */
export function visibleNames(controller: Controller, zone: Fqdn): (name: string) => boolean {
  const filter = domainMatcher(controller.domainFilter, controller.release);
  return (name) => isWithin(decodeName(name.trim()), zone) && filter(name);
}

/** All that Route 53 looks at to judge the batches: names that change, and what aliases point to. */
const touchedNames = (batches: Batches["batches"]): ReadonlySet<string> =>
  new Set(
    batches.flatMap((batch) =>
      batch.flatMap(({ set }) =>
        set.answer.kind === "alias" ? [set.name, set.answer.target.name] : [set.name],
      ),
    ),
  );

function judge(
  { batches, tooLarge }: Batches,
  recordSets: readonly RecordSet[],
  zone: Fqdn,
): Readonly<{ refused: readonly Refusal[]; after: readonly RecordSet[] }> {
  if (batches.length === 0 && tooLarge.length === 0) return { refused: [], after: recordSets };
  const names = touchedNames(batches);
  const model = zoneModel(
    recordSets.filter(({ name }) => names.has(name)),
    zone,
  );
  const refused: Refusal[] = tooLarge.flatMap((group) =>
    group.map((change) => ({
      change,
      why: `everything at ${change.group} is over the batch limits, so ExternalDNS leaves it out`,
    })),
  );
  for (const batch of batches) {
    const wrong = model.apply(batch);
    if (wrong.length === 0) continue;
    const parts = groups(batch);
    // One group alone is not tried again; several are, one by one.
    if (parts.length === 1) refused.push(...wrong);
    else for (const part of parts) refused.push(...model.apply(part));
    if (parts.length > 1 && refused.length === 0) refused.push(...wrong);
  }
  return { refused, after: [...recordSets.filter(({ name }) => !names.has(name)), ...model.recordSets()] };
}

function unknowns(
  { controller, recordSets }: ForecastInput,
  adjusted: readonly Endpoint[],
): readonly string[] {
  const { release } = controller;
  const out: string[] = [];
  const aliases = [
    ...recordSets.filter(({ answer }) => answer.kind === "alias"),
    ...adjusted.filter(({ providerSpecific }) =>
      providerSpecific?.some(({ name, value }) => name === "alias" && value === "true"),
    ),
  ];
  if (aliases.length > 0 && !atLeast(release, "0.16.0"))
    out.push(`alias records before 0.16: the AAAA twin depends on a label ${release.text} keeps in memory`);
  const pinned = adjusted.filter(({ providerSpecific }) =>
    providerSpecific?.some(({ name }) => name === "aws/hosted-zone-id"),
  );
  if (pinned.length > 0 && atLeast(release, "0.22.0"))
    out.push(`aws/hosted-zone-id on ${pinned.length} endpoints: this zone's id is not known here`);
  return out;
}

/**
 * From 0.16 to 0.20 the twins of an alias share their labels in memory: where A and AAAA have different owners, the one
 * that Go's map yields last decides for both.
 */
function sharedLabels({ update }: Changes, read: RegistryRead, release: Release): readonly string[] {
  if (!atLeast(release, "0.16.0") || atLeast(release, "0.21.0")) return [];
  const aliases = update.filter(({ to }) => property(to, "alias") === "true");
  if (aliases.length === 0) return [];
  const byName = Map.groupBy(read.endpoints, ({ name }) => name);
  return aliases
    .filter(({ from, to }) =>
      byName
        .get(from.name)
        ?.some(
          (twin) =>
            twin.type === (to.type === "A" ? "AAAA" : "A") &&
            twin.setIdentifier === from.setIdentifier &&
            ownerOf(twin) !== ownerOf(from),
        ),
    )
    .map(
      ({ to }) =>
        `${to.name}: A and AAAA of an alias with different owners; ${release.text} decides by chance`,
    );
}

/**
 * What ExternalDNS would do to a zone in its next round: the planner over what the registry reads, the AWS provider's
 * changes with the ownership TXTs of the release, what Route 53 would refuse of them, and what stays wrong in silence.
 * Exact for 0.14 to 0.22 within what docs/dns-forecast.md lists; the rest is named in `unknown`.
 */
export function forecast(input: ForecastInput): Forecast {
  const { controller, zone, recordSets } = input;
  const registry = registryOf(controller);
  const read: RegistryRead = readRegistry(recordSets, registry);
  const aws = {
    release: controller.release,
    preferCname: controller.preferCname,
    evaluateTargetHealth: controller.evaluateTargetHealth,
  };
  const wanted = adjustEndpoints(input.wanted, aws);
  const matches = visibleNames(controller, zone);
  const config: PlanConfig = {
    ownerId: controller.owner,
    policy: controller.policy,
    managedTypes: controller.managedTypes,
    excludedTypes: controller.excludedTypes,
    matches,
    migrateFromOwner: atLeast(controller.release, "0.20.0") ? controller.migrateFromOwner : undefined,
  };
  const rows = rowsOf(read.endpoints, wanted, config);
  const planned = planRows(rows, config);
  const unpaired = unpairedUpdates(planned, registry);
  const runs = crashingTxts(read, registry).length === 0 && unpaired.length === 0;
  const plan = runs && hasChanges(planned) ? planned : { ...planned, ...noChanges };
  const sent = providerChanges(plan, registry, aws, { txts: read.txts, taken: read.txts });
  const inZone = sent.filter(({ set }) => isWithin(set.name, zone));
  const batches = batchChanges(inZone, controller.batch);
  const { refused, after } = judge(batches, recordSets, zone);
  const changes = batches.batches.flat();
  return {
    changes,
    accepted: inZone.length === 0 ? null : refused.length === 0,
    refused,
    silent: silentRows({
      zone,
      policy: controller.policy,
      registry,
      read,
      rows,
      dropped: input.dropped,
      plan,
      unpaired,
      matches,
    }),
    unknown: [...unknowns(input, wanted), ...sharedLabels(planned, read, controller.release)],
    after,
    plan,
    read,
    wanted,
  };
}
