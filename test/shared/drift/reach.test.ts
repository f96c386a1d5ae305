import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { planWithin } from "#shared/drift/change-plan.ts";
import { detectDrift } from "#shared/drift/detect.ts";
import type { DriftReport } from "#shared/drift/drift-report.ts";
import type { DriftInput } from "#shared/drift/input.ts";
import { withinReach } from "#shared/drift/reach.ts";
import { heritage, record, wants } from "../dns/zones.ts";
import { anySite } from "./any-scan.ts";
import { applied, controllerView, generous, inputOf, noon, type Site } from "./scans.ts";

const everything = Number.POSITIVE_INFINITY;

const affixes = fc.constantFrom(
  {},
  { prefix: "%{record_type}-" },
  { prefix: "own." },
  { prefix: "cname-" },
  { suffix: "-own" },
  { wildcardReplacement: "any" },
);

const calm = ["a-api", "a-deep.er", "calm", "a-calm", "xn"];

/** Owned pairs with nothing amiss, some of them at names that may be ownership records of others. */
const pairs = (names: readonly string[]): Site => ({
  have: names.flatMap((name) => [
    record(name, "A", "10.0.0.7"),
    record(`a-${name}`, "TXT", heritage("me", "service/apps/calm")),
  ]),
  want: names.map((name) => wants(name, "10.0.0.7", { resource: "service/apps/calm" })),
});

const joined = (one: Site, other: Site): Site => {
  const there = new Set((one.have ?? []).map(({ name }) => name));
  return {
    ...one,
    have: [...(one.have ?? []), ...(other.have ?? []).filter(({ name }) => !there.has(name))],
    want: [...(one.want ?? []), ...(other.want ?? [])],
  };
};

/** Two ExternalDNS at times, with any affixes. */
const anyInput: fc.Arbitrary<DriftInput> = fc
  .record({
    site: anySite,
    quiet: fc.subarray(calm),
    other: anySite,
    twice: fc.boolean(),
    flags: affixes,
    otherFlags: affixes,
  })
  .map(({ site, quiet, other, twice, flags, otherFlags }) => {
    const first: Site = {
      ...joined(site, pairs(quiet)),
      with: { ...site.with, ownership: flags },
    };
    const second = controllerView({ ...other, with: { ...other.with, ownership: otherFlags } });
    return inputOf({
      ...first,
      ...(twice && { more: [{ ...second, name: "external-dns/second" }] }),
    });
  });

const held = ({ recordSets }: DriftInput): readonly RecordSet[] => recordSets as readonly RecordSet[];

const told = ({ drifts }: DriftReport): readonly unknown[] => drifts;

describe("what a plan can reach", () => {
  const large = (count: number): Site => pairs(Array.from({ length: count }, (_, i) => `s${i}`));
  const near = (site: Site, part?: number): readonly string[] => {
    const input = inputOf(site);
    return held(withinReach(input, detectDrift(input), part)).map(({ name, type }) => `${name} ${type}`);
  };

  it("is an orphan with its ownership record, and nothing of the rest of a large zone", () => {
    const orphan = joined(large(40), { have: pairs(["old"]).have ?? [] });
    expect(near({ ...orphan, with: { policy: "upsert-only" } })).toEqual([
      "old.example.com A",
      "a-old.example.com TXT",
    ]);
  });

  it("holds the record a name's ownership record may also be meant for", () => {
    const orphan = joined(joined(large(40), { have: pairs(["old"]).have ?? [] }), pairs(["a-a-old"]));
    expect(near({ ...orphan, with: { policy: "upsert-only" } })).toContain("a-a-old.example.com A");
  });

  it("is the whole zone where much of it is touched, where names have several spellings, and where owners migrate", () => {
    const zone = large(4);
    const orphans: Site = { have: [...(zone.have ?? []), ...(pairs(["old", "older"]).have ?? [])] };
    expect(near(orphans)).toHaveLength(12);
    const quiet = large(40);
    expect(near(quiet)).toEqual([]);
    expect(near({ ...quiet, with: { migrateFromOwner: "you" } })).toHaveLength(80);
    expect(near(joined(quiet, pairs(["xn--bcher-kva"])))).toHaveLength(82);
  });

  it("follows aliases within the zone", () => {
    const quiet = large(40);
    const pointing: Site = {
      ...quiet,
      want: [
        ...(quiet.want ?? []),
        wants("new", fqdn("s7.example.com"), {
          type: "CNAME",
          providerSpecific: [{ name: "alias", value: "true" }],
        }),
      ],
    };
    expect(near(pointing)).toEqual(["s7.example.com A", "a-s7.example.com TXT"]);
  });

  it("is all that is amiss, in any zone", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const report = detectDrift(input);
        expect(told(detectDrift(withinReach(input, report, everything)))).toEqual(told(report));
      }),
      { numRuns: 250 },
    );
  });

  it("gives the same plan as looking at everything again", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const report = detectDrift(input);
        const request = { input, report, limits: generous, at: noon };
        expect(planWithin({ ...request, input: withinReach(input, report, everything) })).toEqual(
          planWithin(request),
        );
      }),
      { numRuns: 250 },
    );
  });

  it("holds all that is amiss after the first batch of a plan", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const report = detectDrift(input);
        const near = withinReach(input, report, everything);
        const [batch] = planWithin({ input, report, limits: generous, at: noon }).batches;
        if (batch === undefined) return;
        const changed = (whole: DriftInput): DriftInput => ({
          ...whole,
          recordSets: applied(held(whole), [batch]),
        });
        expect(told(detectDrift(changed(near)))).toEqual(told(detectDrift(changed(input))));
      }),
      { numRuns: 250 },
    );
  });
});
