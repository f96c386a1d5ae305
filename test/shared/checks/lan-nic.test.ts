import { expect, it } from "vitest";
import type { Nic } from "#shared/probes/ip-addr.ts";
import type { KernelRoute } from "#shared/probes/node-routes.ts";
import {
  defaultRoute,
  down,
  judgedBy,
  labSite,
  nic,
  registered,
  timedOut,
  told,
  unplugged,
  visited,
} from "./gathered.ts";

const check = registered("lan-nic");
const lo = nic("lo", ["127.0.0.1/8"], { linkType: "loopback" });
const eth0 = nic("eth0", ["10.4.0.20/20"]);
const wlan0 = nic("wlan0", ["10.4.1.20/20"]);
const uplink = [defaultRoute("eth0")];

const on = (nics: readonly Nic[], routes: readonly KernelRoute[] = uplink, site = labSite) =>
  told(
    judgedBy(check, {
      site,
      nodes: [visited("dalt", { "ip-addr": [lo, ...nics], "wireless-nics": ["wlan0"], "ip-routes": routes })],
    }),
  );

it.each([
  ["all is well", [eth0], []],
  [
    "a bond carries the segment",
    [nic("eth0", [], { master: "bond0" }), nic("bond0", ["10.4.0.20/20"], { kind: "bond" })],
    [],
  ],
  ["no interface but lo", [], ["lan-nic-absent dalt"]],
  ["Wi-Fi alone", [wlan0], ["lan-nic-absent dalt"]],
  ["down", [nic("eth0", ["10.4.0.20/20"], down)], ["lan-nic-down dalt/eth0"]],
  ["down and without address, Wi-Fi carries on", [nic("eth0", [], down), wlan0], ["lan-nic-down dalt/eth0"]],
  ["unplugged", [nic("eth0", ["10.4.0.20/20"], unplugged)], ["lan-nic-no-carrier dalt/eth0"]],
  ["without an address", [nic("eth0", ["fe80::1/64"])], ["lan-nic-no-address dalt/eth0"]],
  ["addressed elsewhere", [nic("eth0", ["192.168.1.7/24"])], ["lan-nic-no-address dalt/eth0"]],
] as const)("%s", (_, nics, findings) => {
  expect(on(nics)).toEqual(findings);
});

it.each([
  ["none at all", [], ["lan-nic-no-default-route dalt"]],
  [
    "only for IPv6",
    [defaultRoute("eth0", { family: 6, gateway: "fe80::1" })],
    ["lan-nic-no-default-route dalt"],
  ],
  ["only in another table", [defaultRoute("eth0", { table: "100" })], ["lan-nic-no-default-route dalt"]],
] as const)("default route: %s", (_, routes, findings) => {
  expect(on([eth0], routes)).toEqual(findings);
});

it("takes the site's word for the LAN interface", () => {
  const site = { ...labSite, lanNic: [{ nic: "eth1", nodes: ["dalt"] }] };
  expect(on([eth0], uplink, site)).toEqual(["lan-nic-absent dalt"]);
  expect(on([eth0, nic("eth1", [], unplugged)], uplink, site)).toEqual(["lan-nic-no-carrier dalt/eth1"]);
  expect(on([eth0, nic("eth1", ["10.4.0.21/20"])], uplink, site)).toEqual([]);
});

it("is unknown where a source could not be read", () => {
  const nodes = [
    visited("dalt", { "ip-addr": [eth0], "wireless-nics": [], "ip-routes": { fault: timedOut } }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});
