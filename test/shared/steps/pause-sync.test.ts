import { describe, expect, it } from "vitest";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { argoTracks, fluxApplies, helmInstalled } from "./gitops.ts";
import { memoryTree } from "./memory-tree.ts";

const argo = (app = "metallb") =>
  withFaults(
    bgpSite("0.16.1"),
    argoTracks("bgpadvertisements", "primary", { selfHeal: true, prune: true }, app),
  );

const files = {
  "metallb/kustomization.yaml": "resources:\n  - pool.yaml\n  - bgp.yaml # goes with the old router\n",
  "metallb/bgp.yaml":
    "# Until the router changes.\napiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata:\n  name: primary\n  namespace: metallb\nspec:\n  ipAddressPools: [primary] # all there is\n",
  "metallb/pool.yaml":
    "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: primary\nspec:\n  addresses: [10.4.11.1-10.4.11.250]\n",
};
const repository = { name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" };

describe("pause-sync", () => {
  it("pauses Argo CD where no clone is configured, and puts its automation back", async () => {
    const at = drive({ spec: argo() });
    await at.forward("survey");
    expect(at.notes.survey).toMatchObject({ syncSeconds: 180 });
    const blocked = await at.forward("withdraw-bgp");
    expect(blocked.codes).toContain("managed-and-synced");
    const came = await at.forward("pause-sync");
    expect(came.outcome).toBe("passed");
    expect(came.verified?.recheckAfterMs).toBe(195_000);
    const policy = () =>
      (at.twin.store.get("applications", "argocd", "metallb")?.spec as { syncPolicy?: unknown }).syncPolicy;
    expect(policy()).toEqual({});
    // Now a direct write stays.
    await at.forward("snapshot");
    await at.forward("create-l2advertisement");
    expect((await at.forward("withdraw-bgp")).outcome).toBe("passed");
    await at.back("pause-sync");
    expect(policy()).toEqual({ automated: { selfHeal: true, prune: true } });
  });

  it("shows of an Application only what the pause is about", async () => {
    const spec = withFaults(
      argo(),
      patchObject("applications", "metallb", { spec: { source: { helm: { values: "token: hunter-two" } } } }),
    );
    const at = drive({ spec });
    const came = await at.forward("pause-sync");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.diffs[0]?.before).toMatchObject({
      spec: { syncPolicy: { automated: { selfHeal: true } } },
    });
    expect(JSON.stringify([came.plan?.diffs, came.plan?.deeds, at.notes])).not.toContain("hunter-two");
  });

  it("suspends Flux", async () => {
    const at = drive({ spec: withFaults(bgpSite("0.16.1"), fluxApplies("bgppeers", "opnsense", false)) });
    const came = await at.forward("pause-sync");
    expect(came.plan?.deeds.map(({ title }) => title)).toEqual([
      "pause the sync of Kustomization flux-system/infra",
    ]);
    expect(at.twin.store.get("kustomizations", "flux-system", "infra")?.spec).toMatchObject({
      suspend: true,
    });
    await at.back("pause-sync");
    expect(at.twin.store.get("kustomizations", "flux-system", "infra")?.spec).toMatchObject({
      suspend: false,
    });
  });

  it.each([
    ["nobody", bgpSite("0.16.1")],
    ["Helm alone", withFaults(bgpSite("0.16.1"), helmInstalled("bgpadvertisements", "primary"))],
    ["Argo CD by hand", withFaults(bgpSite("0.16.1"), argoTracks("bgpadvertisements", "primary", undefined))],
  ])("has nothing to pause with %s", async (_who, spec) => {
    expect(await drive({ spec }).forward("pause-sync")).toMatchObject({ outcome: "unneeded" });
  });

  it("refuses to pause what another Application would start again", async () => {
    const at = drive({
      spec: withFaults(argo(), (spec) =>
        argoTracks("applications", "metallb", { selfHeal: true }, "root")(spec),
      ),
    });
    const came = await at.forward("pause-sync");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["pause-would-be-undone"]]);
  });

  it("cannot pause who is not here", async () => {
    const at = drive({ spec: argo(), denied: ["applications"] });
    const came = await at.forward("pause-sync");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["manager-unseen"]]);
  });
});

