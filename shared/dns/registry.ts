import { type Endpoint, ownerLabel, ownerOf, property, withLabels, withProperty } from "./endpoint.ts";
import { decodeName } from "./fqdn.ts";
import { type AesKey, readOwnershipText } from "./ownership-encryption.ts";
import { crashesReader, type Reading, readTxtName } from "./ownership-name.ts";
import type { Labels } from "./ownership-text.ts";
import {
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
  /** Names and set identifiers of ownership TXTs: where one stands, none is created (since 0.19). */
  taken: ReadonlySet<string>;
}>;

/** How the planner learns that an ownership TXT is missing; it then writes record and TXT once. */
export const forceUpdate = "txt/force-update";

export const txtKey = (name: string, setIdentifier: string): string => `${decodeName(name)} ${setIdentifier}`;

export const ownable = (endpoint: Endpoint): OwnableRecord => ({
  name: endpoint.name,
  type: endpoint.type,
  alias: property(endpoint, "alias") === "true",
});

const matchKey = (name: string, type: string, setIdentifier: string): string =>
  `${name} ${type} ${setIdentifier}`;

function labelsFor(
  endpoint: Endpoint,
  labelsOf: ReadonlyMap<string, Labels>,
  { flags, rules }: Registry,
): Labels | undefined {
  const record = ownable(endpoint);
  const name = matchName(record.name, flags);
  for (const type of matchTypesFor(record, rules)) {
    const found = labelsOf.get(matchKey(name, type, endpoint.setIdentifier));
    if (found) return found;
  }
  return undefined;
}

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

/** What ExternalDNS reads from a zone: records with their owners, ownership TXTs taken out. */
export function readRegistry(recordSets: readonly RecordSet[], registry: Registry): RegistryRead {
  const listed = recordSets.flatMap((set) => {
    const endpoint = currentEndpoint(set, registry.release);
    return endpoint ? [{ set, endpoint }] : [];
  });
  if (registry.owner === "")
    return { endpoints: listed.map(({ endpoint }) => endpoint), ownership: [], taken: new Set() };

  const ordinary: Endpoint[] = [];
  const ownership: OwnershipRecord[] = [];
  const labelsOf = new Map<string, Labels>();
  for (const { set, endpoint } of listed) {
    const value = set.type === "TXT" ? valuesOf(set)[0] : undefined;
    const labels = value === undefined ? undefined : readOwnershipText(value, registry.key, registry.rules);
    if (labels === undefined) {
      ordinary.push(endpoint);
      continue;
    }
    const reading = readTxtName(set.name, registry.flags, registry.rules);
    ownership.push({ set, labels, reading });
    if (reading)
      labelsOf.set(
        matchKey(reading.name, matchTypeOf(reading, registry.rules), endpoint.setIdentifier),
        labels,
      );
  }

  const names = new Set(ownership.map(({ set }) => decodeName(set.name)));
  const endpoints = ordinary.map((endpoint) => {
    const labels = labelsFor(endpoint, labelsOf, registry);
    if (labels === undefined) return endpoint;
    const owned = migrated(withLabels(endpoint, labels), registry);
    if (ownerOf(owned) !== registry.owner || !registry.isManaged(owned.type)) return owned;
    const missing = writtenTxts(ownable(owned), registry.flags, registry.rules).some(
      ({ name }) => !names.has(decodeName(name)),
    );
    return missing ? withProperty(owned, forceUpdate, "true") : owned;
  });
  return {
    endpoints,
    ownership,
    taken: new Set(ownership.map(({ set }) => txtKey(set.name, set.setIdentifier ?? ""))),
  };
}
