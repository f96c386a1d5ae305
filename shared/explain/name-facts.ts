import { clusterWishes, type WishKind } from "../dns/cluster-wishes.ts";
import { ownerOf } from "../dns/endpoint.ts";
import { registryOf } from "../dns/forecast.ts";
import { decodeName, type Fqdn, isWithin } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { readRegistry } from "../dns/registry.ts";
import { controllerViews } from "../dns/snapshot-views.ts";
import type { ReadZones } from "../dns/zones.ts";
import type { ControllerView } from "../drift/input.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Listed } from "../kubernetes/read.ts";
import type { Looked, OwnershipAtName } from "./evidence.ts";

/** What every ExternalDNS of the cluster wants, and by which owner ids it knows its own. */
export type Wishes = Readonly<{ views: readonly ControllerView[]; owners: readonly string[] }>;

export function wishesOf(cluster: string, lists: Readonly<Record<WishKind, Listed>>): Wishes {
  const views = controllerViews(clusterWishes(cluster, lists));
  return { views, owners: [...new Set(views.map(({ controller }) => controller.owner))] };
}

/** Targets that somebody wants at a name; undefined when nobody does, or a source could not be read. */
export function wantedAt({ views }: Wishes, name: Fqdn, type: string): readonly string[] | undefined {
  const targets = views.flatMap(({ wanted }) =>
    wanted
      .filter((each) => decodeName(each.name) === name && each.type === type)
      .flatMap((each) => each.targets),
  );
  return targets.length === 0 ? undefined : [...new Set(targets)].toSorted();
}

export type ZoneFacts = Readonly<{
  ownership: Looked<OwnershipAtName>;
  /** An ownership TXT of the zone that can be asked for. */
  txt: Fqdn | undefined;
}>;

const notConfigured = (what: string, detail: string): Fault => ({ kind: "not-configured", what, detail });

/** The owner of the name and type in its zone. */
export async function zoneFacts(
  zones: ReadZones | undefined,
  name: Fqdn,
  type: string,
  { views, owners }: Wishes,
): Promise<ZoneFacts> {
  if (zones === undefined)
    return {
      ownership: {
        ok: false,
        fault: notConfigured("ownership records", "no zones are configured (dns.zones)"),
      },
      txt: undefined,
    };
  try {
    const holding = (await zones.zones())
      .filter((zone) => !zone.private && isWithin(name, zone.name))
      .toSorted((a, b) => b.name.length - a.name.length);
    const [zone] = holding;
    const sets: readonly RecordSet[] = zone === undefined ? [] : await zones.recordSets(zone.id);
    const [view] = views;
    if (view === undefined)
      return {
        ownership: { ok: false, fault: notConfigured("owner id", "no ExternalDNS was found in the cluster") },
        txt: sets.find((set) => set.type === "TXT")?.name,
      };
    const { endpoints, ownership } = readRegistry(sets, registryOf(view.controller));
    const mine = endpoints.find((each) => decodeName(each.name) === name && each.type === type);
    const own = ownership.find(({ reading }) => reading?.name === name) ?? ownership[0];
    return {
      ownership: {
        ok: true,
        from: "Route 53",
        value: { owner: mine === undefined ? undefined : ownerOf(mine), ours: owners },
      },
      txt: own?.set.name ?? sets.find((set) => set.type === "TXT")?.name,
    };
  } catch (error) {
    if (error instanceof FaultError) return { ownership: { ok: false, fault: error.fault }, txt: undefined };
    throw error;
  }
}
