import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { ipAddr, readNics } from "#shared/probes/ip-addr.ts";
import { ipRoute } from "#shared/probes/ip-route.ts";
import { captured, capturedOutput, shellOutput } from "./captured.ts";

describe("ip addr", () => {
  it("reads a node with two NICs on one segment", () => {
    const nics = ipAddr.read(capturedOutput("ip", "addr-kar"));
    expect(
      nics.map(({ name, mac, up, carrier, wireless }) => ({ name, mac, up, carrier, wireless })),
    ).toEqual([
      { name: "lo", mac: undefined, up: true, carrier: true, wireless: false },
      { name: "eth0", mac: "dc:a6:32:0a:1b:0b", up: true, carrier: true, wireless: false },
      { name: "wlan0", mac: "dc:a6:32:0a:1b:0c", up: true, carrier: true, wireless: true },
    ]);
    expect(nics[1]?.addresses).toContainEqual({
      family: 4,
      address: "10.4.0.40",
      prefixLength: 20,
      scope: "global",
    });
    expect(nics[1]?.addresses.some(({ family, scope }) => family === 6 && scope === "link")).toBe(true);
    expect(nics[1]).toMatchObject({ index: 2, kind: "veth", promiscuity: 0, linkType: "ether" });
  });

  it("reads bridges, their ports, promiscuity and stacked interfaces", () => {
    const nics = ipAddr.read(capturedOutput("ip", "addr-lip"));
    const byName = new Map(nics.map((nic) => [nic.name, nic]));
    expect(byName.get("br1")).toMatchObject({ kind: "bridge" });
    expect(byName.get("port1")?.master).toBe("br1");
    expect(byName.get("port1")?.promiscuity).toBeGreaterThan(0);
    expect(byName.get("eth0")?.master).toBeUndefined();
    expect(byName.get("eth0")?.addresses).toContainEqual({
      family: 6,
      address: "fd00:4::12",
      prefixLength: 64,
      scope: "global",
    });
    expect(byName.get("far1")?.up).toBe(false);
  });

  it("reads `ip -j link` too, where promiscuity is not known", () => {
    const nics = readNics(JSON.parse(captured("ip", "link-kar").stdout));
    expect(nics.find(({ name }) => name === "eth0")).toMatchObject({
      mac: "dc:a6:32:0a:1b:0b",
      addresses: [],
    });
    expect(nics.find(({ name }) => name === "eth0")?.promiscuity).toBeUndefined();
  });

  it("skips the empty objects that older iproute2 leaves for filtered interfaces", () => {
    const nics = readNics([{}, { ifindex: 2, ifname: "eth0", flags: ["UP"], address: "AA:BB:CC:DD:EE:FF" }]);
    expect(nics.map(({ name, mac, up, carrier }) => ({ name, mac, up, carrier }))).toEqual([
      { name: "eth0", mac: "aa:bb:cc:dd:ee:ff", up: true, carrier: false },
    ]);
  });

  it("keeps the burnt-in address of a bond member", () => {
    const [nic] = readNics([
      {
        ifindex: 2,
        ifname: "eth0",
        flags: [],
        master: "bond0",
        address: "aa:bb:cc:dd:ee:01",
        permaddr: "aa:bb:cc:dd:ee:02",
      },
    ]);
    expect(nic).toMatchObject({
      master: "bond0",
      mac: "aa:bb:cc:dd:ee:01",
      permanentMac: "aa:bb:cc:dd:ee:02",
    });
  });

  it("gives interfaces or a fault on any JSON", () => {
    const entry = fc.record(
      {
        ifindex: fc.oneof(fc.integer(), fc.string()),
        ifname: fc.oneof(fc.string(), fc.constant(null)),
        flags: fc.oneof(fc.array(fc.string()), fc.constant("UP")),
        address: fc.oneof(fc.string(), fc.integer()),
        addr_info: fc.oneof(
          fc.array(
            fc.record(
              { family: fc.string(), local: fc.string(), prefixlen: fc.integer() },
              { requiredKeys: [] },
            ),
          ),
          fc.string(),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(entry)), (json) => {
        try {
          expect(readNics(json).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("ip route get", () => {
  it.each([
    ["route-on-link", { kind: "on-link", nic: "eth0", source: "10.4.0.5" }],
    ["route-gateway", { kind: "via", nic: "eth0", gateway: "10.4.0.11", source: "10.4.0.5" }],
    ["route-local", { kind: "local", nic: "lo" }],
    ["route-unreachable", { kind: "unreachable", because: "Network is unreachable" }],
  ])("%s", (fixture, route) => {
    expect(ipRoute.read(capturedOutput("ip", fixture))).toEqual(route);
  });

  it("a usage fault is not an unreachable address", () => {
    expect(() => ipRoute.read(capturedOutput("ip", "route-nonsense"))).toThrow(FaultError);
    expect(() => ipRoute.read(shellOutput({ exitCode: 2, stderr: "Cannot talk to rtnetlink" }))).toThrow(
      FaultError,
    );
  });
});
