import { describe, expect, it } from "vitest";
import { addObject, patchObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { twinOf } from "./twin-fixture.ts";

/** A router that speaks BGP, as before the story begins. */
const speaks: SiteFault = (spec) => ({ ...spec, router: { ...spec.router, speaksBgp: true } });
const outside = "guest-client";
const ip = "10.4.11.1";
const withVersion =
  (version: string): SiteFault =>
  (spec) => ({ ...spec, metallb: { ...spec.metallb, version } });
const patchAd = (spec: unknown): SiteFault => patchObject("bgpadvertisements", "primary", { spec });
const nodeCount = goldentooth().nodes.length;

describe("routes of a router that speaks BGP", () => {
  it("lead over every node that announces, and spread connections over them", () => {
    const { twin } = twinOf(withFaults(goldentooth(), speaks));
    expect(twin.bgp.nextHops(ip)).toHaveLength(nodeCount);
    const entered = new Set(
      Array.from({ length: 40 }, (_, flow) => twin.reach(outside, ip, flow).path.at(-1)),
    );
    expect(entered.size).toBeGreaterThan(5);
    expect(twin.reach(outside, ip, 3)).toEqual(twin.reach(outside, ip, 3));
  });

  it("are none without BGP in the router, and go with its BGP", () => {
    expect(twinOf(goldentooth()).twin.bgp.nextHops(ip)).toEqual([]);
    const { twin } = twinOf(withFaults(goldentooth(), speaks));
    twin.bgp.setSpeaking(false);
    expect(twin.bgp.nextHops(ip)).toEqual([]);
    expect(twin.reach(outside, ip).ok).toBe(false);
  });

  it("are told where the router listens: it refuses the port when it speaks no BGP", async () => {
    const port = async (twin: Twin): Promise<string> => {
      let said = "";
      await twin.run("allyrion", ["nc", "-z", "-v", "-w", "2", "10.4.0.1", "179"], {
        write: (_, text) => {
          said += text;
        },
        signal: new AbortController().signal,
      });
      return said;
    };
    expect(await port(twinOf(goldentooth()).twin)).toContain("Connection refused");
    const { twin } = twinOf(withFaults(goldentooth(), speaks));
    expect(await port(twin)).toContain("succeeded");
    twin.bgp.setSpeaking(false);
    expect(await port(twin)).toContain("Connection refused");
  });

  it.each([
    ["nodes", { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "dalt" } }] }, ["dalt"]],
    ["a peer that is not there", { peers: ["nobody"] }, []],
    ["another pool", { ipAddressPools: ["other"] }, []],
  ])("follow what an advertisement selects: %s", (_, spec, expected) => {
    expect(twinOf(withFaults(goldentooth(), speaks, patchAd(spec))).twin.bgp.nextHops(ip)).toEqual(expected);
  });

  it("follow serviceSelectors from 0.16 on, which older releases do not know", () => {
    const selecting = patchAd({
      serviceSelectors: [
        { matchExpressions: [{ key: "app.kubernetes.io/name", operator: "NotIn", values: ["httpbin"] }] },
      ],
    });
    const hops = (version: string) =>
      twinOf(withFaults(goldentooth(), speaks, withVersion(version), selecting)).twin.bgp;
    expect(hops("0.16.1").nextHops(ip)).toEqual([]);
    expect(hops("0.16.1").nextHops("10.4.11.2")).toHaveLength(nodeCount);
    expect(hops("0.15.2").nextHops(ip)).toHaveLength(nodeCount);
  });

  it("leave out a node that is kept from load balancing", async () => {
    const { twin, clock } = twinOf(withFaults(goldentooth(), speaks));
    twin.store.mergePatch("nodes", undefined, "dalt", {
      metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
    });
    await clock.advance(1_000);
    expect(twin.bgp.nextHops(ip)).not.toContain("dalt");
  });

  it("come back some seconds after the peer is configured again", async () => {
    const { twin, clock } = twinOf(withFaults(goldentooth(), speaks));
    const peer = twin.store.get("bgppeers", "metallb", "opnsense");
    twin.store.remove("bgppeers", "metallb", "opnsense");
    await clock.advance(1_000);
    expect(twin.bgp.nextHops(ip)).toEqual([]);
    twin.store.create("bgppeers", { metadata: { name: "opnsense", namespace: "metallb" }, spec: peer?.spec });
    await clock.advance(2_000);
    expect(twin.bgp.nextHops(ip)).toEqual([]);
    await clock.advance(2_000);
    expect(twin.bgp.nextHops(ip)).toHaveLength(nodeCount);
    expect(twin.bgp.established("dalt")).toEqual(["opnsense"]);
  });

  it.each([
    ["BFD, 3 x 300 ms", [] as SiteFault[], 900],
    [
      "its hold time without BFD",
      [patchObject("bgppeers", "opnsense", { spec: { bfdProfile: null } })],
      90_000,
    ],
  ])("believe in a dead node until %s", async (_, faults, ms) => {
    const { twin, clock } = twinOf(withFaults(goldentooth(), speaks, ...faults));
    twin.setPower("dalt", false);
    await clock.advance(ms - 100);
    expect(twin.bgp.nextHops(ip)).toContain("dalt");
    await clock.advance(200);
    expect(twin.bgp.nextHops(ip)).not.toContain("dalt");
  });
});

