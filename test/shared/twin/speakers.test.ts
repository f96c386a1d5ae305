import { describe, expect, test } from "vitest";
import { electionHash } from "#shared/metallb/announcer.ts";
import { parseMetalLbObjects } from "#shared/metallb/resources.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { TwinFixture } from "./twin-fixture.ts";
import { macsIn, twinOf } from "./twin-fixture.ts";

const addressesOf = ({ twin }: TwinFixture): readonly string[] =>
  parseMetalLbObjects(twin.store.list("services").items).objects.services.flatMap(({ ingress }) =>
    ingress.flatMap(({ ip }) => ip ?? []),
  );

/** The node that owns each MAC, by the site's own description. */
const ownersIn = (spec: SiteSpec): ReadonlyMap<string, string> =>
  new Map(spec.nodes.flatMap((node) => node.nics.map((nic) => [nic.mac, node.name] as const)));

/** Without a deadline arping reads the whole second, so every answer counts. */
const answering = async (
  fixture: TwinFixture,
  ip: string,
  vantage = "ops-host",
): Promise<readonly string[]> => macsIn((await fixture.run(vantage, `arping -b -c 1 -I eth0 ${ip}`)).stdout);

const everyone = async (fixture: TwinFixture): Promise<Readonly<Record<string, readonly string[]>>> => {
  const all: Record<string, readonly string[]> = {};
  for (const ip of addressesOf(fixture)) {
    all[ip] = await answering(fixture, ip);
  }
  return all;
};

const events = ({ twin }: TwinFixture, reason: string) =>
  twin.store.list("events").items.filter((event) => event.reason === reason);

const firstByHash = (nodes: readonly string[], ip: string): string =>
  [...nodes].sort((a, b) => (electionHash(a, ip) < electionHash(b, ip) ? -1 : 1))[0] ?? "";

