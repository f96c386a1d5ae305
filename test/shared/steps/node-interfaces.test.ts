import { describe, expect, it } from "vitest";
import { checks } from "#shared/checks/all.ts";
import { FaultError } from "#shared/fault.ts";
import { interfaceChecks } from "#shared/steps/node-interfaces.ts";
import { onNic, wifiOn, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";

describe("node-interfaces", () => {
  it("asks registered checks only", () => {
    expect(interfaceChecks.filter((check) => !checks.includes(check))).toEqual([]);
  });

  it("passes where every node answers by one interface", async () => {
    const came = await drive({ spec: bgpSite("0.16.1") }).forward("node-interfaces");
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
    expect(came.text).toMatch(/5 nodes/);
    expect(came.plan?.deeds).toEqual([]);
  });

  it.each([
    ["Wi-Fi beside the cable", wifiOn("dalt", "10.4.1.30"), "wired-and-wifi"],
    ["no cable at all", onNic("dalt", "eth0", { carrier: false }), "lan-nic-no-carrier"],
  ])("fails with %s, and names the node", async (_what, fault, code) => {
    const came = await drive({ spec: withFaults(bgpSite("0.16.1"), fault) }).forward("node-interfaces");
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain(code);
    expect(came.text).toMatch(/dalt/);
  });

  it("is unknown when a node does not answer", async () => {
    const at = drive({
      spec: bgpSite("0.16.1"),
      around: (ports) => ({
        ...ports,
        shell: async (target, command, options) => {
          if (target.name !== "dalt") return ports.shell(target, command, options);
          throw new FaultError({ kind: "refused", what: "ssh to dalt", detail: "connection refused" });
        },
      }),
    });
    const came = await at.forward("node-interfaces");
    expect(came.outcome).toBe("unknown");
    expect(came.codes).toEqual(["could-not-look"]);
  });
});