describe("connections that were made before", () => {
  const clients = (twin: Twin) => {
    for (let flow = 0; flow < 20; flow++) twin.connections.open(outside, ip, flow);
    return () => Object.groupBy(twin.connections.all(), ({ state }) => state);
  };

  it("are reset once when another node gets their packets, those that entered through the leader live on", async () => {
    const { twin, clock } = twinOf(withFaults(goldentooth(), speaks));
    const seen = clients(twin);
    twin.store.create("l2advertisements", { metadata: { name: "primary", namespace: "metallb" } });
    await clock.advance(10_000);
    twin.connections.send();
    expect(seen().open).toHaveLength(20);
    twin.store.remove("bgpadvertisements", "metallb", "primary");
    await clock.advance(1_000);
    twin.connections.send();
    const leader = twin.reach(outside, ip).path.at(-1);
    expect(seen().reset?.every(({ entered }) => entered !== leader)).toBe(true);
    expect(seen().open?.every(({ entered }) => entered === leader) ?? true).toBe(true);
    const resets = seen().reset?.length ?? 0;
    expect(resets).toBeGreaterThan(10);
    twin.connections.send();
    expect(seen().reset).toHaveLength(resets);
  });

  it("only stall while nobody carries them", async () => {
    const { twin, clock } = twinOf(withFaults(goldentooth(), speaks));
    const seen = clients(twin);
    twin.bgp.setSpeaking(false);
    twin.connections.send();
    expect(seen().stalled).toHaveLength(20);
    twin.bgp.setSpeaking(true);
    await clock.advance(5_000);
    twin.connections.send();
    expect(seen().open).toHaveLength(20);
  });
});

describe("a rollout of the speakers", () => {
  const native = (twin: Twin, image?: string) => {
    const found = twin.store.get("daemonsets", "metallb", "metallb-speaker");
    const { template } = found?.spec as {
      template: { spec: { containers: { env?: { name: string }[] }[] } };
    };
    const containers = template.spec.containers.slice(0, 1).map((each) => ({
      ...each,
      ...(image === undefined ? {} : { image }),
      env: (each.env ?? []).map((entry) =>
        entry.name === "METALLB_BGP_TYPE" ? { name: entry.name, value: "native" } : entry,
      ),
    }));
    twin.store.mergePatch("daemonsets", "metallb", "metallb-speaker", {
      spec: { template: { spec: { containers } } },
    });
  };

  it("to native mode with a BFDProfile left silences layer 2 too, and ConfigurationStates tell why", async () => {
    const { twin, clock } = twinOf(
      withFaults(
        goldentooth(),
        withVersion("0.15.3"),
        addObject("l2advertisements", { name: "primary", namespace: "metallb" }),
      ),
    );
    expect(twin.reach("ops-host", ip).ok).toBe(true);
    native(twin);
    await clock.advance(120_000);
    expect(twin.reach("laptop", ip)).toMatchObject({ ok: false });
    expect(twin.store.get("configurationstates", "metallb", "speaker-dalt")?.status).toMatchObject({
      result: "Invalid",
      errorSummary: expect.stringContaining("bfd profile primary"),
    });
    const pod = twin.store
      .list("pods", "metallb")
      .items.find(({ metadata }) => metadata.name.includes("speaker"));
    expect((pod?.spec as { containers: unknown[] }).containers).toHaveLength(1);
  });

  it("goes from node to node, and the addresses are answered again afterwards", async () => {
    const { twin, clock } = twinOf(healthy());
    const speakerPods = () =>
      twin.store.list("pods", "metallb").items.filter(({ metadata }) => metadata.name.includes("speaker"));
    native(twin, "quay.io/metallb/speaker:v0.16.2");
    await clock.advance(2_000);
    expect(speakerPods()).toHaveLength(nodeCount - 1);
    await clock.advance(120_000);
    expect(speakerPods()).toHaveLength(nodeCount);
    expect(JSON.stringify(speakerPods())).not.toContain("speaker:v0.16.1");
    expect(twin.reach("ops-host", ip).ok).toBe(true);
  });
});
