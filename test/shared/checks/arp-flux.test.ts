import { expect, it } from "vitest";
import type { ArpSetting } from "#shared/probes/node-arp-sysctls.ts";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("arp-flux");
const eth0 = nic("eth0", ["10.4.0.20/20"]);
const wlan0 = nic("wlan0", ["10.4.1.20/20"]);
const ipvs = nic("kube-ipvs0", ["10.4.11.1/32"], { kind: "dummy" });

type Values = Readonly<Partial<Record<ArpSetting, number>>>;
const off: Values = { arp_ignore: 0, arp_announce: 0, arp_filter: 0 };

const on = (
  all: Values,
  { wlan = {}, nics = [eth0, wlan0] }: { wlan?: Values; nics?: readonly ReturnType<typeof nic>[] } = {},
) =>
  told(
    judgedBy(check, {
      nodes: [
        visited("karstark", {
          "ip-addr": nics,
          "arp-sysctls": {
            byNic: new Map([
              ["all", { ...off, ...all }],
              ["eth0", off],
              ["wlan0", { ...off, ...wlan }],
            ]),
          },
        }),
      ],
    }),
  );

it.each([
  ["the kernel's defaults", {}, {}, ["arp-flux karstark"]],
  ["own addresses only, own name only", { arp_ignore: 1, arp_announce: 2 }, {}, []],
  ["the strictest that still answers", { arp_ignore: 2, arp_announce: 2 }, {}, []],
  ["answers where the route back goes", { arp_filter: 1 }, {}, []],
  ["own addresses, but asks in any name", { arp_ignore: 1 }, {}, ["arp-flux-source karstark"]],
  ["a value that is about scopes", { arp_ignore: 3, arp_announce: 2 }, {}, ["arp-flux karstark"]],
  ["one interface only", {}, { arp_ignore: 1, arp_announce: 2 }, ["arp-flux karstark"]],
] as const)("%s", (_, all, wlan, findings) => {
  expect(on(all, { wlan })).toEqual(findings);
});

it("does not arise with one interface in the segment, whatever kube-proxy keeps on its dummy", () => {
  expect(on({}, { nics: [eth0, ipvs] })).toEqual(["skipped: not more than one interface in the segment"]);
});

it("is unknown where the settings were not read, or not those of an interface", () => {
  const nodes = [
    visited("karstark", { "ip-addr": [eth0, wlan0], "arp-sysctls": { fault: timedOut } }),
    visited("lipps", {
      "ip-addr": [eth0, wlan0],
      "arp-sysctls": {
        byNic: new Map([
          ["all", off],
          ["eth0", off],
        ]),
      },
    }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out", "unknown unreadable"]);
});
