import { describe, expect, it } from "vitest";
import { judgeRouter } from "#shared/migration/hops.ts";
import { smallestPrefix } from "#shared/migration/router-needs.ts";
import { plain } from "#shared/text.ts";
import { staticRoute, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive, type Given } from "./drive.ts";

const down = { survey: { bgp: "down" } };

/** After layer 2 stands, as the run has it. */
async function asked(given: Given) {
  const at = drive({ inputs: { accept: "pool-has-0-or-255" }, ...given });
  const created = await at.forward("create-l2advertisement");
  expect(created.outcome).toBe("passed");
  return at.forward("router");
}

describe("router", () => {
  it("passes where the first node on the way follows the announcers", async () => {
    const came = await asked({ spec: goldentooth(), notes: down });
    expect(came.outcome).toBe("passed");
    expect(came.text).toMatch(/follows the announcers: \d different/);
    expect(came.plan?.instructions).toEqual([]);
  });

  it("fails where everything goes via one node, whatever the site description says", async () => {
    const spec = withFaults(goldentooth(), staticRoute("10.4.11.0/24", "10.4.0.15"));
    const came = await asked({ spec, notes: down });
    expect([came.outcome, came.codes]).toEqual(["failed", ["via-a-node"]]);
    expect(came.text).toMatch(/via fenn/);
  });

  it.each<readonly [string, Given["site"], string, RegExp]>([
    ["nothing", {}, "nothing", /^$/],
    ["a wider prefix", { routerPrefix: 24 }, "wider-prefix", /widen the LAN prefix to 10\.4\.0\.0\/20/],
    [
      "a route to go",
      { staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.15" }] },
      "remove-route",
      /delete the static route 10\.4\.11\.0\/24 via 10\.4\.0\.15/,
    ],
    [
      "another segment",
      { lanPrefix: "10.4.0.0/21", routerPrefix: 21 },
      "other-segment",
      /not in 10\.4\.0\.0\/21/,
    ],
    ["a look", { routerPrefix: undefined as unknown as number }, "unknown", /site\.routerPrefix/],
  ])("tells a person: %s", async (_what, site, needs, said) => {
    const at = drive({ spec: goldentooth(), notes: down, ...(site === undefined ? {} : { site }) });
    const plan = await at.on(async (context) => {
      const { router } = await import("#shared/steps/router.ts");
      return router.plan(context);
    });
    expect(plan.predicted).toEqual({ needs });
    expect(plan.instructions.map(plain).join("\n")).toMatch(said);
    expect(plan.deeds).toEqual([]);
  });

  it("is unknown where nobody can see it, and never passed", async () => {
    const came = await asked({
      spec: goldentooth(),
      notes: down,
      vantages: (all) => all.filter(({ place }) => place !== "behind-router"),
    });
    expect(came.outcome).toBe("unknown");
    expect(came.text).toMatch(/said by you/);
  });

  it("waits for the canary where BGP still leads everywhere and the site needs nothing", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    await at.forward("survey");
    expect(await at.forward("router")).toMatchObject({ outcome: "unneeded" });
    const unsaid = drive({ spec: bgpSite("0.16.1"), site: { routerPrefix: undefined as unknown as number } });
    await unsaid.forward("survey");
    await unsaid.forward("create-l2advertisement");
    const came = await unsaid.forward("router");
    expect([came.outcome, came.text]).toEqual([
      "unknown",
      expect.stringMatching(/BGP still leads to every address/),
    ]);
  });
});

describe("a BGP of which nothing is known", () => {
  it("is not taken for a route by way of a node", async () => {
    const at = drive({ spec: bgpSite("0.16.1"), notes: { survey: { bgp: "unknown" } } });
    await at.forward("create-l2advertisement");
    const came = await at.forward("router");
    expect([came.outcome, came.codes]).toEqual(["unknown", []]);
  });
});

describe("what hops say about a router", () => {
  const path = (ip: string, ...nodes: readonly string[]) => ({ ip, nodes, hops: [], silentAt: undefined });
  const announcers = new Map([
    ["10.4.11.1", "bettley"],
    ["10.4.11.2", "dalt"],
    ["10.4.11.3", "bettley"],
  ]);

  it.each([
    ["each its announcer", [path("10.4.11.1", "bettley"), path("10.4.11.2", "dalt")], "on-link"],
    [
      "one node for all",
      [path("10.4.11.1", "fenn", "bettley"), path("10.4.11.2", "fenn", "dalt")],
      "via-node",
    ],
    [
      "one node that announces some",
      [path("10.4.11.1", "bettley"), path("10.4.11.2", "bettley", "dalt")],
      "via-node",
    ],
    ["one announcer of all", [path("10.4.11.1", "bettley"), path("10.4.11.3", "bettley")], "open"],
    ["nobody says anything", [path("10.4.11.1")], "open"],
    ["nothing followed", [], "open"],
  ])("%s", (_what, paths, kind) => {
    expect(judgeRouter(paths, announcers).kind).toBe(kind);
  });

  it("finds the smallest prefix for pool and router", () => {
    expect(smallestPrefix(["10.4.11.0-10.4.15.254"])).toBe("10.4.8.0/21");
    expect(smallestPrefix(["10.4.11.0-10.4.15.254", "10.4.0.1/32"])).toBe("10.4.0.0/20");
    expect(smallestPrefix([])).toBeUndefined();
  });
});
