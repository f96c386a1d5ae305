import fc from "fast-check";
import { expect } from "vitest";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { recordSetKey } from "#shared/dns/record-set.ts";
import { allowedDeletes } from "#shared/drift/guards.ts";
import { isOurs } from "#shared/drift/ownership.ts";
import { idKey } from "#shared/drift/record-key.ts";
import { sceneOf } from "#shared/drift/scene.ts";
import { anySite } from "./any-scan.ts";
import { applied, controllerView, inputOf, planOf, type Site, scan } from "./scans.ts";

const texts = (sets: readonly RecordSet[]): ReadonlyMap<string, string> =>
  new Map(sets.map((set) => [recordSetKey(set), JSON.stringify(set)]));

const after = (site: Site): Site => ({ ...site, have: applied(site.have ?? [], planOf(site).batches) });

/** Keys of record sets that are provably ours: records, and ownership TXTs with our owner id. */
function ours(site: Site): ReadonlySet<string> {
  const scene = sceneOf(inputOf(site), site.have ?? [], [controllerView(site)]);
  return new Set(
    scene.looks.flatMap((look) => [
      ...look.forecast.read.endpoints.filter((endpoint) => isOurs(look, endpoint)).map(idKey),
      ...look.forecast.read.ownership
        .filter(({ labels }) => labels.owner === "me")
        .map(({ set }) => idKey(set)),
    ]),
  );
}

export const properties: Readonly<Record<string, (site: Site) => void>> = {
  "after applying, nothing more is ours to do, and a new plan is empty": (site) => {
    const then = after(site);
    const left = scan(then).drifts.filter(({ repair }) => repair === "we");
    expect(left.map(({ kind, name, type }) => `${kind} ${name} ${type}`)).toEqual([]);
    expect(planOf(then).batches).toEqual([]);
  },
  "what is not provably ours is the same to the byte": (site) => {
    const mine = ours(site);
    const now = texts(after(site).have ?? []);
    for (const set of site.have ?? [])
      if (!mine.has(idKey(set))) expect(now.get(recordSetKey(set))).toBe(JSON.stringify(set));
  },
  "undo restores the zone exactly": (site) => {
    const plan = planOf(site);
    const back = applied(applied(site.have ?? [], plan.batches), plan.undo);
    expect(texts(back)).toEqual(texts(site.have ?? []));
  },
  "ExternalDNS does no more afterwards than it would have done": (site) => {
    const { changed } = touched(site);
    const scene = sceneOf(inputOf(after(site)), after(site).have ?? [], [controllerView(site)]);
    for (const look of scene.looks)
      for (const { set, action } of look.forecast.changes)
        if (action !== "CREATE") expect(changed.get(idKey(set)) ?? "nothing").not.toMatch(/^(adopt|restore)/);
  },
};

function touched(site: Site): Readonly<{ changed: ReadonlyMap<string, string> }> {
  const changed = new Map<string, string>();
  for (const drift of scan(site).drifts)
    for (const { set, action } of drift.offer?.changes ?? [])
      if (action !== "DELETE") changed.set(idKey(set), `${drift.offer?.kind} ${drift.kind}`);
  return { changed };
}

export const holdsForAny = (property: (site: Site) => void, numRuns: number): void =>
  fc.assert(fc.property(anySite, property), { numRuns });

/** Any limits: a plan never holds more deletes of records than they allow, whatever the size of the zone. */
export const limitsHold = (numRuns: number): void =>
  fc.assert(
    fc.property(
      anySite,
      fc.record({ absolute: fc.nat(5), share: fc.constantFrom(0, 0.1, 0.3, 0.5, 1) }),
      (site, limits) => {
        const plan = planOf(site, limits);
        const { owned } = scan(site);
        const gone = plan.batches
          .flatMap(({ changes }) => changes)
          .filter(({ action }) => action === "DELETE");
        const records = gone.filter(({ set }) => set.type !== "TXT").length;
        expect(records).toBeLessThanOrEqual(allowedDeletes(owned.records, limits));
        if (limits.absolute === 0 || limits.share === 0) expect(gone).toEqual([]);
      },
    ),
    { numRuns },
  );
