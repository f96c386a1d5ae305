import { expect, it } from "vitest";
import type { KernelRoute } from "#shared/probes/node-routes.ts";
import { object } from "#shared/twin/sites/stored-object.ts";
import { defaultRoute, judgedBy, registered, route, timedOut, told, visited } from "./gathered.ts";

const check = registered("route-via-gateway");
const pool = (...addresses: string[]) =>
  object("ipaddresspools", { name: "primary", namespace: "metallb" }, { spec: { addresses } }).object;
const usual = pool("10.4.11.0-10.4.15.254");
const lan = [defaultRoute("eth0"), route("10.4.0.0/20", "eth0", { protocol: "kernel" })];

const judged = (routes: readonly KernelRoute[], pools = [usual]) =>
  judgedBy(check, {
    nodes: [visited("dalt", { "ip-routes": routes })],
    lists: { ipaddresspools: pools, pods: [], daemonsets: [] },
  });
const on = (routes: readonly KernelRoute[], pools?: readonly (typeof usual)[]) =>
  told(judged(routes, pools ? [...pools] : undefined));

const detour = (dst: string, more: Partial<KernelRoute> = {}) =>
  route(dst, "eth0", { gateway: "10.4.0.12", ...more });

it.each([
  ["on-link", lan, []],
  ["through a node, for a part", [...lan, detour("10.4.11.0/24")], ["route-via-gateway dalt"]],
  ["through a node, for one address", [...lan, detour("10.4.11.1")], ["route-via-gateway dalt"]],
  ["a shorter prefix does not win", [...lan, detour("10.0.0.0/8")], []],
  [
    "a longer on-link route wins again",
    [...lan, detour("10.4.8.0/21"), route("10.4.11.0/24", "eth0"), route("10.4.12.0/22", "eth0")],
    [],
  ],
  ["another table does not count", [...lan, detour("10.4.11.0/24", { table: "100" })], []],
  ["beside the pool", [...lan, detour("10.4.8.0/24")], []],
  [
    "the node's prefix is shorter than the segment's",
    [defaultRoute("eth0"), route("10.4.0.0/24", "eth0")],
    ["pool-not-on-link dalt"],
  ],
  ["no route at all", [], []],
] as const)("%s", (_, routes, findings) => {
  expect(on(routes)).toEqual(findings);
});

it("names the part of the pool that takes the detour", () => {
  const [result] = judged([...lan, detour("10.4.11.0/24")]);
  expect(result).toMatchObject({
    findings: [{ facts: { gateway: "10.4.0.12", addresses: "10.4.11.0-10.4.11.255" } }],
  });
});

it("leaves a pool of another network to the default route", () => {
  expect(on(lan, [pool("192.0.2.0/28")])).toEqual([]);
  expect(on([...lan, detour("192.0.2.0/24")], [pool("192.0.2.0/28")])).toEqual(["route-via-gateway dalt"]);
});

it("does not arise without a pool, and is unknown where routes or pools could not be read", () => {
  expect(on(lan, [])).toEqual(["skipped: no pool has an address"]);
  const lists = { ipaddresspools: [usual], pods: [], daemonsets: [] };
  const nodes = [visited("dalt", { "ip-routes": { fault: timedOut } })];
  expect(told(judgedBy(check, { nodes, lists }))).toEqual(["unknown timed-out"]);
  const seen = [visited("dalt", { "ip-routes": lan })];
  expect(told(judgedBy(check, { nodes: seen, lists: { ...lists, ipaddresspools: timedOut } }))).toEqual([
    "unknown timed-out",
  ]);
});
