import { describe, expect, test } from "vitest";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { onMachine, onNic, staticRoute, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinOf } from "./twin-fixture.ts";

const withBgpRouter = (spec: SiteSpec): SiteSpec => ({
  ...spec,
  router: { ...spec.router, speaksBgp: true },
});

describe("what a client gets", () => {
  test("healthy: by the leader, from the LAN directly and from behind the router through it", () => {
    const { twin } = twinOf(healthy());
    expect(twin.reach("ops-host", "10.4.11.1")).toEqual({ ok: true, path: ["ops-host", "cargyll"] });
    expect(twin.reach("laptop", "10.4.11.1")).toEqual({ ok: true, path: ["laptop", "cargyll"] });
    expect(twin.reach("guest-client", "10.4.11.1")).toEqual({
      ok: true,
      path: ["guest-client", "router", "cargyll"],
    });
  });

  test("goldentooth: nothing is reached from outside, everything from a node: that proves nothing", () => {
    const { twin } = twinOf(goldentooth());
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: false, because: "no-answer" });
    expect(twin.reach("guest-client", "10.4.11.1")).toMatchObject({ ok: false, because: "no-answer" });
    expect(twin.reach("bettley", "10.4.11.1")).toEqual({ ok: true, path: ["bettley"] });
  });

  test("with a router that speaks BGP the old way works, until the advertisement is deleted", async () => {
    const { twin, clock } = twinOf(withBgpRouter(goldentooth()));
    expect(twin.reach("guest-client", "10.4.11.1")).toMatchObject({ ok: true });
    twin.store.remove("bgpadvertisements", "metallb", "primary");
    await clock.advance(1_000);
    expect(twin.reach("guest-client", "10.4.11.1")).toMatchObject({ ok: false, because: "no-answer" });
  });

  test("layer 2 first, BGP away second: served all the time", async () => {
    const { twin, clock } = twinOf(withBgpRouter(goldentooth()));
    twin.store.create("l2advertisements", { metadata: { name: "primary", namespace: "metallb" } });
    for (let i = 0; i < 20; i++) {
      if (i === 10) twin.store.remove("bgpadvertisements", "metallb", "primary");
      await clock.advance(100);
      expect(twin.reach("guest-client", "10.4.11.1"), `${i}`).toMatchObject({ ok: true });
    }
  });

  test("the leader dies: a warm cache points at the dead until gratuitous frames move it", async () => {
    const { twin, clock } = twinOf(healthy());
    expect(twin.reach("ops-host", "10.4.11.1")).toEqual({ ok: true, path: ["ops-host", "cargyll"] });
    twin.setPower("cargyll", false);
    await clock.advance(3_000);
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: false, because: "dead-neighbour" });
    await clock.advance(3_000);
    expect(twin.reach("ops-host", "10.4.11.1")).toEqual({ ok: true, path: ["ops-host", "dalt"] });
  });

  test("a receiver that drops gratuitous ARP gives the dead up after 8 s", async () => {
    const { twin, clock } = twinOf(healthy());
    twin.setSysctl("ops-host", "net.ipv4.conf.all.drop_gratuitous_arp", "1");
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: true });
    twin.setPower("cargyll", false);
    await clock.advance(7_000);
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: false, because: "dead-neighbour" });
    await clock.advance(8_000);
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: true });
  });

  test("a static route by way of a node: the leader is irrelevant and that node the single point of failure", () => {
    const { twin } = twinOf(withFaults(healthy(), staticRoute("10.4.11.0/24", "10.4.0.11")));
    expect(twin.reach("guest-client", "10.4.11.1")).toEqual({
      ok: true,
      path: ["guest-client", "router", "bettley"],
    });
    twin.setPower("bettley", false);
    expect(twin.reach("guest-client", "10.4.11.1")).toMatchObject({ ok: false, because: "dead-neighbour" });
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: true });
    // Policy Local breaks, because bettley runs no pod of it.
    const other = twinOf(withFaults(healthy(), staticRoute("10.4.11.0/24", "10.4.0.11"))).twin;
    expect(other.reach("guest-client", "10.4.11.4")).toMatchObject({ ok: false, because: "no-endpoint" });
  });

  test("a router whose prefix does not contain the pool has no route to it", () => {
    const { twin } = twinOf(withFaults(healthy(), onNic("router", "lan", { addresses: ["10.4.0.1/24"] })));
    expect(twin.reach("guest-client", "10.4.11.1")).toMatchObject({ ok: false, because: "no-route" });
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: true });
  });

  test("proxy ARP answers for an address whose announcer is silent: a foreign MAC", () => {
    const { twin } = twinOf(goldentooth());
    twin.setProxyArp(true, "b0:4e:26:7f:10:99");
    expect(twin.reach("ops-host", "10.4.11.1")).toMatchObject({ ok: false, because: "foreign-mac" });
  });

  test("rp_filter=1 drops what arrives on wlan0 of a dual-homed leader", () => {
    const spec = withFaults(
      goldentoothL2(),
      onMachine("karstark", { sysctls: { "net.ipv4.conf.all.rp_filter": "1" } }),
    );
    const { twin } = twinOf(spec);
    expect(twin.reach("ops-host", "10.4.11.3")).toMatchObject({ ok: true });
    // With eth0 enslaved only wlan0 answers; the way back still leaves by eth0.
    const wlanOnly = twinOf(withFaults(spec, onNic("karstark", "eth0", { master: "br0" }))).twin;
    expect(wlanOnly.reach("ops-host", "10.4.11.3")).toMatchObject({ ok: false, because: "reverse-path" });
  });
});
