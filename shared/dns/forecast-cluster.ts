import { type Fault, FaultError, isFault } from "../fault.ts";
import type { Listed } from "../kubernetes/read.ts";
import { clusterSources, nameOf, type WishKind } from "./cluster-wishes.ts";
import { readController } from "./controller-flags.ts";
import { type FlagValues, readDeployment } from "./deployment.ts";
import { type Controller, type Forecast, forecast } from "./forecast.ts";
import { imageTag, parseRelease, type Release } from "./release.ts";
import { isOrphan } from "./silent.ts";
import type { SourceObjects } from "./source-objects.ts";
import { wantedEndpoints } from "./wanted.ts";
import { looksAt, zonesOfName } from "./zone-views.ts";
import type { HostedZone, ReadZones } from "./zones.ts";

export type ZoneForecast = Readonly<{ zone: HostedZone; forecast: Forecast; orphans: number }>;

/** What one ExternalDNS of the cluster would do, were it of another release. */
export type ControllerForecast = Readonly<{
  /** `namespace/name` of the Deployment. */
  name: string;
  image: string;
  flags: FlagValues;
  controller: Controller;
  annotationPrefix: string;
  zones: readonly ZoneForecast[];
  /** Configured zones it does not look at, and why. */
  others: readonly Readonly<{ zone: HostedZone; why: string }>[];
  /** Objects annotated under a prefix that the release does not read, by that prefix. */
  ignored: ReadonlyMap<string, number>;
  unknown: readonly string[];
  /** What it would not start with: then it does nothing at all. */
  problems: readonly string[];
}>;

export type ClusterForecast = Readonly<{
  release: Release;
  controllers: readonly ControllerForecast[];
  /** What could not be read; the forecast may then miss it. */
  faults: readonly Fault[];
}>;

export type ForecastRequest = Readonly<{
  release: Release;
  /** Instead of the one each Deployment has. */
  policy?: string;
}>;

/** Orphans, each once: what this ExternalDNS means and would never touch (again). */
export const orphanCount = ({ silent }: Forecast): number =>
  new Set(silent.filter(isOrphan).map(({ name, type, setIdentifier }) => `${name} ${type} ${setIdentifier}`))
    .size;

type ZoneSide = Readonly<{
  all: readonly HostedZone[];
  listed: readonly Readonly<{ zone: HostedZone; recordSets: Awaited<ReturnType<ReadZones["recordSets"]>> }>[];
}>;

function forecastOne(
  found: Readonly<{ name: string; image: string; flags: FlagValues; hidden: readonly string[] }>,
  objects: SourceObjects,
  { all, listed }: ZoneSide,
  { release, policy }: ForecastRequest,
): ControllerForecast {
  const flags: FlagValues =
    policy === undefined ? found.flags : new Map([...found.flags, ["policy", [policy]]]);
  const { controller, settings, unknown, problems } = readController(flags, release);
  const wanted = wantedEndpoints(objects, settings);
  const seen = all.filter((zone) => looksAt(zone, { flags, controller }).looks);
  const zones: ZoneForecast[] = [];
  const others: { zone: HostedZone; why: string }[] = [];
  const open = new Set<string>([...unknown, ...wanted.unknown, ...found.hidden.map((name) => `env ${name}`)]);
  for (const { zone, recordSets } of listed) {
    const judged = looksAt(zone, { flags, controller });
    if (!judged.looks) {
      others.push({ zone, why: judged.why });
      continue;
    }
    const goesHere = (name: string): boolean => {
      const to = zonesOfName(name, seen);
      return to.length === 0 || to.some(({ id }) => id === zone.id);
    };
    for (const what of judged.unknown) open.add(what);
    if (problems.length > 0) continue;
    const result = forecast({
      zone: zone.name,
      recordSets,
      wanted: wanted.endpoints.filter(({ name }) => goesHere(name)),
      dropped: wanted.dropped.filter(({ endpoint }) => goesHere(endpoint.name)),
      controller,
    });
    for (const what of result.unknown) open.add(what);
    zones.push({ zone, forecast: result, orphans: orphanCount(result) });
  }
  const ignored = new Map<string, number>();
  for (const { ignoredPrefix } of wanted.dropped)
    if (ignoredPrefix !== undefined) ignored.set(ignoredPrefix, (ignored.get(ignoredPrefix) ?? 0) + 1);
  return {
    name: found.name,
    image: found.image,
    flags,
    controller,
    annotationPrefix: settings.annotationPrefix,
    zones,
    others,
    ignored,
    unknown: [...open],
    problems,
  };
}

/**
 * What every ExternalDNS of a cluster would do in its zones, were it of a given release. Each configured zone is listed
 * once. Throws FaultError when a zone could not be read: half of a zone is no ground for a forecast.
 */
export async function forecastCluster(
  lists: Readonly<Record<WishKind, Listed>>,
  zones: ReadZones,
  ids: readonly string[],
  request: ForecastRequest,
  signal?: AbortSignal,
): Promise<ClusterForecast> {
  const { deployments, read, faults } = clusterSources(lists);
  if (isFault(lists.deployments)) throw new FaultError(lists.deployments);
  const all = await zones.zones();
  const listed: ZoneSide["listed"][number][] = [];
  for (const id of ids) {
    const zone = all.find((each) => each.id === id);
    if (zone === undefined)
      throw new FaultError({
        kind: "not-configured",
        what: `zone ${id}`,
        detail: "the account has no such zone",
      });
    listed.push({ zone, recordSets: await zones.recordSets(id, signal) });
  }
  const broken: Fault[] = [];
  const controllers = deployments.flatMap((deployment): readonly ControllerForecast[] => {
    const found = readDeployment(JSON.stringify({ kind: "Deployment", ...deployment }));
    if (!found.ok) {
      broken.push({ kind: "unreadable", what: nameOf(deployment), detail: found.problems.join("; ") });
      return [];
    }
    return read.ok
      ? [forecastOne({ ...found, name: nameOf(deployment) }, read.objects, { all, listed }, request)]
      : [];
  });
  return {
    release: request.release,
    controllers,
    faults: [
      ...broken,
      ...faults.map(({ source, kind, detail }) => ({
        kind: kind as Fault["kind"],
        what: `list of ${source}`,
        detail,
      })),
    ],
  };
}

/** The release a Deployment's image names now. */
export const runningRelease = ({ image }: Pick<ControllerForecast, "image">): Release | undefined => {
  const tag = imageTag(image);
  return tag === undefined ? undefined : parseRelease(tag);
};
