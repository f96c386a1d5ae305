import { type Endpoint, ownerLabel, ownerOf, property, withLabels, withProperty } from "./endpoint.ts";
import { decodeName } from "./fqdn.ts";
import { type AesKey, readOwnershipText } from "./ownership-encryption.ts";
import { crashesReader, type Reading, readTxtName } from "./ownership-name.ts";
import type { Labels } from "./ownership-text.ts";
import {
  type MatchType,
  matchName,
  matchTypeOf,
  matchTypesFor,
  type OwnableRecord,
  type OwnershipFlags,
  writtenTxts,
} from "./ownership-written.ts";
import { type RecordSet, valuesOf } from "./record-set.ts";
import type { OwnershipRules, Release } from "./release.ts";
import { currentEndpoint } from "./zone-endpoints.ts";

/** The TXT registry of one running ExternalDNS. An empty owner is `--registry=noop`: no ownership is kept at all. */
export type Registry = Readonly<{
  owner: string;
  release: Release;
  rules: OwnershipRules;
  flags: OwnershipFlags;
  key: AesKey | undefined;
  migrateFromOwner: string | undefined;
  isManaged: (type: string) => boolean;
}>;

/** One ownership TXT of the zone: its labels, and what record the release takes it for. */
export type OwnershipRecord = Readonly<{
  set: RecordSet;
  labels: Labels;
  reading: Reading | undefined;
}>;

export type RegistryRead = Readonly<{
  /** Every record the planner may see, with the labels of its owner. */
  endpoints: readonly Endpoint[];
  ownership: readonly OwnershipRecord[];
  /** Ownership TXTs by name and set identifier (`txtKey`): where one stands, none is created (since 0.19). */
  txts: ReadonlyMap<string, OwnershipRecord>;
  /** Records at a name, in the form in which an ownership TXT is read for it (`Reading`). */
  named: (name: string) => readonly Endpoint[];
}>;

/** How the planner learns that an ownership TXT is missing; it then writes record and TXT once. */
export const forceUpdate = "txt/force-update";

export const txtKey = (name: string, setIdentifier: string): string => `${decodeName(name)} ${setIdentifier}`;

export const ownable = (endpoint: Endpoint): OwnableRecord => ({
  name: endpoint.name,
  type: endpoint.type,
  alias: property(endpoint, "alias") === "true",
});

/** The old owner is rewritten in memory, nowhere else (registry/txt Records). */
const migrated = (endpoint: Endpoint, { migrateFromOwner, owner }: Registry): Endpoint =>
  migrateFromOwner && ownerOf(endpoint) === migrateFromOwner
    ? withLabels(endpoint, { [ownerLabel]: owner })
    : endpoint;

/** Ownership TXTs whose names make the release panic (a suffix with dots, before 0.22). */
export const crashingTxts = (
  { ownership }: RegistryRead,
  { flags, rules }: Registry,
): readonly OwnershipRecord[] => ownership.filter(({ set }) => crashesReader(set.name, flags, rules));

/** What is said of one name by the ownership TXTs read for it, and the records that have it. */
type Told = {
  claims: { type: MatchType; setIdentifier: string; labels: Labels }[];
  records: Endpoint[];
};

function labelsFor(endpoint: Endpoint, { claims }: Told, { rules }: Registry): Labels | undefined {
  for (const type of matchTypesFor(ownable(endpoint), rules)) {
    const found = claims.findLast(
      (each) => each.type === type && each.setIdentifier === endpoint.setIdentifier,
    );
    if (found) return found.labels;
  }
  return undefined;
}

/** What ExternalDNS reads from a zone: records with their owners, ownership TXTs taken out. */
export function readRegistry(recordSets: readonly RecordSet[], registry: Registry): RegistryRead {
  const { flags, rules, owner, key } = registry;
  const ordinary: Endpoint[] = [];
  const ownership: OwnershipRecord[] = [];
  const txts = new Map<string, OwnershipRecord>();
  const names = new Set<string>();
  const told = new Map<string, Told>();
  for (const set of recordSets) {
    const value = owner !== "" && set.type === "TXT" ? valuesOf(set)[0] : undefined;
    const labels = value === undefined ? undefined : readOwnershipText(value, key, rules);
    if (labels === undefined) {
      const endpoint = currentEndpoint(set, registry.release);
      if (endpoint) ordinary.push(endpoint);
      continue;
    }
    const setIdentifier = set.setIdentifier ?? "";
    const reading = readTxtName(set.name, flags, rules);
    const txt = { set, labels, reading };
    ownership.push(txt);
    txts.set(txtKey(set.name, setIdentifier), txt);
    names.add(decodeName(set.name));
    if (reading === undefined) continue;
    const claim = { type: matchTypeOf(reading, rules), setIdentifier, labels };
    const known = told.get(reading.name);
    if (known) known.claims.push(claim);
    else told.set(reading.name, { claims: [claim], records: [] });
  }

  const withOwner = (endpoint: Endpoint, labels: Labels): Endpoint => {
    const owned = migrated(withLabels(endpoint, labels), registry);
    if (ownerOf(owned) !== owner || !registry.isManaged(owned.type)) return owned;
    const missing = writtenTxts(ownable(owned), flags, rules).some(
      ({ name }) => !names.has(decodeName(name)),
    );
    return missing ? withProperty(owned, forceUpdate, "true") : owned;
  };
  const endpoints =
    told.size === 0
      ? ordinary
      : ordinary.map((endpoint) => {
          const there = told.get(matchName(endpoint.name, flags));
          if (there === undefined) return endpoint;
          const labels = labelsFor(endpoint, there, registry);
          const read = labels === undefined ? endpoint : withOwner(endpoint, labels);
          there.records.push(read);
          return read;
        });
  return {
    endpoints,
    ownership,
    txts,
    named: (name) => told.get(name)?.records ?? [],
  };
}