describe("what GitOps would put back is changed at its source", () => {
  const withTree = (given: Readonly<Record<string, string>> = files) => {
    const tree = memoryTree("cluster", "main", given);
    return { tree, at: drive({ spec: argo(), trees: [tree], migration: { repositories: [repository] } }) };
  };

  it("commits, waits for the sync, and comes back by a commit", async () => {
    const { tree, at } = withTree();
    await at.forward("survey");
    expect(await at.forward("pause-sync")).toMatchObject({ outcome: "unneeded" });
    await at.forward("snapshot");
    const created = await at.forward("create-l2advertisement");
    expect(created.plan?.deeds.map(({ kind }) => kind)).toEqual(["git"]);
    expect(created.outcome).toBe("waiting");
    expect(created.verified?.until).toBe(at.ports.clock.now() + 30_000);
    const branch = tree.files("arpeggio");
    expect(branch["metallb/l2advertisement-primary.yaml"]).toMatch(
      /kind: L2Advertisement[\s\S]*interfaces:\n\s+- eth0/,
    );
    expect(branch["metallb/kustomization.yaml"]).toContain("l2advertisement-primary.yaml");
    expect(branch["metallb/kustomization.yaml"]).toContain("# goes with the old router");
    // What a sync would do.
    const { after } = created.plan?.diffs[0] as { after: object };
    at.twin.store.create("l2advertisements", after as never);
    const again = await at.on(async (context) => {
      const { createL2Advertisement } = await import("#shared/steps/create-l2advertisement.ts");
      return createL2Advertisement.verify(
        context,
        created.plan as NonNullable<typeof created.plan>,
        undefined,
      );
    });
    expect(again.outcome).toBe("passed");

    const withdrawn = await at.forward("withdraw-bgp");
    expect(withdrawn.outcome).toBe("waiting");
    expect(tree.files("arpeggio")["metallb/bgp.yaml"]).toBeUndefined();
    expect(tree.files("arpeggio")["metallb/kustomization.yaml"]).not.toContain("bgp.yaml");
    await at.back("withdraw-bgp");
    expect(tree.files("arpeggio")["metallb/bgp.yaml"]).toBe(files["metallb/bgp.yaml"]);
    expect(tree.commits).toHaveLength(3);
    expect(tree.files("main")).toEqual(files);
  });

  it("narrows a manifest for the canary and keeps its comments", async () => {
    const { tree, at } = withTree();
    at.notes.survey = { bgp: "up" };
    await at.forward("canary");
    const text = tree.files("arpeggio")["metallb/bgp.yaml"];
    expect(text).toContain("# Until the router changes.");
    expect(text).toContain("# all there is");
    expect(text).toMatch(/serviceSelectors:[\s\S]*operator: NotIn/);
  });

  it("takes one document out of a file of several", async () => {
    const together = { "all.yaml": `${files["metallb/pool.yaml"]}---\n${files["metallb/bgp.yaml"]}` };
    const { tree, at } = withTree(together);
    await at.forward("snapshot");
    at.twin.store.create("l2advertisements", {
      metadata: { name: "primary", namespace: "metallb" },
      spec: { ipAddressPools: ["primary"] },
    });
    await at.forward("withdraw-bgp");
    const left = tree.files("arpeggio")["all.yaml"];
    expect(left).toContain("kind: IPAddressPool");
    expect(left).not.toContain("BGPAdvertisement");
  });

  it.each([
    ["the password of a BGPPeer", "kind: BGPPeer\nmetadata: {name: old}\nspec:\n  password: hunter-two\n"],
    ["a Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: bgp}\nstringData: {x: hunter-two}\n"],
    ["a List of such", "kind: List\nitems:\n- kind: BGPPeer\n  spec: {password: hunter-two}\n"],
    ["what cannot be read", "x: [hunter-two\n"],
  ])("does not touch a file with %s in it", async (_, other) => {
    const { at, tree } = withTree({ "all.yaml": `${files["metallb/bgp.yaml"]}---\n${other}` });
    await at.forward("snapshot");
    const came = await at.forward("withdraw-bgp");
    expect(came.codes).toContain("git-file-has-secret");
    expect(came.outcome).toBe("blocked");
    expect(JSON.stringify([came, at.notes])).not.toContain("hunter-two");
    expect(tree.commits).toEqual([]);
  });

  it("does not touch a kustomization that makes a Secret", async () => {
    const { at, tree } = withTree({
      ...files,
      "metallb/kustomization.yaml":
        "resources: [bgp.yaml]\nsecretGenerator:\n- name: bgp\n  literals: [x=hunter-two]\n",
    });
    await at.forward("snapshot");
    const came = await at.forward("withdraw-bgp");
    expect(came.findings.map(({ code, subject }) => `${code} ${subject.name}`)).toContain(
      `git-file-has-secret ${tree.name} metallb/kustomization.yaml`,
    );
    expect(JSON.stringify([came, at.notes])).not.toContain("hunter-two");
    expect(tree.commits).toEqual([]);
  });

  it("refuses where two manifests could be meant", async () => {
    const { at } = withTree({ ...files, "old/bgp.yaml": files["metallb/bgp.yaml"] });
    await at.forward("snapshot");
    at.twin.store.create("l2advertisements", {
      metadata: { name: "primary", namespace: "metallb" },
      spec: { ipAddressPools: ["primary"] },
    });
    const came = await at.forward("withdraw-bgp");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["managed-and-synced"]]);
    expect(came.text).toMatch(/2 manifests/);
  });
});
