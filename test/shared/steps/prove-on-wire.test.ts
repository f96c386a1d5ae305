import { describe, expect, it } from "vitest";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";

describe("prove-on-wire", () => {
  it("passes where each address is answered as predicted, and notes who does", async () => {
    const at = drive({ spec: healthy() });
    const came = await at.forward("prove-on-wire");
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
    const { announcers } = at.notes["prove-on-wire"] as { announcers: Record<string, string> };
    expect(Object.keys(announcers)).toHaveLength(13);
  });

  it.each([
    ["two interfaces of one node answer", goldentoothL2(), "wire-two-nics"],
    ["nobody answers", bgpSite("0.16.1"), "wire-silence"],
    [
      "the wrong interface answers",
      withFaults(healthy(), patchObject("l2advertisements", "primary", { spec: { interfaces: ["eth1"] } })),
      "wire-silence",
    ],
  ])("fails where %s", async (_what, spec, code) => {
    const came = await drive({ spec }).forward("prove-on-wire");
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain(code);
  });

  it("is unknown where nobody stands on the segment, and where there is nothing to ask for", async () => {
    const blind = await drive({ spec: healthy(), vantages: () => [] }).forward("prove-on-wire");
    expect([blind.outcome, blind.codes]).toEqual(["unknown", ["wire-could-not-look"]]);
    const site = healthy();
    const empty = { ...site, objects: site.objects.filter(({ kind }) => kind !== "services") };
    expect(await drive({ spec: empty }).forward("prove-on-wire")).toMatchObject({ outcome: "unknown" });
  });
});
