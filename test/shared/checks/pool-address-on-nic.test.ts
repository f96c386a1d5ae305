import { expect, it } from "vitest";
import { patchObject } from "#shared/twin/sites/faults.ts";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";
import { saidOn } from "./on-site.ts";

const id = "pool-address-on-nic";
const pool = {
  metadata: { name: "primary", namespace: "metallb" },
  spec: { addresses: ["10.4.11.0-10.4.15.254", "fd00::/120"] },
};
const node = {
  metadata: { name: "dalt" },
  status: { addresses: [{ type: "InternalIP", address: "10.4.12.1" }] },
};
const lists = { ipaddresspools: [pool], nodes: [node] };
const on = (...nics: ReturnType<typeof nic>[]) =>
  told(judgedBy(registered(id), { nodes: [visited("dalt", { "ip-addr": nics })], lists }));

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it.each([
  ["added by hand", [nic("eth0", ["10.4.0.20/20", "10.4.11.1/32"])], [`${id} dalt/eth0`]],
  ["a DHCP lease", [nic("eth0", ["10.4.0.20/20"]), nic("wlan0", ["10.4.12.7/20"])], [`${id} dalt/wlan0`]],
  ["IPv6", [nic("eth0", ["fd00::1/64"])], [`${id} dalt/eth0`]],
  [
    "on a dummy of somebody else",
    [nic("kube-vip0", ["10.4.11.1/32"], { kind: "dummy" })],
    [`${id} dalt/kube-vip0`],
  ],
  ["IPVS", [nic("kube-ipvs0", ["10.4.11.1/32"], { kind: "dummy" })], []],
  ["lo", [nic("lo", ["127.0.0.1/8", "10.4.11.1/32"], { linkType: "loopback" })], []],
  ["the node's own", [nic("eth0", ["10.4.12.1/20"])], []],
  ["just outside", [nic("eth0", ["10.4.15.255/20", "10.4.10.255/20"])], []],
] as const)("%s", (_, nics, said) => {
  expect(on(...nics)).toEqual(said);
});

it("is unknown without the interfaces or the pools", async () => {
  const nodes = [visited("dalt", { "ip-addr": { fault: timedOut } })];
  expect(told(judgedBy(registered(id), { nodes, lists }))).toEqual(["unknown timed-out"]);
  expect(await saidOn(id, { denied: ["ipaddresspools"] })).toEqual(["unknown denied"]);
});

it("leaves a pool over all nodes to pool-overlaps", async () => {
  const odd = patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.0.0/20"] } });
  expect(await saidOn(id, { faults: [odd] })).toEqual([]);
});
