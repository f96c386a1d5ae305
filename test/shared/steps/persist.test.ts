import { describe, expect, it } from "vitest";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { argoTracks } from "./gitops.ts";
import { memoryTree } from "./memory-tree.ts";

const pool =
  "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: primary\nspec:\n  addresses: [10.4.11.1-10.4.11.250]\n  autoAssign: true\n  avoidBuggyIPs: false\n";
const l2 =
  "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata:\n  name: primary\nspec:\n  ipAddressPools: [primary]\n  interfaces: [eth0]\n";
const bgp =
  "apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata:\n  name: primary\nspec:\n  ipAddressPools: [primary]\n";
const repositories = [{ name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" }];

type Others = Readonly<{
  trees: readonly ReturnType<typeof memoryTree>[];
  repositories: typeof repositories;
}>;

/** `others` are configured before the repository that has these files. */
async function migrated(
  files: Readonly<Record<string, string>>,
  others: Others = { trees: [], repositories: [] },
) {
  const at = drive({
    spec: bgpSite("0.16.1"),
    trees: [...others.trees, memoryTree("cluster", "main", files)],
    migration: { repositories: [...others.repositories, ...repositories] },
  });
  for (const id of [
    "snapshot",
    "create-l2advertisement",
    "withdraw-bgp",
    "remove-bgp-peers",
    "remove-bfd-profiles",
  ])
    expect((await at.forward(id)).outcome).toBe("passed");
  return at;
}

describe("persist", () => {
  it("passes where Git says what the cluster says", async () => {
    const at = await migrated({ "pool.yaml": pool, "l2.yaml": l2 });
    const came = await at.forward("persist");
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
    const [deed] = came.plan?.deeds ?? [];
    const text = deed?.kind === "document" ? deed.text : "";
    expect(text).toContain("kind: L2Advertisement");
    expect(text).toContain("#   BGPAdvertisement metallb/primary");
    expect(text).not.toMatch(/uid:|resourceVersion:|arpeggio\.dev/);
    // Nothing differs, so there is no patch.
    expect(came.plan?.deeds).toHaveLength(1);
  });

  it("looks for each object in every configured repository, and in one is enough", async () => {
    const apps = { name: "apps", path: "/srv/apps", branch: "arpeggio", base: "main" };
    const at = await migrated(
      { "pool.yaml": pool, "l2.yaml": l2 },
      { trees: [memoryTree("apps", "main", { "web.yaml": "kind: ConfigMap\n" })], repositories: [apps] },
    );
    const came = await at.forward("persist");
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
    expect(at.notes.persist).toEqual({ compared: 2, differing: 0 });
  });

  it("puts what is in no repository beside what is", async () => {
    const apps = { name: "apps", path: "/srv/apps", branch: "arpeggio", base: "main" };
    const at = await migrated(
      { "pool.yaml": pool },
      { trees: [memoryTree("apps", "main", { "web.yaml": "kind: ConfigMap\n" })], repositories: [apps] },
    );
    const came = await at.forward("persist");
    expect(came.findings.map(({ code, subject }) => `${code} ${subject.name}`)).toEqual([
      "not-in-git L2Advertisement metallb/primary",
    ]);
    expect(came.plan?.deeds.map(({ id }) => id)).toEqual(["hand-over-manifests", "hand-over-patch-cluster"]);
  });

  it("shows each difference by its name", async () => {
    const at = await migrated({ "pool.yaml": pool.replace(".250", ".99"), "bgp.yaml": bgp });
    const came = await at.forward("persist");
    expect(came.outcome).toBe("failed");
    expect(came.findings.map(({ code, subject }) => `${code} ${subject.name}`)).toEqual([
      "git-differs IPAddressPool metallb/primary",
      "not-in-git L2Advertisement metallb/primary",
      "git-still-has-it BGPAdvertisement metallb/primary",
    ]);
    const patch = came.plan?.deeds.find(({ id }) => id === "hand-over-patch-cluster");
    const text = patch?.kind === "document" ? patch.text : "";
    expect(text).toContain("--- a/bgp.yaml\n+++ /dev/null\n");
    expect(text).toContain(
      "-  addresses: [10.4.11.1-10.4.11.99]\n+  addresses:\n+    - 10.4.11.1-10.4.11.250\n",
    );
    expect(text).toContain("--- /dev/null\n+++ b/l2advertisement-primary.yaml\n");
    expect(text).not.toMatch(/uid:|resourceVersion:|arpeggio\.dev/);
  });

  it("is unknown where somebody manages them and no clone is configured", async () => {
    const spec = withFaults(bgpSite("0.16.1"), argoTracks("ipaddresspools", "primary", {}));
    expect(await drive({ spec }).forward("persist")).toMatchObject({ outcome: "unknown" });
    expect(await drive({ spec: bgpSite("0.16.1") }).forward("persist")).toMatchObject({ outcome: "passed" });
  });
});
