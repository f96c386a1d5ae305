import { expect, it } from "vitest";
import type { ArpSysctls } from "#shared/probes/node-arp-sysctls.ts";
import { down, judgedBy, nic, registered, route, timedOut, told, visited } from "./gathered.ts";

const check = registered("rp-filter");
const eth0 = nic("eth0", ["10.4.0.20/20"]);
const wlan0 = nic("wlan0", ["10.4.1.20/20"]);
const connected = [
  route("10.4.0.0/20", "eth0", { protocol: "kernel" }),
  route("10.4.0.0/20", "wlan0", { protocol: "kernel", metric: 600 }),
];
const settings = (values: Readonly<Record<string, number>>): ArpSysctls => ({
  byNic: new Map(Object.entries(values).map(([name, value]) => [name, { rp_filter: value }])),
});

const on = (values: Readonly<Record<string, number>>, nics = [eth0, wlan0], routes = connected) =>
  told(
    judgedBy(check, {
      nodes: [visited("karstark", { "ip-addr": nics, "arp-sysctls": settings(values), "ip-routes": routes })],
    }),
  );

it.each([
  ["off", { all: 0, eth0: 0, wlan0: 0 }, []],
  ["loose on the interface", { all: 0, eth0: 2, wlan0: 2 }, []],
  ["loose for all wins over strict", { all: 2, eth0: 1, wlan0: 1 }, []],
  ["strict on the interface of the route back only", { all: 0, eth0: 1, wlan0: 0 }, []],
  ["strict on the other interface", { all: 0, eth0: 0, wlan0: 1 }, ["rp-filter karstark/wlan0"]],
  ["strict for all", { all: 1, eth0: 0, wlan0: 0 }, ["rp-filter karstark/wlan0"]],
  ["nothing known of the other interface", { all: 0, eth0: 0 }, ["unknown unreadable"]],
] as const)("%s", (_, values, findings) => {
  expect(on(values)).toEqual(findings);
});

it("goes by the metric of the connected routes for the way back", () => {
  const [wired, wireless] = connected as [(typeof connected)[0], (typeof connected)[0]];
  const swapped = [{ ...wired, metric: 700 }, wireless];
  expect(on({ all: 1, eth0: 0, wlan0: 0 }, [eth0, wlan0], swapped)).toEqual(["rp-filter karstark/eth0"]);
});

it("does not arise with one interface in the segment", () => {
  const why = ["skipped: not more than one interface in the segment"];
  expect(on({ all: 1, eth0: 1 }, [eth0])).toEqual(why);
  expect(on({ all: 1, eth0: 1 }, [eth0, nic("wlan0", ["10.4.1.20/20"], down)])).toEqual(why);
  expect(on({ all: 1, eth0: 1 }, [eth0, nic("eth1", ["192.168.9.1/24"])])).toEqual(why);
});

it("is unknown where the settings could not be read", () => {
  const nodes = [
    visited("karstark", {
      "ip-addr": [eth0, wlan0],
      "arp-sysctls": { fault: timedOut },
      "ip-routes": connected,
    }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});
