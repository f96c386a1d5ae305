import type { ArpEvidence } from "#shared/arp/judge.ts";
import type { NodeNics } from "#shared/arp/mac-table.ts";
import { macTable } from "#shared/arp/mac-table.ts";
import type { AddressPrediction } from "#shared/metallb/prediction.ts";
import type { Nic } from "#shared/probes/ip-addr.ts";
import type { Site } from "#shared/site/site.ts";

export const site: Site = {
  lanPrefix: "10.4.0.0/20",
  staticRoutes: [],
  dhcpRanges: [],
  resolvers: [],
  lanNic: [],
  unusedAddress: "10.4.15.250",
};

export const nic = (
  name: string,
  mac: string | undefined,
  address?: string,
  more: Partial<Nic> = {},
): Nic => ({
  name,
  index: 2,
  mac,
  flags: ["BROADCAST", "UP", "LOWER_UP"],
  up: true,
  carrier: true,
  linkType: name === "lo" ? "loopback" : "ether",
  wireless: name.startsWith("wl"),
  promiscuity: 0,
  addresses: address === undefined ? [] : [{ family: 4, address, prefixLength: 20, scope: "global" }],
  ...more,
});

export const macs = {
  bettley: "dc:a6:32:00:00:01",
  cargyll: "dc:a6:32:00:00:02",
  karstark: "dc:a6:32:00:00:0b",
  karstarkWlan: "dc:a6:32:00:00:0c",
  stranger: "02:00:00:00:00:66",
} as const;

export const nodes: readonly NodeNics[] = [
  { node: "bettley", nics: [nic("eth0", macs.bettley, "10.4.0.11")] },
  { node: "cargyll", nics: [nic("eth0", macs.cargyll, "10.4.0.12")] },
  {
    node: "karstark",
    nics: [
      nic("eth0", macs.karstark, "10.4.0.40"),
      nic("wlan0", macs.karstarkWlan, "10.4.1.20", { index: 3 }),
    ],
  },
];

export const prediction = (
  order: readonly string[],
  more: Partial<AddressPrediction> = {},
): AddressPrediction => ({
  ip: "10.4.11.1",
  service: "httpbin/httpbin",
  pool: "primary",
  order,
  why: {},
  interfaces: Object.fromEntries(order.map((node) => [node, "all"])),
  ...more,
});

const none = { kind: "none", because: "nothing" } as const;

/** Evidence as it is when bettley leads and everything is readable; `answers` are MACs with three replies each. */
export const evidence = (answers: readonly string[], more: Partial<ArpEvidence> = {}): ArpEvidence => ({
  ip: "10.4.11.1",
  service: "httpbin/httpbin",
  vantage: { name: "ops-host", place: "lan-wired" },
  wire: { kind: "looked", answers: answers.map((mac) => ({ mac, replies: 3 })), sent: 3 },
  table: macTable(nodes, site),
  site,
  status: none,
  event: none,
  prediction: prediction(["bettley", "cargyll"]),
  sharing: [],
  silence: {
    assigned: true,
    bgp: false,
    notReady: new Set(),
    speakers: ["bettley", "cargyll", "karstark"],
    route: { kind: "on-link", nic: "eth0" },
    vantageNic: { name: "eth0", onLan: true, wireless: false },
  },
  ...more,
});
