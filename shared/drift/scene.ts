import { type Endpoint, rowKey } from "../dns/endpoint.ts";
import { type Forecast, forecast, registryOf, visibleNames } from "../dns/forecast.ts";
import { decodeName, type Fqdn } from "../dns/fqdn.ts";
import { claimants } from "../dns/ownership-written.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { OwnershipRecord, Registry } from "../dns/registry.ts";
import type { Silent, SilentCode } from "../dns/silent.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import type { ControllerView, DriftInput, ServiceAddresses } from "./input.ts";
import { leavingOf } from "./leaving.ts";
import type { RecordId } from "./record-key.ts";

/** What one ExternalDNS sees in the zone and would do there, with what is looked up often. */
export type Look = Readonly<{
  view: ControllerView;
  registry: Registry;
  forecast: Forecast;
  matches: (name: string) => boolean;
  silent: ReadonlyMap<SilentCode, readonly Silent[]>;
  /** What Route 53 says to a change of this name's group. */
  refused: ReadonlyMap<string, string>;
  /** Records the next round updates. */
  updated: ReadonlySet<Endpoint>;
  /** Ownership TXTs by name and set identifier (`txtKey`). */
  txts: ReadonlyMap<string, OwnershipRecord>;
  /** Ownership TXTs of ours that the release takes for no record of the zone, by the names some format gives them to. */
  unreadNames: ReadonlyMap<string, readonly OwnershipRecord[]>;
  /** A record as the registry reads it; names are in their stored form. */
  current: (id: RecordId) => Endpoint | undefined;
  /** Wanted endpoints by row and type. */
  wanted: ReadonlyMap<string, readonly Endpoint[]>;
  /** Everything wanted could be read and is modelled; otherwise nobody can say that something is not wanted. */
  complete: boolean;
}>;

/** The zone and everybody who reconciles it: what detectors look at. */
export type Scene = Readonly<{
  zoneId: string;
  zone: Fqdn;
  /** What stands in the zone; names are in their stored form. */
  held: (id: RecordId) => RecordSet | undefined;
  at: (name: string) => readonly RecordSet[];
  looks: readonly Look[];
  /** Every look is. */
  complete: boolean;
  /** Owner ids of the ExternalDNS of this cluster. */
  owners: ReadonlySet<string>;
  /** Records of ours, by `idKey`, that nobody wants and that only we can take away. */
  leaving: ReadonlySet<string>;
  services: readonly ServiceAddresses[];
  predictions: readonly AddressPrediction[] | undefined;
  oldDomains: readonly Fqdn[];
}>;

export const wantedKey = (endpoint: Pick<Endpoint, "name" | "type" | "setIdentifier">): string =>
  `${rowKey(endpoint)} ${endpoint.type}`;

function grouped<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const out = new Map<string, T[]>();
  for (const item of items) {
    const at = key(item);
    const known = out.get(at);
    if (known === undefined) out.set(at, [item]);
    else known.push(item);
  }
  return out;
}

/** Most names hold one thing: a list for each would double the memory of a large zone. */
function byName<T extends RecordId>(items: readonly T[]): (name: string) => readonly T[] {
  const out = new Map<string, T | T[]>();
  for (const item of items) {
    const known = out.get(item.name);
    if (known === undefined) out.set(item.name, item);
    else if (Array.isArray(known)) known.push(item);
    else out.set(item.name, [known, item]);
  }
  return (name) => {
    const found = out.get(name);
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  };
}

/** The last one of equals, as a map would have it. */
const finder =
  <T extends RecordId>(at: (name: string) => readonly T[]) =>
  ({ name, type, setIdentifier }: RecordId): T | undefined =>
    at(name).findLast((each) => each.type === type && (each.setIdentifier ?? "") === (setIdentifier ?? ""));

/** Built only where a record is taken for unowned although a TXT may speak for it. */
function unreadNames(result: Forecast, registry: Registry): Look["unreadNames"] {
  const out = new Map<string, OwnershipRecord[]>();
  if (!result.silent.some(({ code }) => code === "unrecognised")) return out;
  for (const txt of result.read.ownership) {
    if (txt.labels.owner !== registry.owner) continue;
    for (const { name } of claimants(txt.set.name, registry.flags)) {
      const known = out.get(name);
      if (known === undefined) out.set(name, [txt]);
      else if (!known.includes(txt)) known.push(txt);
    }
  }
  return out;
}

function look(view: ControllerView, input: DriftInput, recordSets: readonly RecordSet[]): Look {
  const result = forecast({
    zone: input.zone.name,
    recordSets,
    wanted: view.wanted,
    dropped: view.dropped,
    controller: view.controller,
  });
  const registry = registryOf(view.controller);
  return {
    view,
    registry,
    forecast: result,
    unreadNames: unreadNames(result, registry),
    matches: visibleNames(view.controller, input.zone.name),
    silent: Map.groupBy(result.silent, ({ code }) => code),
    refused: new Map(result.refused.map(({ change, why }) => [change.group, why])),
    updated: new Set(result.plan.update.map(({ from }) => from)),
    txts: result.read.txts,
    current: finder(byName(result.read.endpoints)),
    wanted: grouped(result.wanted, wantedKey),
    complete: view.unknown.length === 0 && input.snapshot.faults.length === 0,
  };
}

/** Throws nothing; both sides have to have been read. */
export function sceneOf(
  input: DriftInput,
  recordSets: readonly RecordSet[],
  controllers: readonly ControllerView[],
): Scene {
  const at = byName(recordSets);
  const looks = controllers.map((view) => look(view, input, recordSets));
  const scene = {
    zoneId: input.zone.id,
    zone: input.zone.name,
    held: finder(at),
    at,
    looks,
    complete: looks.every(({ complete }) => complete),
    owners: new Set(controllers.map(({ controller }) => controller.owner).filter((owner) => owner !== "")),
    services: input.services,
    predictions: Array.isArray(input.predictions)
      ? (input.predictions as readonly AddressPrediction[])
      : undefined,
    oldDomains: input.oldDomains,
  };
  return { ...scene, leaving: leavingOf(scene) };
}

/** Why Route 53 refuses what the next round sends for this record, or `undefined`. */
export const refusalFor = ({ refused }: Look, endpoint: Pick<Endpoint, "name">): string | undefined =>
  refused.get(decodeName(endpoint.name));

export const silentOf = ({ silent }: Look, code: SilentCode): readonly Silent[] => silent.get(code) ?? [];

/** The record a silent row is about, as the registry reads it. */
export const currentOf = ({ current }: Look, row: Silent): Endpoint | undefined => current(row);

export const candidatesFor = (
  { wanted }: Look,
  endpoint: Pick<Endpoint, "name" | "type" | "setIdentifier">,
): readonly Endpoint[] => wanted.get(wantedKey(endpoint)) ?? [];