describe("who answers", () => {
  test("healthy: exactly one MAC for every address, on the node that hashes first", async () => {
    const spec = healthy();
    const fixture = twinOf(spec);
    const owners = ownersIn(spec);
    const names = spec.nodes.map(({ name }) => name);
    const all = await everyone(fixture);
    expect(Object.keys(all)).toHaveLength(13);
    for (const [ip, macs] of Object.entries(all)) {
      expect(macs, ip).toHaveLength(1);
      const candidates = ip === "10.4.11.4" ? ["gardener", "jast"] : names;
      expect(owners.get(macs[0] ?? ""), ip).toBe(firstByHash(candidates, ip));
    }
  });

  test("goldentooth: BGP to a router without BGP, so nobody answers ARP for anything", async () => {
    const fixture = twinOf(goldentooth());
    expect(Object.values(await everyone(fixture)).flat()).toEqual([]);
    expect(events(fixture, "nodeAssigned").map(({ message }) => message)).toContain(
      'announcing from node "karstark" with protocol "bgp"',
    );
  });

  test("goldentooth-l2: the addresses karstark leads are answered by both of its interfaces", async () => {
    const fixture = twinOf(goldentoothL2());
    const all = await everyone(fixture);
    for (const ip of ["10.4.11.3", "10.4.11.6", "10.4.11.12"])
      expect(all[ip], ip).toEqual(["dc:a6:32:0a:1b:0b", "dc:a6:32:0a:1b:0c"]);
    expect(all["10.4.11.1"]).toEqual(["dc:a6:32:0a:13:0b"]);
  });

  test("an L2Advertisement makes every address answer within a second, deleting it silences them", async () => {
    const fixture = twinOf(goldentooth());
    const { store } = fixture.twin;
    expect(store.create("l2advertisements", { metadata: { name: "primary", namespace: "metallb" } }).ok).toBe(
      true,
    );
    await fixture.clock.advance(1_000);
    for (const [ip, macs] of Object.entries(await everyone(fixture))) expect(macs, ip).not.toEqual([]);
    expect(store.remove("l2advertisements", "metallb", "primary").ok).toBe(true);
    await fixture.clock.advance(1_000);
    expect(Object.values(await everyone(fixture)).flat()).toEqual([]);
  });

  test("restricting the advertisement to eth0 leaves one MAC; a second unrestricted one undoes that", async () => {
    const fixture = twinOf(goldentoothL2());
    const { store } = fixture.twin;
    store.mergePatch("l2advertisements", "metallb", "primary", { spec: { interfaces: ["eth0"] } });
    await fixture.clock.advance(1_000);
    expect(await answering(fixture, "10.4.11.3")).toEqual(["dc:a6:32:0a:1b:0b"]);
    store.create("l2advertisements", { metadata: { name: "second", namespace: "metallb" } });
    await fixture.clock.advance(1_000);
    expect((await everyone(fixture))["10.4.11.3"]).toHaveLength(2);
  });

  test("interfaces that the leader does not have: silence, announceFailed, and still nodeAssigned", async () => {
    const fixture = twinOf(healthy());
    fixture.twin.store.mergePatch("l2advertisements", "metallb", "primary", {
      spec: { interfaces: ["enp1s0"] },
    });
    await fixture.clock.advance(1_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
    expect(events(fixture, "announceFailed").map(({ message }) => message)).toContain(
      'the interfaces specified by LB IP "10.4.11.1" doesn\'t exist in assigned node "cargyll" with protocol "layer2"',
    );
    expect(
      events(fixture, "nodeAssigned").some(
        ({ message, count }) =>
          message === 'announcing from node "cargyll" with protocol "layer2"' && Number(count) > 1,
      ),
    ).toBe(true);
  });

  test("an illegal selector that got past the webhook: speakers keep what they had, a restarted one is silent", async () => {
    const fixture = twinOf(healthy());
    const { store } = fixture.twin;
    store.create("l2advertisements", {
      metadata: { name: "star", namespace: "metallb" },
      spec: { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }] },
    });
    await fixture.clock.advance(1_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:13:0b"]);
    expect(store.get("configurationstates", "metallb", "speaker-cargyll")?.status).toMatchObject({
      result: "Invalid",
    });
    fixture.twin.stopSpeaker("cargyll");
    fixture.twin.startSpeaker("cargyll");
    await fixture.clock.advance(1_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
  });

  test("native speakers refuse everything while a BFDProfile is left, and FRR ones do not", async () => {
    const fixture = twinOf(healthy());
    const profile = { metadata: { name: "primary", namespace: "metallb" }, spec: { detectMultiplier: 3 } };
    fixture.twin.store.create("bfdprofiles", profile);
    await fixture.clock.advance(1_000);
    expect(fixture.twin.store.get("configurationstates", "metallb", "controller")?.status).toMatchObject({
      result: "Invalid",
    });
    expect(twinOf(goldentoothL2()).twin.store.list("bfdprofiles").items).toHaveLength(1);
    expect(await answering(twinOf(goldentoothL2()), "10.4.11.1")).toHaveLength(1);
  });

  test("wlan0 goes down: its responder is gone with the next scan, 10 s at most", async () => {
    const fixture = twinOf(goldentoothL2());
    fixture.twin.setLink("karstark", "wlan0", { carrier: false });
    await fixture.clock.advance(60_000);
    fixture.twin.setLink("karstark", "wlan0", { carrier: true });
    expect((await everyone(fixture))["10.4.11.3"]).toHaveLength(2);
    await fixture.run("karstark", "ip link set wlan0 down");
    await fixture.clock.advance(10_000);
    expect((await everyone(fixture))["10.4.11.3"]).toEqual(["dc:a6:32:0a:1b:0b"]);
    fixture.twin.setLink("karstark", "wlan0", { up: true });
    expect(await answering(fixture, "10.4.11.3")).toHaveLength(1);
    await fixture.clock.advance(10_000);
    expect((await everyone(fixture))["10.4.11.3"]).toHaveLength(2);
  });

  test("a node gets no answer for the address it announces itself", async () => {
    const fixture = twinOf(healthy());
    const { stdout, exitCode } = await fixture.run("cargyll", "arping -b -c 2 -w 3 -I eth0 10.4.11.1");
    expect([macsIn(stdout), exitCode]).toEqual([[], 1]);
    expect(
      macsIn((await fixture.run("bettley", "arping -b -c 1 -w 3 -I eth0 10.4.11.1")).stdout),
    ).toHaveLength(1);
  });

  test("IPVS without strictARP: every node answers; with it, the leader alone", async () => {
    const fixture = twinOf(healthy());
    const config = (strictArp: boolean) => ({
      data: { "config.conf": `mode: "ipvs"\nipvs:\n  strictARP: ${strictArp}\n` },
    });
    fixture.twin.store.mergePatch("configmaps", "kube-system", "kube-proxy", config(false));
    await fixture.clock.advance(1_000);
    expect((await everyone(fixture))["10.4.11.1"]).toHaveLength(13);
    fixture.twin.store.mergePatch("configmaps", "kube-system", "kube-proxy", config(true));
    await fixture.clock.advance(1_000);
    expect((await everyone(fixture))["10.4.11.1"]).toEqual(["dc:a6:32:0a:13:0b"]);
    expect((await fixture.run("dalt", "sysctl -n net.ipv4.conf.all.arp_ignore")).stdout).toBe("1\n");
  });

  test("proxy ARP: a foreign MAC answers for an address that nobody has", async () => {
    const fixture = twinOf(healthy());
    expect(await answering(fixture, "10.4.10.250")).toEqual([]);
    fixture.twin.setProxyArp(true, "b0:4e:26:7f:10:99");
    expect(await answering(fixture, "10.4.10.250")).toEqual(["b0:4e:26:7f:10:99"]);
    fixture.twin.setProxyArp(false, "b0:4e:26:7f:10:99");
    expect(await answering(fixture, "10.4.10.250")).toEqual([]);
  });
});

describe("who moves", () => {
  test("stopping a speaker that leads nothing moves nothing; stopping a leader moves its addresses alone", async () => {
    const spec = healthy();
    const owners = ownersIn(spec);
    const before = await everyone(twinOf(spec));
    const leaderOf = (ip: string) => owners.get(before[ip]?.[0] ?? "");
    for (const { name } of spec.nodes) {
      const fixture = twinOf(spec);
      fixture.twin.stopSpeaker(name);
      await fixture.clock.advance(200);
      for (const [ip, macs] of Object.entries(await everyone(fixture))) {
        if (leaderOf(ip) === name) expect(owners.get(macs[0] ?? ""), `${name} ${ip}`).not.toBe(name);
        else expect(macs, `${name} ${ip}`).toEqual(before[ip]);
        expect(macs.length, `${name} ${ip}`).toBe(1);
      }
    }
  });

  test("a node dies: silence until the members notice after 5.5 s, then its addresses answer elsewhere", async () => {
    const fixture = twinOf(healthy());
    fixture.twin.setPower("cargyll", false);
    await fixture.clock.advance(4_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
    await fixture.clock.advance(3_000);
    // cargyll, dalt, allyrion is the order for this address.
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:14:0b"]);
    expect(fixture.twin.isReachable("cargyll")).toBe(false);
    fixture.twin.setPower("cargyll", true);
    await fixture.clock.advance(25_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:13:0b"]);
  });

  test("without memberlist a dead node is never noticed", async () => {
    const spec = healthy();
    const fixture = twinOf({ ...spec, metallb: { ...spec.metallb, memberlist: false } });
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:13:0b"]);
    fixture.twin.setPower("cargyll", false);
    await fixture.clock.advance(3_600_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
  });

  test("a partition makes two leaders, healing makes one", async () => {
    const fixture = twinOf(healthy());
    fixture.twin.partition([["allyrion", "bettley", "cargyll"]]);
    await fixture.clock.advance(7_000);
    expect((await everyone(fixture))["10.4.11.1"]).toEqual(
      expect.arrayContaining(["dc:a6:32:0a:13:0b", "dc:a6:32:0a:14:0b"]),
    );
    fixture.twin.partition([]);
    await fixture.clock.advance(2_000);
    expect((await everyone(fixture))["10.4.11.1"]).toEqual(["dc:a6:32:0a:13:0b"]);
  });

  test("the exclude label moves an address away and its removal brings it back", async () => {
    const fixture = twinOf(healthy());
    const label = (value: string | null) =>
      fixture.twin.store.mergePatch("nodes", undefined, "cargyll", {
        metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": value } },
      });
    label("");
    await fixture.clock.advance(500);
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:14:0b"]);
    label(null);
    await fixture.clock.advance(500);
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:13:0b"]);
  });

  test("policy Local follows its endpoints; without any endpoint nobody answers", async () => {
    const spec = healthy();
    const fixture = twinOf(spec);
    const owners = ownersIn(spec);
    const [leader] = await answering(fixture, "10.4.11.4");
    const name = owners.get(leader ?? "") ?? "";
    expect(["gardener", "jast"]).toContain(name);
    fixture.twin.setPower(name, false);
    await fixture.clock.advance(60_000);
    const [next] = await answering(fixture, "10.4.11.4");
    expect(owners.get(next ?? "")).toBe(name === "jast" ? "gardener" : "jast");
    const slice = fixture.twin.store
      .list("endpointslices", "httpbin")
      .items.find(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "httpbin");
    fixture.twin.store.mergePatch("endpointslices", "httpbin", slice?.metadata.name ?? "", { endpoints: [] });
    await fixture.clock.advance(500);
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
  });

  test("a deleted speaker pod is replaced by another", async () => {
    const fixture = twinOf(healthy());
    const pods = () =>
      fixture.twin.store
        .list("pods", "metallb")
        .items.filter((pod) => (pod.spec as { nodeName?: string }).nodeName === "cargyll");
    const old = pods()[0]?.metadata.name ?? "";
    fixture.twin.store.remove("pods", "metallb", old);
    await fixture.clock.advance(1_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
    await fixture.clock.advance(10_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:13:0b"]);
    expect(pods()).toHaveLength(1);
    expect(pods()[0]?.metadata.name).not.toBe(old);
  });
});

describe("what is left in the API", () => {
  const statusNodes = ({ twin }: TwinFixture, service: string): readonly unknown[] =>
    twin.store
      .list("servicel2statuses")
      .items.filter((item) => item.metadata.labels?.["metallb.io/service-name"] === service)
      .map((item) => (item.status as { node?: string }).node);

  test.each([
    ["0.16.1", "dalt"],
    ["0.15.2", "cargyll"],
  ])("after its leader died, %s has a ServiceL2Status that names %s", async (version, node) => {
    const spec = healthy();
    const fixture = twinOf({ ...spec, metallb: { ...spec.metallb, version } });
    expect(statusNodes(fixture, "httpbin")).toEqual(["cargyll"]);
    fixture.twin.setPower("cargyll", false);
    await fixture.clock.advance(8_000);
    expect(await answering(fixture, "10.4.11.1")).toEqual(["dc:a6:32:0a:14:0b"]);
    expect(statusNodes(fixture, "httpbin")).toEqual([node]);
  });

  test("a living leader that loses hands its status over in every version", async () => {
    const spec = healthy();
    const fixture = twinOf({ ...spec, metallb: { ...spec.metallb, version: "0.15.2" } });
    fixture.twin.store.mergePatch("nodes", undefined, "cargyll", {
      status: { conditions: [{ type: "NetworkUnavailable", status: "True" }] },
    });
    await fixture.clock.advance(500);
    expect(statusNodes(fixture, "httpbin")).toEqual(["dalt"]);
  });

  test("BGP: one ServiceBGPStatus and one nodeAssigned for each service and node that announces it", () => {
    const { twin } = twinOf(goldentooth());
    const httpbin = twin.store
      .list("servicebgpstatuses")
      .items.filter((item) => item.metadata.labels?.["metallb.io/service-name"] === "httpbin");
    expect(httpbin).toHaveLength(13);
    expect(httpbin[0]?.status).toMatchObject({ peers: ["opnsense"] });
    const local = twin.store
      .list("servicebgpstatuses")
      .items.filter(
        (item) => item.metadata.labels?.["metallb.io/service-name"] === "ingress-nginx-controller",
      );
    expect(local.map((item) => (item.status as { node: string }).node).sort()).toEqual(["gardener", "jast"]);
  });

  test("a dead node is NotReady after 40 s, with its pods and endpoints", async () => {
    const fixture = twinOf(healthy());
    fixture.twin.setPower("harlton", false);
    const ready = () =>
      (
        fixture.twin.store.get("nodes", undefined, "harlton")?.status as {
          conditions: { type: string; status: string }[];
        }
      ).conditions.find(({ type }) => type === "Ready")?.status;
    await fixture.clock.advance(39_000);
    expect(ready()).toBe("True");
    await fixture.clock.advance(2_000);
    expect(ready()).toBe("Unknown");
    // httpbin's only pod was there.
    expect(await answering(fixture, "10.4.11.1")).toEqual([]);
  });
});

describe("what is seen on the wire", () => {
  test("a take-over: a round at once and four more 1.1 s apart, request and reply each", async () => {
    const fixture = twinOf(healthy());
    const capture = fixture.start(
      "ops-host",
      "timeout 20 tcpdump -p -nn -e -tt -l -i eth0 arp and host 10.4.11.1",
    );
    await fixture.clock.advance(1_000);
    fixture.twin.setPower("cargyll", false);
    const { stdout, lines } = await fixture.clock.runUntil(capture);
    const frames = stdout.trim().split("\n");
    expect(frames).toHaveLength(10);
    expect(frames[0]).toMatch(
      /^1767225606\.\d{6} dc:a6:32:0a:14:0b > ff:ff:ff:ff:ff:ff, ethertype ARP \(0x0806\), length 60: Request who-has 10\.4\.11\.1 \(ff:ff:ff:ff:ff:ff\) tell 10\.4\.11\.1, length 46$/,
    );
    expect(frames[1]).toMatch(/Reply 10\.4\.11\.1 is-at dc:a6:32:0a:14:0b, length 46$/);
    const times = frames.filter((_, i) => i % 2 === 0).map((line) => Number(line.split(" ")[0]));
    for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeCloseTo(1.1, 2);
    // Lines arrive while the capture runs, not at its end.
    const printed = lines.filter(({ text }) => text.includes("who-has")).map(({ at }) => at);
    expect(printed[4]).toBeGreaterThan((printed[0] ?? 0) + 4_000);
  });

  test("a dual-homed leader shouts on both interfaces, so caches flap", async () => {
    const fixture = twinOf(goldentoothL2());
    const capture = fixture.start(
      "ops-host",
      "timeout 8 tcpdump -p -nn -e -tt -l -i eth0 arp and host 10.4.11.3",
    );
    await fixture.clock.advance(100);
    fixture.twin.stopSpeaker("karstark");
    fixture.twin.startSpeaker("karstark");
    const { stdout } = await fixture.clock.runUntil(capture);
    const shouted = new Set([...stdout.matchAll(/ (\S+) > ff:ff:ff:ff:ff:ff/g)].map((match) => match[1]));
    expect([...shouted].sort()).toEqual(["dc:a6:32:0a:1b:0b", "dc:a6:32:0a:1b:0c"]);
  });

  test("from behind the router nothing of the segment is seen, and the route has a gateway", async () => {
    const fixture = twinOf(healthy());
    const { stdout } = await fixture.run("guest-client", "ip -j route get 10.4.11.1");
    expect(JSON.parse(stdout)).toMatchObject([{ gateway: "192.168.50.1" }]);
    expect((await fixture.run("guest-client", "arping -c 1 -w 2 -I eth0 10.4.11.1")).exitCode).toBe(1);
  });

  test("Wi-Fi that drops broadcasts hears requests only while somebody captures promiscuously", async () => {
    const spec = goldentoothL2();
    const nodes = spec.nodes.map((node) => ({
      ...node,
      nics: node.nics.map((nic) => (nic.name === "wlan0" ? { ...nic, dropsBroadcast: true } : nic)),
    }));
    const fixture = twinOf({ ...spec, nodes });
    expect((await everyone(fixture))["10.4.11.3"]).toEqual(["dc:a6:32:0a:1b:0b"]);
    const capture = fixture.start("karstark", "timeout 30 tcpdump -nn -e -tt -l -i wlan0 arp");
    await fixture.clock.advance(100);
    expect(macsIn((await fixture.run("ops-host", "arping -b -c 1 -I eth0 10.4.11.3")).stdout)).toHaveLength(
      2,
    );
    await fixture.clock.runUntil(capture);
  });
});
