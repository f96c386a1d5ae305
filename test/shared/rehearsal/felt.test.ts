import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { watchClients } from "#shared/rehearsal/felt.ts";
import type { LoadBalancerPlan } from "#shared/twin/sites/site-plan.ts";
import { bgpPlan, bgpSite } from "../steps/bgp-sites.ts";
import { twinOf } from "../twin/twin-fixture.ts";

const nodes = bgpPlan.nodes.map(({ name }) => name);
const clients = [
  { name: "ops-host", place: "lan-wired" },
  { name: "laptop", place: "lan-wifi" },
  { name: "guest-client", place: "behind-router" },
] as const;

/** Services on any nodes, with either policy. */
const services = fc
  .array(
    fc.record({
      on: fc.subarray(nodes, { minLength: 1 }),
      policy: fc.constantFrom("Cluster" as const, "Local" as const),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((plans) =>
    plans.map(
      (plan, i): LoadBalancerPlan => ({
        ...plan,
        name: `s${i}`,
        namespace: "default",
        ip: `10.4.11.${i + 1}`,
        port: 80,
      }),
    ),
  );

async function moved(version: string, plans: readonly LoadBalancerPlan[], makeFirst: boolean) {
  const { twin, clock } = twinOf(bgpSite(version, { services: plans }));
  const watch = watchClients(twin, clients, () => plans.map(({ ip }) => ip));
  const make = () =>
    twin.store.create("l2advertisements", { metadata: { name: "primary", namespace: "metallb" } });
  const withdraw = () => twin.store.remove("bgpadvertisements", "metallb", "primary");
  for (const act of makeFirst ? [make, withdraw] : [withdraw, make]) {
    act();
    await clock.advance(4_000);
  }
  const felt = watch.mark();
  watch.stop();
  twin.stop();
  return felt;
}

describe("whatever the services, their policies and MetalLB's release", () => {
  const given = [fc.constantFrom("0.13.12", "0.14.9", "0.15.2", "0.16.1"), services] as const;

  it("made before it is broken, no new connection fails", async () => {
    await fc.assert(
      fc.asyncProperty(...given, async (version, plans) => {
        const { gapMs, lost } = await moved(version, plans, true);
        expect(lost).toEqual([]);
        expect(Object.values(gapMs).filter((ms) => ms !== undefined && ms > 0)).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  it("broken before it is made, clients behind the router notice, and get their addresses back", async () => {
    await fc.assert(
      fc.asyncProperty(...given, async (version, plans) => {
        const { gapMs, lost } = await moved(version, plans, false);
        expect(lost).toEqual([]);
        expect(gapMs["behind-router"]).toBeGreaterThanOrEqual(3_600);
      }),
      { numRuns: 8 },
    );
  });
});
