import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WishKind } from "#shared/dns/cluster-wishes.ts";
import {
  disagreements,
  dryRunArguments,
  loggedNumbers,
  readProgramLog,
} from "#shared/dns/external-dns-program.ts";
import { forecastCluster } from "#shared/dns/forecast-cluster.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { isPolicy } from "#shared/dns/policy.ts";
import { parseRelease } from "#shared/dns/release.ts";
import { readRecordSets } from "#shared/dns/zone-file.ts";
import type { HostedZone, ReadZones } from "#shared/dns/zones.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";

type Captured = Readonly<{
  version: string;
  command: readonly string[];
  exitCode: number;
  zone: Readonly<{ Id: string; Name: string }>;
  log: readonly string[];
  recordSets: readonly unknown[];
  lists: Readonly<Record<WishKind, readonly KubeObject[]>>;
}>;

const captured = (name: string): Captured =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, `../../fixtures/external-dns/program-${name}.json`), "utf8"),
  ) as Captured;

/** The zone as it was listed when the program ran. */
function zonesOf({ zone: { Id, Name }, recordSets }: Captured): ReadZones {
  const read = readRecordSets(recordSets);
  if (!read.ok) throw new Error(read.problems.join());
  const zone: HostedZone = {
    id: Id,
    name: fqdn(Name),
    private: false,
    recordCount: recordSets.length,
    nameServers: [],
  };
  const never = (): never => {
    throw new Error("a forecast lists zones and nothing else");
  };
  return {
    zones: async () => [zone],
    zone: async () => zone,
    recordSets: async () => read.recordSets,
    lookUp: never,
    change: never,
  };
}

/** What each run changed in the zone, as the program said it, and what Route 53 would refuse of it. */
const runs = [
  { name: "0.18.0", changes: 33, numbers: { create: 11, update: 3, delete: 3 }, refused: 0 },
  { name: "0.22.0-new-prefix", changes: 40, numbers: { create: 1, update: 0, delete: 19 }, refused: 1 },
  { name: "0.22.0-old-prefix", changes: 27, numbers: { create: 11, update: 3, delete: 0 }, refused: 1 },
];

describe.each(runs)("a real ExternalDNS $name beside the forecast", ({ name, changes, numbers, refused }) => {
  const run = captured(name);
  const policy = run.command.find((arg) => arg.startsWith("--policy="))?.slice("--policy=".length) ?? "";
  const said = readProgramLog(run.log.join("\n"));
  const forecast = async () => {
    const release = parseRelease(run.version);
    if (release === undefined || !isPolicy(policy)) throw new Error("not a run of a known release");
    const made = await forecastCluster(run.lists, zonesOf(run), [run.zone.Id], { release, policy });
    const [controller] = made.controllers;
    if (controller === undefined || made.controllers.length !== 1)
      throw new Error("one ExternalDNS was there");
    return controller;
  };

  it("was asked as we would ask it now, and only looked", async () => {
    const made = dryRunArguments((await forecast()).flags, policy);
    expect(made).toMatchObject({ ok: true, args: run.command.slice(1) });
    expect(run.command.slice(-2)).toEqual(["--once", "--dry-run"]);
    expect(run.log.join("\n")).toContain("running in dry-run mode");
    // What it would have written to the cluster all the same went no further than us.
    expect(run.log.join("\n")).toMatch(/Could not update ObservedGeneration .*only reading is handed on/);
  });

  it("is read whole, and says the same changes as our model", async () => {
    const [only, ...others] = (await forecast()).zones;
    expect(others).toEqual([]);
    expect(run.exitCode).toBe(0);
    expect(said.changes).toHaveLength(changes);
    expect(new Set(said.changes.map(({ zone }) => zone))).toEqual(new Set([run.zone.Id]));
    expect(disagreements(said.changes, only?.forecast.changes ?? [])).toEqual({
      onlyProgram: [],
      onlyOurs: [],
    });
    expect(loggedNumbers(said.changes)).toEqual(numbers);
    const { plan } = only?.forecast ?? {};
    expect({ create: plan?.create.length, update: plan?.update.length, delete: plan?.delete.length }).toEqual(
      numbers,
    );
    expect(only?.forecast.refused).toHaveLength(refused);
  });
});
