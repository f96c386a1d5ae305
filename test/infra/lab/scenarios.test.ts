import { describe, expect, it } from "vitest";
import { dnsConfigOf, siteResolversOf } from "#infra/lab/dns/config.ts";
import { externalDnsRelease } from "#infra/lab/dns/faults.ts";
import { dnsScenarios } from "#infra/lab/dns/scenarios.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import { labScenarios } from "#infra/lab/scenarios.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { sites } from "#shared/twin/sites/all.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const start = Date.UTC(2026, 2, 1, 14);
const pod = { namespace: "external-dns", pod: "external-dns-6f9c7d54b8-q7xkz", tailLines: 500 };

describe("what the lab boots", () => {
  it("is every site and every world where names go wrong, under names that nobody has twice", () => {
    expect(Object.keys(labScenarios)).toHaveLength(Object.keys(sites).length + dnsScenarios.length + 1);
  });

  it.each(Object.entries(labScenarios))("%s has a story and something to type", (_, { story, first }) => {
    expect(story).not.toBe("");
    expect(first).toMatch(/^\/[a-z]/);
  });

  it("the bot asks from a vantage outside the cluster, and public resolvers are public", () => {
    for (const [name, { site }] of Object.entries(labScenarios)) {
      const spec = site();
      if (spec.dns === undefined) continue;
      expect(dnsConfigOf(spec), name).toMatchObject({
        askFrom: "ops-host",
        publicResolvers: ["1.1.1.1", "8.8.8.8"],
      });
      expect(siteResolversOf(spec), name).toEqual(["10.4.0.1"]);
    }
  });
});

describe("another release of ExternalDNS", () => {
  const logOf = async (release: string | undefined) => {
    const spec = release === undefined ? goldentooth() : externalDnsRelease(release)(goldentooth());
    const clock = createVirtualClock(start);
    const { twin } = runInMemory(spec, clock);
    await clock.advance(150_000);
    const lines = await logsOn(twin)(pod);
    const since = await logsOn(twin)({ ...pod, sinceSeconds: 45 });
    const records = twin.zones.recordSets("Z0584361J2VQ7HELLHOLT").length;
    twin.stop();
    return { lines, since, records };
  };

  it("of the same family has nothing to do", async () => {
    const { lines } = await logOf("0.18.0");
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.filter((line) => !line.includes("All records are already up to date"))).toEqual([]);
  });

  it("of 0.22 reads annotations under another prefix and takes every record of the old one away", async () => {
    const before = await logOf(undefined);
    const { lines, records } = await logOf("0.22.0");
    expect(
      lines.filter((line) => line.includes("Desired change: DELETE httpbin.hellholt.net A")),
    ).toHaveLength(1);
    expect(records).toBeLessThan(before.records - 20);
  });

  it("its log can be read from a time on", async () => {
    const { lines, since } = await logOf(undefined);
    expect(since.length).toBeGreaterThan(0);
    expect(since.length).toBeLessThan(lines.length);
    expect(lines.slice(-since.length)).toEqual(since);
  });

  it("what other containers write is still said to be unknown", async () => {
    const { twin } = runInMemory(healthy(), createVirtualClock(start));
    const other = twin.store
      .list("pods", "kube-system")
      .items.find(({ metadata }) => metadata.name.startsWith("calico"));
    await expect(
      logsOn(twin)({ namespace: "kube-system", pod: other?.metadata.name ?? "", tailLines: 5 }),
    ).rejects.toMatchObject({ fault: { kind: "not-modelled" } });
    twin.stop();
  });
});
