import { describe, expect, it } from "vitest";
import { lanNics, macTable, theLanNic } from "#shared/arp/mac-table.ts";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import { capturedOutput } from "#test/shared/probes/captured.ts";
import { macs, nic, nodes, site } from "./evidence.ts";

const fault = { kind: "timed-out", what: "ssh to dalt", detail: "no answer in 5 s" } as const;

describe("whose MAC", () => {
  const table = macTable(nodes, site);
  it("maps each interface to node and NIC, in any spelling", () => {
    expect(table.ownerOf(macs.karstarkWlan.toUpperCase())).toEqual({
      kind: "node",
      owner: { node: "karstark", nic: "wlan0" },
    });
  });
  it("is nobody's only when every node was read", () => {
    expect(table.ownerOf(macs.stranger)).toEqual({ kind: "nobody" });
    const partial = macTable([...nodes, { node: "dalt", fault }], site);
    expect(partial.ownerOf(macs.stranger)).toEqual({ kind: "could-be", nodes: ["dalt"] });
    expect(partial.ownerOf(macs.bettley).kind).toBe("node");
    expect(partial.unread).toEqual([{ node: "dalt", fault }]);
  });
  it("tells a MAC that several nodes have, and does not choose", () => {
    const twins = macTable(
      [...nodes, { node: "twin", nics: [nic("eth0", macs.bettley, "10.4.0.99")] }],
      site,
    );
    expect(twins.ownerOf(macs.bettley)).toEqual({
      kind: "several-nodes",
      owners: [
        { node: "bettley", nic: "eth0" },
        { node: "twin", nic: "eth0" },
      ],
    });
  });
  it.each([
    [
      "a bridge, not its port",
      [
        nic("eth0", "02:00:00:00:00:01", undefined, { master: "br0" }),
        nic("br0", "02:00:00:00:00:01", "10.4.0.7", { index: 5, kind: "bridge" }),
      ],
      "br0",
    ],
    [
      "a bond, not its members",
      [
        nic("eth0", "02:00:00:00:00:01", undefined, { master: "bond0", permanentMac: "02:00:00:00:00:01" }),
        nic("bond0", "02:00:00:00:00:01", "10.4.0.7", { index: 9, kind: "bond" }),
      ],
      "bond0",
    ],
    [
      "a VLAN in the segment, not its parent",
      [
        nic("eth0", "02:00:00:00:00:01", "192.0.2.2"),
        nic("eth0.30", "02:00:00:00:00:01", "10.4.0.7", { index: 9, kind: "vlan" }),
      ],
      "eth0.30",
    ],
    [
      "the parent when its VLAN is elsewhere",
      [
        nic("eth0.30", "02:00:00:00:00:01", "192.0.2.2", { index: 9, kind: "vlan" }),
        nic("eth0", "02:00:00:00:00:01", "10.4.0.7"),
      ],
      "eth0",
    ],
  ])("of NICs that share a MAC takes %s", (_what, nics, name) => {
    expect(macTable([{ node: "n", nics }], site).ownerOf("02:00:00:00:00:01")).toEqual({
      kind: "node",
      owner: { node: "n", nic: name },
    });
  });
  it("finds a bond member by its burnt-in address", () => {
    const nics = [
      nic("eth1", "02:00:00:00:00:01", undefined, { master: "bond0", permanentMac: "02:00:00:00:00:02" }),
    ];
    expect(macTable([{ node: "n", nics }], site).ownerOf("02:00:00:00:00:02")).toMatchObject({
      owner: { nic: "eth1" },
    });
  });
});

describe("LAN NIC", () => {
  const real = ipAddr.read(capturedOutput("ip", "addr-kar"));
  it("is every interface addressed in the prefix; service addresses on lo do not count", () => {
    expect(lanNics("karstark", real, site).map(({ name }) => name)).toEqual(["eth0", "wlan0"]);
    expect(real[0]?.addresses.some(({ address }) => address === "10.4.11.1")).toBe(true);
  });
  it("is the wired one where there is one wired one", () => {
    expect(theLanNic("karstark", real, site)?.name).toBe("eth0");
  });
  it("is what the site names, before anything else", () => {
    const named = { ...site, lanNic: [{ nic: "wlan0", nodes: ["karstark"] }] };
    expect(theLanNic("karstark", real, named)?.name).toBe("wlan0");
    expect(theLanNic("other", real, named)?.name).toBe("eth0");
  });
  it("is not guessed between two wired ones", () => {
    const two = [nic("eth0", "02:00:00:00:00:01", "10.4.0.7"), nic("eth1", "02:00:00:00:00:02", "10.4.0.8")];
    expect(theLanNic("n", two, site)).toBeUndefined();
  });
  it("never is kube-ipvs0, which has every service address", () => {
    const ipvs = nic("kube-ipvs0", "02:00:00:00:00:03", "10.4.11.1", { kind: "dummy" });
    expect(lanNics("n", [ipvs], site)).toEqual([]);
  });
});
