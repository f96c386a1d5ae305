import { describe, expect, it } from "vitest";
import { addObject, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { withdrawn } from "./withdrawn.ts";

const spec = () =>
  withFaults(
    bgpSite("0.16.1"),
    addObject(
      "communities",
      { name: "local", namespace: "metallb" },
      { spec: { communities: [{ name: "no-export", value: "65535:65281" }] } },
    ),
  );

describe("remove-communities", () => {
  it("deletes them once nothing is advertised, and brings them back", async () => {
    const at = await withdrawn({ spec: spec() });
    expect(await at.forward("remove-communities")).toMatchObject({ outcome: "passed" });
    expect(at.twin.store.list("communities").items).toEqual([]);
    await at.back("remove-communities");
    expect(at.twin.store.list("communities").items).toHaveLength(1);
  });

  it("refuses while something is advertised, and has nothing to do where there is none", async () => {
    const at = drive({ spec: spec() });
    await at.forward("snapshot");
    expect(await at.forward("remove-communities")).toMatchObject({
      outcome: "blocked",
      codes: ["removed-too-early"],
    });
    expect(await drive({ spec: bgpSite("0.16.1") }).forward("remove-communities")).toMatchObject({
      outcome: "unneeded",
    });
  });
});
