import { expect, it } from "vitest";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("duplicate-mac");
const mac = "dc:a6:32:00:00:01";
const lan = (address: string, own: string, more = {}) =>
  nic("eth0", [`${address}/20`], { mac: own, ...more });
const node = (name: string, ...nics: ReturnType<typeof nic>[]) => visited(name, { "ip-addr": nics });

it.each([
  ["each its own", [lan("10.4.0.1", mac)], [lan("10.4.0.2", "dc:a6:32:00:00:02")], []],
  [
    "a cloned machine",
    [lan("10.4.0.1", mac)],
    [lan("10.4.0.2", mac)],
    ["duplicate-mac a/eth0", "duplicate-mac b/eth0"],
  ],
  [
    "an unused port with the MAC of a LAN interface",
    [lan("10.4.0.1", mac)],
    [lan("10.4.0.2", "dc:a6:32:00:00:02"), nic("eth1", [], { mac })],
    ["duplicate-mac a/eth0", "duplicate-mac b/eth1"],
  ],
  [
    "bond and members on one node",
    [lan("10.4.0.1", mac, { kind: "bond" }), nic("eth1", [], { mac, master: "eth0" })],
    [],
    [],
  ],
  [
    "Calico's interfaces",
    [nic("cali1", [], { mac: "ee:ee:ee:ee:ee:ee", kind: "veth" })],
    [nic("cali2", [], { mac: "ee:ee:ee:ee:ee:ee", kind: "veth" })],
    [],
  ],
  [
    "docker0 made from its address",
    [nic("docker0", ["172.17.0.1/16"], { mac: "02:42:ac:11:00:01", kind: "bridge" })],
    [nic("docker0", ["172.17.0.1/16"], { mac: "02:42:ac:11:00:01", kind: "bridge" })],
    [],
  ],
  ["gadgets of one make, unused", [nic("usb0", [], { mac })], [nic("usb0", [], { mac })], []],
  ["a VRRP group", [lan("10.4.0.1", "00:00:5e:00:01:0a")], [lan("10.4.0.2", "00:00:5e:00:01:0a")], []],
] as const)("%s", (_, a, b, findings) => {
  expect(told(judgedBy(check, { nodes: [node("a", ...a), node("b", ...b)] }))).toEqual(findings);
});

it("is skipped with one node, and unknown while another was not read", () => {
  expect(told(judgedBy(check, { nodes: [node("a", lan("10.4.0.1", mac))] }))).toEqual([
    "skipped: fewer than two nodes to compare",
  ]);
  const silent = visited("c", { "ip-addr": { fault: timedOut } });
  const nodes = [node("a", lan("10.4.0.1", mac)), node("b", lan("10.4.0.2", "dc:a6:32:00:00:02")), silent];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});
