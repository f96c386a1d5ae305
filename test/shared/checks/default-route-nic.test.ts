import { expect, it } from "vitest";
import type { KernelRoute } from "#shared/probes/node-routes.ts";
import { defaultRoute, judgedBy, labSite, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("default-route-nic");
const nics = [nic("eth0", ["10.4.0.20/20"]), nic("wlan0", ["10.4.1.20/20"]), nic("eth1", ["192.168.9.2/24"])];

const on = (routes: readonly KernelRoute[], site = labSite) =>
  told(
    judgedBy(check, {
      site,
      nodes: [visited("karstark", { "ip-addr": nics, "ip-routes": routes, "wireless-nics": ["wlan0"] })],
    }),
  );

it.each([
  [
    "by the LAN interface",
    [defaultRoute("eth0", { metric: 100 }), defaultRoute("wlan0", { metric: 600 })],
    [],
  ],
  [
    "by Wi-Fi, whose metric is lower",
    [defaultRoute("eth0", { metric: 700 }), defaultRoute("wlan0", { metric: 600 })],
    ["default-route-nic karstark/wlan0"],
  ],
  ["by a second network", [defaultRoute("eth1")], ["default-route-nic karstark/eth1"]],
  [
    "by a dead interface, which is not used",
    [defaultRoute("wlan0", { metric: 1, linkDown: true }), defaultRoute("eth0")],
    [],
  ],
  ["by Wi-Fi for IPv6 alone", [defaultRoute("eth0"), defaultRoute("wlan0", { family: 6 })], []],
  ["by another table's Wi-Fi", [defaultRoute("eth0"), defaultRoute("wlan0", { table: "100" })], []],
  ["not at all", [], ["skipped: no default route in use"]],
] as const)("%s", (_, routes, findings) => {
  expect(on(routes)).toEqual(findings);
});

it("takes the site's word for the LAN interface", () => {
  const site = { ...labSite, lanNic: [{ nic: "eth1", nodes: ["karstark"] }] };
  expect(on([defaultRoute("eth1")], site)).toEqual([]);
  expect(on([defaultRoute("eth0")], site)).toEqual(["default-route-nic karstark/eth0"]);
});

it("has nothing against Wi-Fi where Wi-Fi is all there is", () => {
  const nodes = [
    visited("tablet", {
      "ip-addr": [nic("wlan0", ["10.4.1.20/20"])],
      "ip-routes": [defaultRoute("wlan0")],
      "wireless-nics": ["wlan0"],
    }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual([]);
});

it("is unknown where the routes could not be read", () => {
  const nodes = [
    visited("karstark", { "ip-addr": nics, "ip-routes": { fault: timedOut }, "wireless-nics": [] }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});
