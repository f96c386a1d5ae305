import { describe, expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { withdrawn } from "./withdrawn.ts";

describe("remove-bgp-peers", () => {
  it("deletes them when nothing is advertised over them, and brings them back whole", async () => {
    const at = await withdrawn();
    const came = await at.forward("remove-bgp-peers");
    expect(came).toMatchObject({ outcome: "passed" });
    expect(came.text).toBe("no BGPPeer is left, and MetalLB accepts its configuration");
    expect(at.twin.store.list("bgppeers").items).toEqual([]);
    expect(await at.forward("remove-bgp-peers")).toMatchObject({ outcome: "unneeded" });
    await at.back("remove-bgp-peers");
    expect(at.twin.store.get("bgppeers", "metallb", "opnsense")?.spec).toMatchObject({
      bfdProfile: "primary",
      peerASN: 64501,
    });
  });

  it("refuses while a BGPAdvertisement is there", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    await at.forward("snapshot");
    const came = await at.forward("remove-bgp-peers");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["removed-too-early"]]);
  });

  it("leaves one with an inline password alone", async () => {
    const spec = withFaults(
      bgpSite("0.16.1"),
      patchObject("bgppeers", "opnsense", { spec: { password: "hunter-two" } }),
    );
    const at = await withdrawn({ spec });
    const came = await at.forward("remove-bgp-peers");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["bgppeer-inline-password"]]);
    expect(JSON.stringify(came)).not.toContain("hunter-two");
    expect(at.twin.store.list("bgppeers").items).toHaveLength(1);
  });

  const moved = { password: null, passwordSecret: { name: "bgp" } };
  const withPassword = () =>
    withdrawn({
      spec: withFaults(
        bgpSite("0.16.1"),
        patchObject("bgppeers", "opnsense", {
          metadata: {
            annotations: {
              "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
                spec: { password: "hunter-two" },
              }),
            },
          },
          spec: { password: "hunter-two" },
        }),
      ),
    });

  it("deletes one whose password has moved to a Secret since the snapshot, and brings it back with that", async () => {
    const at = await withPassword();
    at.twin.store.mergePatch("bgppeers", "metallb", "opnsense", { spec: moved });
    const came = await at.forward("remove-bgp-peers");
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
    const told = /BGPPeer metallb\/opnsense .* is kept anew as it is now, and comes back with passwordSecret/;
    expect(came.plan?.prediction.map(plain).join("\n")).toMatch(told);
    expect(JSON.stringify(came.plan?.predicted)).toMatch(told);
    expect(JSON.stringify(came)).not.toContain("hunter-two");
    await at.back("remove-bgp-peers");
    const spec = at.twin.store.get("bgppeers", "metallb", "opnsense")?.spec;
    expect(spec).toMatchObject({ passwordSecret: { name: "bgp" }, peerASN: 64501 });
    expect(spec).not.toHaveProperty("password");
  });

  it("refuses it where more than the password has changed, with a way that exists", async () => {
    const at = await withPassword();
    at.twin.store.mergePatch("bgppeers", "metallb", "opnsense", { spec: { ...moved, peerASN: 64999 } });
    const came = await at.forward("remove-bgp-peers");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["changed-since-snapshot"]]);
    expect(plain(came.findings[0]?.remedy ?? [])).toMatch(/\/migrate rollback snapshot$/);
  });

  it("fails when somebody makes one again, and cannot be planned where they cannot be listed", async () => {
    const at = await withdrawn();
    const { plan } = await at.forward("remove-bgp-peers");
    await at.back("remove-bgp-peers");
    const again = await at.on(async (context) => {
      const { removeBgpPeers } = await import("#shared/steps/remove-bgp-peers.ts");
      return removeBgpPeers.verify(context, plan as NonNullable<typeof plan>, undefined);
    });
    expect(again).toMatchObject({ outcome: "failed", findings: [{ code: "change-undone" }] });
    const blind = drive({ spec: bgpSite("0.16.1"), denied: ["bgppeers"] });
    await expect(blind.forward("remove-bgp-peers")).rejects.toThrow(/bgppeers/);
  });
});
