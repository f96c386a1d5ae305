import { describe, expect, it } from "vitest";
import { staticRoute, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";

const ID = "final-verification";

describe("final-verification", () => {
  it("passes where nothing is open", async () => {
    const at = drive({ spec: healthy() });
    const came = await at.forward(ID);
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
    expect(at.notes[ID]).toMatchObject({ addresses: 13, router: "on-link", open: [] });
  });

  it("tells what the story left behind, each by its name", async () => {
    const came = await drive({ spec: goldentoothL2() }).forward(ID);
    expect(came.outcome).toBe("failed");
    expect(came.codes).toEqual(
      expect.arrayContaining([
        "wired-and-wifi",
        "calico-address-nic",
        "bgp-leftovers",
        "bgp-left",
        "wire-two-nics",
        "address-ends-in-0-or-255",
      ]),
    );
  });

  it("sees the route by way of a node, which no site description told", async () => {
    const came = await drive({
      spec: withFaults(healthy(), staticRoute("10.4.11.0/24", "10.4.0.15")),
    }).forward(ID);
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain("via-a-node");
  });

  it("fails before the migration as well: nothing answers ARP", async () => {
    const came = await drive({ spec: bgpSite("0.16.1") }).forward(ID);
    expect(came.outcome).toBe("failed");
    expect(came.codes).toEqual(expect.arrayContaining(["wire-silence", "bgp-left", "address-not-announced"]));
  });

  it("never says that nothing is left of what was accepted", async () => {
    const at = drive({ spec: bgpSite("0.16.1"), inputs: { accept: "bgp-left" } });
    for (const id of ["survey", "snapshot", "create-l2advertisement"]) await at.forward(id);
    const came = await at.forward(ID);
    expect(came.text).not.toMatch(/nothing of BGP is left/);
    expect(came.text).toMatch(/of BGP there still is, as accepted: .*BGPAdvertisement metallb\/primary/);
    expect(at.notes[ID]).toMatchObject({ left: expect.arrayContaining(["BGPPeer metallb/opnsense"]) });
  });

  it("is unknown where nobody stands behind the router", async () => {
    const came = await drive({
      spec: healthy(),
      vantages: (all) => all.filter(({ place }) => place !== "behind-router"),
    }).forward(ID);
    expect([came.outcome, came.codes]).toEqual(["unknown", ["no-vantage-behind-router"]]);
    expect(came.findings.map(({ code }) => code)).toContain("router-not-seen");
  });
});
