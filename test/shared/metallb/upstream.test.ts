import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { predict } from "#shared/metallb/announcer.ts";
import { bgpAdvertisementsFault, communitiesFault, peersFault } from "#shared/metallb/bgp-configuration.ts";
import { readConfiguration } from "#shared/metallb/configuration.ts";
import { newestVersion, rulesOf } from "#shared/metallb/versions.ts";
import { objectsOf } from "./cluster.ts";

const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../fixtures/metallb/${name}`, import.meta.url), "utf8")) as T;

type ConfigurationCase = Readonly<{
  name: string;
  items: readonly KubeObject[];
  error?: string;
  pools?: Readonly<Record<string, readonly string[]>>;
}>;

describe("the configuration as MetalLB v0.16.1 itself reads it", () => {
  it.each(fixture<readonly ConfigurationCase[]>("configuration-v0.16.1.json"))("$name", ({
    items,
    error,
    pools,
  }) => {
    const objects = objectsOf(items);
    const read = readConfiguration(objects, rulesOf(newestVersion));
    const fault =
      peersFault(objects.bgpPeers) ??
      communitiesFault(objects.communities) ??
      (read.ok ? undefined : read.error) ??
      bgpAdvertisementsFault(
        objects.bgpAdvertisements,
        objects.ipAddressPools,
        objects.nodes,
        objects.communities,
      );
    expect(fault).toBe(error);
    if (pools === undefined || !read.ok) return;
    const ours = read.pools
      .filter(({ cidrs }) => cidrs.length > 0)
      .map(({ name, cidrs }) => [name, cidrs.map(({ text }) => text)]);
    expect(Object.fromEntries(ours)).toEqual(pools);
  });
});

type ElectionCase = Readonly<{
  items: readonly KubeObject[];
  memberlist: "off" | readonly string[];
  ignoreExcludeLb: boolean;
  pool: string | null;
  order: readonly string[];
  interfaces: Readonly<Record<string, readonly string[] | "all">>;
}>;

describe("the elections of MetalLB v0.16.1's own speakers", () => {
  const cases = fixture<readonly ElectionCase[]>("elections-v0.16.1.json");

  it.each(cases.map((each, i) => [i, each] as const))("cluster %i", (_, each) => {
    const { memberlist, ignoreExcludeLb, items } = each;
    const objects = objectsOf(items);
    const { addresses } = predict(objects, { version: "0.16.1", memberlist, ignoreExcludeLb });
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) {
      expect(address.pool ?? null).toBe(each.pool);
      expect(address.order).toEqual(each.order);
      expect(address.interfaces).toEqual(each.interfaces);
      expect([...address.order, ...Object.keys(address.why)].sort()).toEqual(
        objects.nodes.map(({ name }) => name).sort(),
      );
    }
  });
});
