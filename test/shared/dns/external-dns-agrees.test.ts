import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { domainMatcher, noDomainFilter } from "#shared/dns/domain-filter.ts";
import type { Endpoint } from "#shared/dns/endpoint.ts";
import { changesJson, endpointJson, readPlanRequest } from "#shared/dns/endpoint-json.ts";
import { changeJson } from "#shared/dns/forecast-json.ts";
import { planChanges } from "#shared/dns/plan.ts";
import { isPolicy } from "#shared/dns/policy.ts";
import { readZoneFile } from "#shared/dns/zone-file.ts";
import { forecastOf } from "./zones.ts";

type Listed = Readonly<{
  dnsName: string;
  recordType: string;
  targets: readonly string[];
  recordTTL: number;
  setIdentifier: string;
  labels: Readonly<Record<string, string>>;
  providerSpecific?: Endpoint["providerSpecific"];
}>;

type ChangeCase = Readonly<{
  flags: Readonly<{
    policy: string;
    prefix?: string;
    suffix?: string;
    wildcardReplacement?: string;
    migrateFromOwner?: string;
  }>;
  zone: readonly unknown[];
  desired: readonly Listed[];
  changes: readonly unknown[];
}>;

type PlanCase = Readonly<{
  request: unknown;
  changes: Readonly<Record<"create" | "updateOld" | "updateNew" | "delete", readonly unknown[]>>;
}>;

/** What real ExternalDNS releases did; each file says which, and what was captured. */
const captured = <Case>(name: string): readonly Case[] =>
  (
    JSON.parse(
      readFileSync(join(import.meta.dirname, `../../fixtures/external-dns/${name}.json`), "utf8"),
    ) as { cases: readonly Case[] }
  ).cases;

const inOrder = (list: readonly unknown[]): readonly string[] => list.map((each) => canonical(each)).sort();

const unordered = new Set(["values", "targets"]);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (key, each: unknown) => {
    if (Array.isArray(each))
      return unordered.has(key)
        ? [...each].sort()
        : key === "providerSpecific"
          ? [...each].map((one) => canonical(one)).sort()
          : each;
    return typeof each === "object" && each !== null
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each;
  });

function ours({ flags, zone, desired }: ChangeCase, release: string): readonly unknown[] {
  const read = readZoneFile(JSON.stringify({ ResourceRecordSets: zone }));
  if (!read.ok) throw new Error(read.problems.join("; "));
  const { policy, migrateFromOwner, ...ownership } = flags;
  if (!isPolicy(policy)) throw new Error(policy);
  return forecastOf({
    release,
    have: read.recordSets,
    want: desired.map((each) => ({
      name: each.dnsName,
      type: each.recordType,
      targets: each.targets,
      ttl: each.recordTTL,
      setIdentifier: each.setIdentifier,
      labels: each.labels,
      providerSpecific: each.providerSpecific,
    })),
    with: { policy, ownership, migrateFromOwner },
  }).changes.map(changeJson);
}

describe("changes that ExternalDNS itself sent", () => {
  it.each(["0.16.0", "0.18.0", "0.22.0"])("%s", (release) => {
    const cases = captured<ChangeCase>(`changes-${release}`);
    expect(cases.length).toBeGreaterThan(60);
    for (const [i, each] of cases.entries())
      expect(inOrder(ours(each, release)), `case ${i}`).toEqual(inOrder(each.changes));
  });
});

describe("plans that ExternalDNS itself made", () => {
  it("0.22.0", () => {
    const cases = captured<PlanCase>("plan-0.22.0");
    expect(cases.length).toBeGreaterThan(100);
    for (const [i, { request, changes }] of cases.entries()) {
      const read = readPlanRequest(JSON.stringify(request));
      if (!read.ok) throw new Error(read.problems.join("; "));
      const { config, current, desired } = read.request;
      const planned = planChanges(current, desired, {
        ...config,
        excludedTypes: config.excludedTypes ?? [],
        matches: domainMatcher(config.domainFilter ?? noDomainFilter),
        migrateFromOwner: config.migrateFromOwner ?? undefined,
      });
      const made = changesJson(planned);
      const before = planned.update.map(({ from }) => endpointJson(from));
      expect(inOrder(made.create as readonly unknown[]), `case ${i}`).toEqual(inOrder(changes.create));
      expect(inOrder(made.delete as readonly unknown[]), `case ${i}`).toEqual(inOrder(changes.delete));
      expect(inOrder(before), `case ${i}`).toEqual(inOrder(changes.updateOld));
      expect(inOrder(made.update as readonly unknown[]), `case ${i}`).toEqual(inOrder(changes.updateNew));
    }
  });
});
