import { describe, expect, it } from "vitest";
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
