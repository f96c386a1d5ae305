import { expect, it } from "vitest";
import { clusterInGit, commitCluster } from "#infra/lab/cluster-in-git.ts";
import { goldentoothMove } from "#infra/lab/goldentooth-move.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

it("holds what the site starts from, and what a person commits later", async () => {
  const site = goldentoothMove();
  const tree = clusterInGit(site);
  expect(Object.keys(tree.files("main"))).toEqual(
    expect.arrayContaining(["external-dns.yaml", "metallb.yaml", "services/httpbin.yaml"]),
  );
  const { twin } = runInMemory(site, createVirtualClock());
  await commitCluster(tree, twin.store);
  expect(tree.commits).toEqual([]);
  twin.store.remove("bgppeers", "metallb", "opnsense");
  await commitCluster(tree, twin.store);
  expect(tree.files("main")["metallb.yaml"]).not.toMatch(/kind: BGPPeer/);
  expect(tree.commits).toHaveLength(1);
  twin.stop();
});
