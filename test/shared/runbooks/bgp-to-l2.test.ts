import { describe, expect, it } from "vitest";
import { migrations } from "#shared/runbooks/all.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { comeBack, done } from "#shared/runs/people.ts";
import type { ClusterConfig } from "#shared/site/site.ts";
import { steps } from "#shared/steps/all.ts";
import { plain } from "#shared/text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { bgpSite } from "../steps/bgp-sites.ts";
import { type Drive, drive } from "../steps/drive.ts";
import { runOnTwin } from "../steps/run-on-twin.ts";
import { setBgpMode, touched } from "../steps/world.ts";

const ids = bgpToL2.steps.map(({ id }) => id);

/** Goes through every step; the values are applied by hand where the run asks for it. */
async function throughAll(at: Drive): Promise<readonly string[]> {
  const said: string[] = [];
  for (const id of ids) {
    if (id === "frr-off") setBgpMode(at.twin, "native");
    const { outcome, codes } = await at.forward(id);
    said.push(`${id} ${outcome}${codes.length === 0 ? "" : ` ${codes.join(" ")}`}`);
  }
  return said;
}

describe("bgp-to-l2", () => {
  it("is registered, and makes before it breaks", () => {
    expect(migrations).toContain(bgpToL2);
    expect(bgpToL2.steps.filter((step) => !steps.includes(step))).toEqual([]);
    const precedes = (first: string, second: string) => ids.indexOf(first) < ids.indexOf(second);
    for (const proof of ["snapshot", "create-l2advertisement", "prove-on-wire", "router", "canary"])
      expect(precedes(proof, "withdraw-bgp"), proof).toBe(true);
    expect(precedes("withdraw-bgp", "remove-bgp-peers")).toBe(true);
    expect(precedes("remove-bgp-peers", "remove-bfd-profiles")).toBe(true);
    expect(precedes("remove-bfd-profiles", "frr-off")).toBe(true);
    expect(ids.at(-1)).toBe("final-verification");
    for (const { reversibleWhile, title } of bgpToL2.steps) {
      expect(title).not.toBe("");
      expect(plain(reversibleWhile)).not.toBe("");
    }
  });

  it("goes from a router with BGP to layer 2, one address first, and nothing is left open", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    expect(await throughAll(at)).toEqual([
      "survey passed",
      "snapshot passed",
      "node-interfaces passed",
      "pause-sync unneeded",
      "create-l2advertisement passed",
      "prove-on-wire passed",
      "router unneeded",
      "canary passed",
      "withdraw-bgp passed",
      "remove-canary unneeded",
      "remove-bgp-peers passed",
      "remove-bfd-profiles passed",
      "remove-communities unneeded",
      // FRR was native before the step was asked: there is nothing left of it to do.
      "frr-off unneeded",
      "persist passed",
      "resume-sync unneeded",
      "final-verification passed",
    ]);
    expect(Object.keys(touched(at.twin))).toEqual(["ipaddresspools/primary", "l2advertisements/primary"]);
  });

  it("goes with an echo where MetalLB cannot leave a Service out of BGP", async () => {
    const at = drive({ spec: bgpSite("0.15.2") });
    const said = await throughAll(at);
    expect(said.filter((line) => !/ (passed|unneeded)$/.test(line))).toEqual([]);
    expect(said).toContain("canary passed");
    expect(said).toContain("remove-canary passed");
    expect(Object.keys(touched(at.twin))).toEqual(["ipaddresspools/primary", "l2advertisements/primary"]);
  });

  it("says repair where BGP is down, and stops at nodes that would answer twice", async () => {
    const at = drive({ spec: goldentooth() });
    expect((await at.forward("survey")).text).toMatch(/repair, not migration/);
    await at.forward("snapshot");
    const gate = await at.forward("node-interfaces");
    expect(gate.outcome).toBe("failed");
    expect(gate.codes).toContain("wired-and-wifi");
    expect(gate.text).toMatch(/karstark/);
    const canary = await at.forward("canary");
    expect(canary).toMatchObject({ outcome: "unneeded" });
    expect(canary.text).toMatch(/down already/);
  });

  it("comes back the whole way", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    const before = touched(at.twin);
    const undone: string[] = [];
    for (const id of ids.slice(0, ids.indexOf("frr-off"))) {
      const { outcome, plan } = await at.forward(id);
      expect(["passed", "unneeded"]).toContain(outcome);
      if (plan !== undefined && plan.undo.length > 0) undone.push(id);
    }
    expect(touched(at.twin)).not.toEqual(before);
    for (const id of undone.toReversed()) await at.back(id);
    expect(touched(at.twin)).toEqual(before);
    await at.on(({ ports }) => ports.clock.sleep(30_000));
    expect(at.twin.reach("guest-client", "10.4.11.1").ok).toBe(true);
  });

  it("runs in the engine: five approvals, one thing said by hand, and back before that", async () => {
    const config = (given: ClusterConfig): ClusterConfig => ({
      ...given,
      site: { ...given.site, routerIp: "10.4.0.1", routerPrefix: 20 },
    });
    const asks = [
      "create-l2advertisement",
      "canary",
      "withdraw-bgp",
      "remove-bgp-peers",
      "remove-bfd-profiles",
    ];
    const whole = runOnTwin(bgpSite("0.16.1"), bgpToL2, {}, { config });
    const going = runOnTwin(bgpSite("0.16.1"), bgpToL2, {}, { config });
    const before = touched(going.twin);
    for (const run of [whole, going]) {
      await run.start();
      for (const id of asks) {
        const asked = (await run.state()).steps.find(
          (step) => step.asked !== undefined && step.approved === undefined,
        );
        expect(asked?.id).toBe(id);
        await run.approve();
        await run.go();
      }
    }
    setBgpMode(whole.twin, "native");
    expect(await done(whole.runner, "R-7", "olive", "applied")).toMatchObject({ ok: true });
    expect((await whole.go()).stopped).toBe("ended");
    expect(await whole.steps()).toContainEqual(
      expect.stringMatching(/^final-verification done: .* nothing of BGP is left/),
    );

    expect(await comeBack(going.runner, "R-7", "olive", undefined)).toMatchObject({ ok: true });
    expect((await going.go()).stopped).toBe("ended");
    expect(touched(going.twin)).toEqual(before);
    expect(going.twin.reach("guest-client", "10.4.11.1").ok).toBe(true);
  });
});
