import type { ControllerView } from "../drift/input.ts";
import type { FlagValues } from "./deployment.ts";
import { domainMatcher } from "./domain-filter.ts";
import type { Controller } from "./forecast.ts";
import { decodeName, isWithin } from "./fqdn.ts";
import type { SnapshotContent } from "./snapshot.ts";
import { controllerViews } from "./snapshot-views.ts";
import type { HostedZone } from "./zones.ts";

type Place = Pick<HostedZone, "id" | "name" | "private">;

export type LooksAt =
  | Readonly<{ looks: true; unknown: readonly string[] }>
  | Readonly<{ looks: false; why: string }>;

const values = (flags: FlagValues, name: string): readonly string[] =>
  (flags.get(name) ?? []).filter((value) => value !== "");

const isOn = (flags: FlagValues, name: string): boolean =>
  flags.has(name) && !["false", "0", "f"].includes(flags.get(name)?.at(-1)?.toLowerCase() ?? "");

/**
 * Whether the AWS provider of an ExternalDNS works on a zone: zone type, zone ids and its domain filter decide
 * (provider/aws/aws.go, zones). Tags are not known here, so a tag filter leaves it open and is named.
 */
export function looksAt(
  zone: Place,
  { flags, controller }: Readonly<{ flags: FlagValues; controller: Controller }>,
): LooksAt {
  const [type] = values(flags, "aws-zone-type").slice(-1);
  const own = zone.private ? "private" : "public";
  if (type !== undefined && type !== own)
    return { looks: false, why: `--aws-zone-type=${type}, and the zone is ${own}` };
  const ids = values(flags, "zone-id-filter");
  if (ids.length > 0 && !ids.some((id) => zone.id.endsWith(id.replace(/^.*\//, ""))))
    return { looks: false, why: `--zone-id-filter names ${ids.join(", ")}` };
  const { domainFilter, release } = controller;
  const holdsItsDomains =
    isOn(flags, "aws-zone-match-parent") &&
    domainFilter.include.some((domain) => isWithin(decodeName(domain), zone.name));
  if (!domainMatcher(domainFilter, release)(zone.name) && !holdsItsDomains) {
    const { include, regexInclude } = domainFilter;
    const said = regexInclude === undefined ? `--domain-filter ${include.join(", ")}` : `/${regexInclude}/`;
    return { looks: false, why: `its domain filter (${said}) leaves the zone out` };
  }
  const tags = values(flags, "aws-zone-tags");
  return {
    looks: true,
    unknown: tags.length === 0 ? [] : [`--aws-zone-tags=${tags.join(",")}: tags of zones are not read`],
  };
}

/** The zones of a name that get its record: the longest public one and every private one (suitableZones). */
export function zonesOfName(name: string, zones: readonly Place[]): readonly Place[] {
  const fitting = zones.filter((zone) => isWithin(decodeName(name.trim()), zone.name));
  const longest = fitting
    .filter((zone) => !zone.private)
    .reduce((most, { name: own }) => Math.max(most, own.length), 0);
  return fitting.filter((zone) => zone.private || zone.name.length === longest);
}

export type ZoneViews = Readonly<{
  /** Those that look at the zone, with the endpoints that go there. */
  views: readonly ControllerView[];
  /** Those that do not, and why. */
  others: readonly Readonly<{ name: string; why: string }>[];
}>;

/** Which ExternalDNS of a cluster look at one zone among all zones of the account, and what each wants in it. */
export function zoneViews(content: SnapshotContent, zone: Place, all: readonly Place[]): ZoneViews {
  const views: ControllerView[] = [];
  const others: { name: string; why: string }[] = [];
  controllerViews(content).forEach((view, i) => {
    const flags: FlagValues = new Map(Object.entries(content.controllers[i]?.flags ?? {}));
    const { controller } = view;
    const judged = looksAt(zone, { flags, controller });
    if (!judged.looks) {
      others.push({ name: view.name, why: judged.why });
      return;
    }
    const seen = all.filter((each) => looksAt(each, { flags, controller }).looks);
    const goesHere = (name: string): boolean => {
      const to = zonesOfName(name, seen);
      return to.length === 0 || to.some(({ id }) => id === zone.id);
    };
    views.push({
      ...view,
      wanted: view.wanted.filter(({ name }) => goesHere(name)),
      dropped: view.dropped.filter(({ endpoint }) => goesHere(endpoint.name)),
      unknown: [...view.unknown, ...judged.unknown],
    });
  });
  return { views, others };
}
