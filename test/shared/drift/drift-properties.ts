import fc from "fast-check";
import { expect } from "vitest";
import type { Forecast } from "#shared/dns/forecast.ts";
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

/** All that holds for a zone, its plan and the zone afterwards. */
function holds(site: Site): void {
  const have = site.have ?? [];
  const plan = planOf(site);
  const then: Site = { ...site, have: applied(have, plan.batches) };

  // Nothing more is ours to do, and a new plan is empty.
  const left = scan(then).drifts.filter(({ repair }) => repair === "we");
  expect(left.map(({ kind, name, type }) => `${kind} ${name} ${type}`)).toEqual([]);
  expect(planOf(then).batches).toEqual([]);

  // What is not provably ours is the same to the byte.
  const mine = ours(site);
  const now = texts(then.have ?? []);
  for (const set of have)
    if (!mine.has(idKey(set))) expect(now.get(recordSetKey(set))).toBe(JSON.stringify(set));

  // Nothing is written beside a record that an ownership record of another owner may be meant for.
  for (const { offer, name, type, setIdentifier } of plan.items)
    if (offer === "adopt")
      expect(
        have.filter(
          (set) =>
            set.type === "TXT" &&
            [name, `${type.toLowerCase()}-${name}`].includes(set.name) &&
            set.setIdentifier === setIdentifier &&
            JSON.stringify(set).includes("owner=you"),
        ),
      ).toEqual([]);

  // The way back restores the zone exactly.
  expect(texts(applied(then.have ?? [], plan.undo))).toEqual(texts(have));

  // ExternalDNS writes nothing else into what we adopted or restored, and never touches what a plan took away.
  const changed = new Map(
    plan.batches.flatMap(({ changes }) => changes).map(({ action, set }) => [idKey(set), action]),
  );
  const settled = new Set(
    plan.items.filter(({ offer }) => offer === "adopt" || offer === "restore").map(idKey),
  );
  for (const { set, action } of forecastOf(then).changes)
    if (action !== "CREATE" && settled.has(idKey(set)) && now.get(recordSetKey(set)) !== JSON.stringify(set))
      expect(changed.get(idKey(set)) ?? "UPSERT").not.toBe("UPSERT");
}

const forecastOf = (site: Site): Forecast => {
  const view = controllerView(site);
  const scene = sceneOf(inputOf(site), site.have ?? [], [view]);
  return (scene.looks[0] as (typeof scene.looks)[number]).forecast;
};

export const holdsForAny = (numRuns: number): void => fc.assert(fc.property(anySite, holds), { numRuns });

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
