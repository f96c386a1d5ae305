import { type Fqdn, isWithin, labelsOf } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { HostedZone } from "../dns/zones.ts";
import type { ZoneListing } from "./evidence.ts";

/** The name without its first `count` labels. */
const above = (name: Fqdn, count: number): Fqdn => labelsOf(name).slice(count).join(".") as Fqdn;

/**
 * The zones that could hold a name: of the public ones those with the longest matching name, and every private one,
 * because inside its VPCs the most specific private zone answers alone.
 */
export function zonesFor(name: Fqdn, zones: readonly HostedZone[]): readonly HostedZone[] {
  const matching = zones.filter((zone) => isWithin(name, zone.name));
  const longest = Math.max(0, ...matching.filter((zone) => !zone.private).map((zone) => zone.name.length));
  return matching.filter((zone) => zone.private || zone.name.length === longest);
}

/** What a listing says around a name: the name itself, delegations above it, the wildcard that could answer for it. */
export function aroundName(name: Fqdn, zone: HostedZone, sets: readonly RecordSet[]): ZoneListing {
  const depth = labelsOf(name).length - labelsOf(zone.name).length;
  const between = Array.from({ length: depth }, (_, i) => above(name, i)).filter(
    (each) => each !== zone.name,
  );
  const names = new Set<string>(sets.map((set) => set.name));
  const existing = (each: Fqdn): boolean =>
    names.has(each) || sets.some((set) => set.name.endsWith(`.${each}`));
  // RFC 4592: only the wildcard below the closest name that exists answers.
  const closest = [...between.slice(1), zone.name].find((each) => each === zone.name || existing(each));
  const wildcards = [...between.slice(1), zone.name].map((each) => `*.${each}` as Fqdn);
  const nearest = wildcards.find((each) => names.has(each));
  const effective = closest === undefined ? undefined : (`*.${closest}` as Fqdn);
  return {
    zone,
    atName: sets.filter((set) => set.name === name),
    delegations: sets.filter((set) => set.type === "NS" && between.includes(set.name)),
    wildcard: sets.filter((set) => set.name === nearest && nearest !== name),
    hasBelow: sets.some((set) => set.name.endsWith(`.${name}`)),
    ...(nearest !== undefined && nearest !== effective && closest !== undefined ? { blocks: closest } : {}),
  };
}
