import { describe, expect, it } from "vitest";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";

describe("remove-canary", () => {
  it("takes the echo away, its Service first", async () => {
    const at = drive({ spec: bgpSite("0.15.2") });
    await at.forward("create-l2advertisement");
    await at.forward("canary");
    const came = await at.forward("remove-canary");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.deeds.map(({ title }) => title)).toEqual([
      "delete Service httpbin/arpeggio-canary",
      "delete L2Advertisement metallb/arpeggio-canary",
      "delete IPAddressPool metallb/arpeggio-canary",
    ]);
    expect(at.twin.store.get("services", "httpbin", "arpeggio-canary")).toBeUndefined();
    expect(at.twin.store.get("l2advertisements", "metallb", "primary")).toBeDefined();
  });

  it("has nothing to do after a canary that was only left out of BGP", async () => {
    expect(await drive({ spec: bgpSite("0.16.1") }).forward("remove-canary")).toMatchObject({
      outcome: "unneeded",
    });
  });
});
