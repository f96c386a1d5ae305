import { isOwnedBy } from "../dns/endpoint.ts";
import { type Forecast, forecast, registryOf } from "../dns/forecast.ts";
import { decodeName, isWithin } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { readRegistry } from "../dns/registry.ts";
import type { HostedZone } from "../dns/zones.ts";
import type { Json } from "../json.ts";
import type { Block } from "../reply.ts";
import { type DnsView, recordsIn, type SourceLists, wishesOf } from "./dns-view.ts";
import { isOld } from "./move.ts";
import { type Publisher, zonesOfName, zonesSeen } from "./publishers.ts";

/** What one ExternalDNS would do to one zone in its next round. */
export type Foreseen = Readonly<{ publisher: Publisher; zone: HostedZone; forecast: Forecast }>;

/**
 * What every given ExternalDNS would do to each zone it sees, by these objects and its (possibly changed) flags. A
 * private zone that it also sees is among them. Throws FaultError when a zone cannot be listed.
 */
export async function foresee(
  view: DnsView,
  publishers: readonly Publisher[],
  lists: SourceLists = view.lists,
): Promise<readonly Foreseen[]> {
  const found: Foreseen[] = [];
  for (const publisher of publishers) {
    const { read } = publisher;
    if (read === undefined) continue;
    const { endpoints, dropped } = wishesOf(publisher, lists);
    const seen = zonesSeen(publisher, view.zones);
    for (const zone of seen) {
      const recordSets = await recordsIn(view, zone);
      found.push({
        publisher,
        zone,
        forecast: forecast({
          zone: zone.name,
          recordSets,
          wanted: endpoints.filter(({ name }) => zonesOfName(name, seen).includes(zone)),
          dropped,
          controller: read.controller,
        }),
      });
    }
  }
  return found;
}

/** Flags and sources that may change the answer and are not modelled. */
export const notModelled = (publisher: Publisher, lists: SourceLists): readonly string[] => [
  ...(publisher.read?.unknown ?? []),
  ...(publisher.read === undefined ? [] : wishesOf(publisher, lists).unknown),
  ...publisher.hidden.map((name) => `the value of ${name} is hidden`),
];

export type ForeseenChange = Readonly<{
  publisher: string;
  zone: string;
  action: "CREATE" | "UPSERT" | "DELETE";
  name: string;
  type: string;
}>;

export const changesOf = (foreseen: readonly Foreseen[]): readonly ForeseenChange[] =>
  foreseen
    .flatMap(({ publisher, zone, forecast: { changes } }) =>
      changes.map(({ action, set }) => ({
        publisher: publisher.name,
        zone: zone.name,
        action,
        name: set.name,
        type: set.type,
      })),
    )
    .toSorted((a, b) => (changeLine(a) < changeLine(b) ? -1 : 1));

export const changeLine = ({ action, name, type, publisher }: ForeseenChange): string =>
  `${action.padEnd(6)} ${name} ${type}  (${publisher})`;

/** In the digest: what will be written to the zones is part of what is approved. */
export const changesJson = (changes: readonly ForeseenChange[]): Json =>
  changes.map((change) => `${change.action} ${change.name} ${change.type} ${change.publisher}`);

export const changesBlock = (title: string, changes: readonly ForeseenChange[]): readonly Block[] =>
  changes.length === 0 ? [] : [{ kind: "evidence", title, lines: changes.map(changeLine) }];

/** What ExternalDNS of ours holds in the old domain. */
export type Left = Readonly<{
  /** Records whose ownership names one of ours; of one that keeps no ownership, those of names that were surveyed. */
  records: readonly Readonly<{ name: string; type: string; ttl: number; publisher: string }>[];
  /** Ownership texts of ours, at a record or left alone. */
  texts: readonly string[];
  /** ExternalDNS that keep no ownership and whose names nobody surveyed: what is theirs cannot be told. */
  untold: readonly string[];
}>;

const ttlOf = (sets: readonly RecordSet[], name: string, type: string): number => {
  const set = sets.find((each) => each.name === decodeName(name) && each.type === type);
  return set?.answer.kind === "values" ? set.answer.ttl : 60;
};

/**
 * Records and ownership texts of ours in the old domain, as the zone lists them. `surveyed` are names that were published
 * when the run began: with `--registry=noop` only they tell what ExternalDNS wrote. Throws FaultError.
 */
export async function leftInOldDomain(
  view: DnsView,
  publishers: readonly Publisher[],
  surveyed: readonly string[] = [],
): Promise<Left> {
  const sets = await recordsIn(view, view.oldZone);
  const records = new Map<string, Left["records"][number]>();
  const texts = new Set<string>();
  const untold = new Set<string>();
  for (const { name: publisher, read } of publishers) {
    if (read === undefined) continue;
    const { owner } = read.controller;
    const registry = registryOf(read.controller);
    if (owner === "") {
      if (surveyed.length === 0) untold.add(publisher);
      for (const { name, type } of sets)
        if (surveyed.includes(name) && registry.isManaged(type))
          records.set(`${name} ${type}`, { name, type, ttl: ttlOf(sets, name, type), publisher });
      continue;
    }
    const { endpoints, ownership } = readRegistry(sets, registry);
    for (const endpoint of endpoints)
      if (isOwnedBy(endpoint, owner) && isOld(endpoint.name, view.move))
        records.set(`${endpoint.name} ${endpoint.type} ${endpoint.setIdentifier}`, {
          name: decodeName(endpoint.name),
          type: endpoint.type,
          ttl: ttlOf(sets, endpoint.name, endpoint.type),
          publisher,
        });
    for (const { set, labels } of ownership)
      if (labels.owner === owner && isWithin(set.name, view.move.from)) texts.add(set.name);
  }
  return {
    records: [...records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    texts: [...texts].sort(),
    untold: [...untold],
  };
}
