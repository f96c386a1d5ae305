import { describe, expect, it } from "vitest";
import { clusterConfigOf } from "#infra/lab/in-memory.ts";
import { rehearsalReply } from "#shared/rehearsal/rehearsal-reply.ts";
import { orderedSteps, rehearse } from "#shared/rehearsal/rehearse.ts";
import { siteOfCluster } from "#shared/rehearsal/site-of-cluster.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import type { ClusterConfig, Site } from "#shared/site/site.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { managedByArgo } from "#shared/twin/sites/git-ops-faults.ts";
import { bgpSite } from "../steps/bgp-sites.ts";

const configOf = (spec: SiteSpec, site: Partial<Site> = {}): ClusterConfig => {
  const base = clusterConfigOf(spec);
  return { ...base, site: { ...base.site, routerIp: "10.4.0.1", routerPrefix: 20, ...site } };
};

async function rehearsed(
  spec: SiteSpec,
  given: Readonly<{ order?: readonly string[]; site?: Partial<Site>; bgp?: "up" | "down" }> = {},
) {
  const config = configOf(spec, given.site);
  const site = siteOfCluster(spec.objects, config, given.bgp ?? "up");
  if (!site.ok) throw new Error(site.missing.join(", "));
  const result = await rehearse({
    spec: site.spec,
    config,
    migration: bgpToL2,
    ...(given.order === undefined ? {} : { order: given.order }),
    inputs: {},
    clients: site.clients,
    startAt: Date.UTC(2026, 2, 1),
    readFile: () => Promise.reject(new Error("no files here")),
    settle: () => new Promise((go) => setImmediate(go)),
  });
  const reply = rehearsalReply("goldentooth", bgpToL2, result, site.assumed);
  return { ...result, reply, step: (id: string) => result.steps.find((step) => step.id === id) };
}

describe("the runbook's own order", () => {
  it("shows no gap for new connections anywhere, and the resets where BGP is withdrawn", async () => {
    const { steps, step, reply, addresses } = await rehearsed(bgpSite("0.16.1"));
    expect(
      steps.map(({ id, outcome }) => `${id} ${outcome}`).filter((line) => line.includes("halt")),
    ).toEqual([]);
    for (const { id, felt } of steps) {
      expect(
        Object.values(felt.gapMs).map((ms) => ms ?? 0),
        id,
      ).toEqual([0, 0, 0]);
      expect(felt.lost, id).toEqual([]);
    }
    const resets = step("withdraw-bgp")?.felt.resets;
    const before = step("canary")?.felt.resets;
    // From 0.16 on one address of the site goes first, and its connections with it.
    expect(before?.addresses).toBe(1);
    expect(resets?.addresses).toBe(addresses - 1);
    expect(resets?.nodes).toBeGreaterThan(2);
    expect(reply.verdict.outcome).toBe("ok");
    expect(plain(reply.verdict.text)).toMatch(/reset once \(canary: 1 address, .*withdraw-bgp: 4 addresses/);
    expect(step("create-l2advertisement")?.moved[0]?.before).toMatchObject({ layer2: [] });
    expect(step("withdraw-bgp")?.moved[0]?.after).toMatchObject({
      layer2: [expect.stringMatching(/\/eth0$/)],
      bgp: [],
    });
  });
});

describe("the story's order", () => {
  it("shows its outage, for as long as nobody makes the new way", async () => {
    const { steps, step, reply, addresses } = await rehearsed(bgpSite("0.16.1"), {
      order: ["withdraw-bgp", "create-l2advertisement"],
    });
    expect(steps[0]).toMatchObject({ id: "withdraw-bgp", outcome: "would-halt" });
    expect(steps[0]?.halts.map(({ code }) => code)).toContain("nothing-stands-yet");
    expect(steps[0]?.felt.gapMs["behind-router"]).toBeGreaterThan(10_000);
    expect(steps[0]?.felt.lost).toHaveLength(addresses);
    expect(step("create-l2advertisement")?.felt.lost).toEqual([]);
    expect(step("create-l2advertisement")?.felt.gapMs["behind-router"]).toBeGreaterThan(0);
    expect(reply.verdict).toMatchObject({ word: "OUTAGE", outcome: "failed" });
    expect(plain(reply.verdict.text)).toMatch(/none until a later step brings the addresses back/);
  });
});

describe("what would stop a run", () => {
  it("is a pause that is needed where GitOps heals: without it the withdrawal does not last", async () => {
    const managed = managedByArgo({ kinds: ["bgpadvertisements"] })(bgpSite("0.16.1"));
    const { step } = await rehearsed(managed, { order: ["survey", "pause-sync", "create-l2advertisement"] });
    expect(step("pause-sync")?.outcome).toBe("passed");
    expect(step("survey")?.text.map(String).join("")).not.toBe("");
  });

  it("is a step that is asked for and not there", () => {
    expect(orderedSteps(bgpToL2, ["withdraw-bgp", "dance"])).toEqual({ unknown: ["dance"] });
  });
});

describe("a cluster that is made into a model", () => {
  const spec = bgpSite("0.16.1");
  const build = (
    site: Partial<Site> = {},
    change: (config: ClusterConfig) => ClusterConfig = (config) => config,
  ) => siteOfCluster(spec.objects, change(configOf(spec, site)), "up");

  it("needs what only people know of the router", () => {
    const config = clusterConfigOf(spec);
    const { routerIp: _, routerPrefix: __, ...known } = config.site;
    expect(siteOfCluster(spec.objects, { ...config, site: known }, "up")).toEqual({
      ok: false,
      missing: ["site.routerIp", "site.routerPrefix"],
    });
  });

  it("needs nodes and speakers", () => {
    expect(siteOfCluster([], configOf(spec), "up")).toMatchObject({
      ok: false,
      missing: [expect.stringContaining("speakers"), expect.stringContaining("Node objects")],
    });
  });

  it("reads MetalLB's release and flags from its DaemonSet, and takes the clients that the config names", () => {
    expect(build()).toMatchObject({
      ok: true,
      spec: {
        metallb: { version: "0.16.1", namespace: "metallb", memberlist: true, ignoreExcludeLabel: false },
      },
      clients: [
        { name: "ops-host", place: "lan-wired" },
        { name: "laptop", place: "lan-wifi" },
        { name: "guest-client", place: "behind-router" },
      ],
    });
  });

  it("has clients of its own where the config names none", () => {
    const site = build({}, (config) => ({ ...config, vantages: [] }));
    expect(site.ok && site.clients.map(({ place }) => place)).toEqual([
      "lan-wired",
      "lan-wifi",
      "behind-router",
    ]);
  });

  it("tells what it takes for true, BGP among it", () => {
    const lines = (bgp: "up" | "down") => {
      const site = siteOfCluster(spec.objects, configOf(spec), bgp);
      return site.ok ? site.assumed.map(plain).join("\n") : "";
    };
    expect(lines("up")).toMatch(/the router at 10\.4\.0\.1 has sessions/);
    expect(lines("down")).toMatch(/no BGPPeer has a session/);
  });

  it("keeps what Argo CD tracks as what git has", () => {
    const managed = managedByArgo({ kinds: ["bgpadvertisements", "bgppeers"] })(spec);
    const site = siteOfCluster(managed.objects, configOf(spec), "up");
    expect(site.ok && site.spec.gitOps?.[0]?.objects.map(({ kind }) => kind)).toEqual([
      "bgpadvertisements",
      "bgppeers",
    ]);
  });
});
