import { expect, it } from "vitest";
import { peerAddress } from "#shared/calico/resources.ts";
import type { CheckResult } from "#shared/check-result.ts";
import { judgedBy, labSite, registered, timedOut, told, visited } from "./gathered.ts";
import { saidOn } from "./on-site.ts";

const id = "calico-bgp-peers";
const peer = (peerIP: string | undefined, more = {}) => ({
  metadata: { name: "router" },
  spec: { asNumber: 64501, ...(peerIP === undefined ? {} : { peerIP }), ...more },
});
const entry = (address: string, ...states: string[]) => ({ address, nic: "eth0", states });
const nodes = [
  { metadata: { name: "dalt" }, status: { addresses: [{ type: "InternalIP", address: "10.4.0.13" }] } },
  { metadata: { name: "fenn" }, status: { addresses: [{ type: "InternalIP", address: "10.4.0.15" }] } },
];
type Entries = readonly ReturnType<typeof entry>[];
const on = (
  calicobgppeers: readonly ReturnType<typeof peer>[],
  dalt: Entries,
  fenn: Entries = [],
): readonly CheckResult[] =>
  judgedBy(registered(id), {
    site: { ...labSite, routerIp: "10.4.0.1" },
    lists: { nodes, calicobgppeers },
    nodes: [visited("dalt", { "ip-neigh": dalt }), visited("fenn", { "ip-neigh": fenn })],
  });

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it.each([
  [
    "nobody has it",
    [entry("10.4.0.9", "FAILED")],
    [entry("10.4.0.9", "INCOMPLETE")],
    ["calico-bgp-peer-gone calico/router"],
  ],
  ["one node has it", [entry("10.4.0.9", "FAILED")], [entry("10.4.0.9", "STALE")], []],
  ["all have it", [entry("10.4.0.9", "REACHABLE")], [entry("10.4.0.9", "DELAY")], []],
  ["no node asked", [entry("10.4.0.1", "REACHABLE")], [], ["unknown not-modelled"]],
] as const)("%s", (_, dalt, fenn, said) => {
  expect(told(on([peer("10.4.0.9")], dalt, fenn))).toEqual(said);
});

it("says who lost it", () => {
  const [result] = on([peer("10.4.0.9:1790")], [entry("10.4.0.9", "FAILED")]);
  expect(result).toMatchObject({
    findings: [{ severity: "warning", facts: { peer: "10.4.0.9", lostOn: ["dalt"], knownOn: [] } }],
  });
});

it("does not take the router that stands there for a peer", () => {
  const [result] = on([peer("10.4.0.1")], [entry("10.4.0.1", "REACHABLE")]);
  expect(result).toMatchObject({ findings: [{ code: "calico-bgp-peer-is-router", severity: "info" }] });
});

it("leaves other nodes and selectors alone, and does not guess about other networks", () => {
  expect(told(on([peer("10.4.0.15"), peer(undefined, { peerSelector: "all()" })], []))).toEqual([]);
  expect(told(on([peer("192.168.7.1")], [entry("192.168.7.1", "FAILED")]))).toEqual(["unknown not-modelled"]);
});

it("is unknown where nodes or peers could not be read", async () => {
  const lists = { nodes, calicobgppeers: [peer("10.4.0.9")] };
  const unread = [visited("dalt", { "ip-neigh": { fault: timedOut } })];
  expect(told(judgedBy(registered(id), { lists, nodes: unread }))[0]).toMatch(/^unknown/);
  expect(await saidOn(id, { strange: ["calicobgppeers"] })).toEqual([
    "skipped: the cluster does not know calicobgppeers",
  ]);
  expect(told(on([peer(7 as never)], []))).toEqual(["unknown unreadable"]);
});

it.each([
  ["10.4.0.1", "10.4.0.1"],
  ["10.4.0.1:179", "10.4.0.1"],
  ["fd00::1", "fd00::1"],
  ["[fd00::1]:179", "fd00::1"],
])("reads the address of %s", (given, address) => {
  expect(peerAddress(given)).toBe(address);
});
