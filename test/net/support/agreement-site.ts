import { object } from "#shared/twin/sites/stored-object.ts";
import type { Habets } from "./habets.ts";
import type { Host } from "./lab-of-topology.ts";
import type { MachineSpec } from "./topology.ts";

/** Addresses that are asked for, by who answers. */
export const ip = {
  one: "10.77.0.201",
  twoNics: "10.77.0.202",
  twoNodes: "10.77.0.203",
  nobody: "10.77.0.204",
  ofCargyll: "10.77.0.205",
  moving: "10.77.0.206",
} as const;
export const lanPrefix = "10.77.0.0/24";

const eth0 = (address: string, mac: string) => ({ name: "eth0", address: `${address}/24`, mac }) as const;
const vantage = (name: string, address: string, mac: string): Host => ({
  name,
  role: "vantage",
  nics: [eth0(address, mac)],
});

/** The second NIC of karstark. */
export const wlan0 = { name: "wlan0", address: "10.77.0.119/24", mac: "02:a6:32:0a:1b:0c" } as const;

/** Programs that a user without rights can start from where they are. */
export type PublicPrograms = Readonly<{ iputils: string; habets: string }>;

/** Plugged in in this order on both sides, because a bridge floods, and so answers come, in the order of its ports. */
export function hostsWith(habets: Habets, open: PublicPrograms): readonly Host[] {
  const withHabets = "program" in habets ? { instead: { arping: habets.program } } : {};
  return [
    {
      name: "karstark",
      role: "node",
      nics: [eth0("10.77.0.19", "02:a6:32:0a:1b:0b"), wlan0],
    },
    { name: "bettley", role: "node", nics: [eth0("10.77.0.11", "02:a6:32:0a:1b:11")] },
    {
      name: "cargyll",
      role: "node",
      nics: [eth0("10.77.0.12", "02:a6:32:0a:1b:12")],
      ...withHabets,
      model: { arping: "habets" },
    },
    {
      ...vantage("ops-host", "10.77.0.5", "02:a6:32:0a:1b:05"),
      model: { routes: [{ dst: "default", gateway: "10.77.0.1", dev: "eth0" }] },
    },
    {
      ...vantage("ops-habets", "10.77.0.6", "02:a6:32:0a:1b:06"),
      ...withHabets,
      model: { arping: "habets" },
    },
    {
      ...vantage("bare", "10.77.0.7", "02:a6:32:0a:1b:07"),
      programs: ["timeout"],
      model: { missingTools: ["ip", "arping", "tcpdump"] },
    },
    {
      ...vantage("barest", "10.77.0.8", "02:a6:32:0a:1b:08"),
      programs: [],
      model: { missingTools: ["timeout"] },
    },
    // Nobody is connected to it before its host key changes: a kept connection would not notice.
    vantage("rekeyed", "10.77.0.13", "02:a6:32:0a:1b:13"),
    {
      // With a file capability the program is not started at all without the right; the model has it without one.
      ...vantage("powerless", "10.77.0.9", "02:a6:32:0a:1b:09"),
      instead: { arping: open.iputils },
      withoutRawSockets: true,
      user: { name: "operator", shell: "/bin/bash" },
    },
    {
      ...vantage("powerless-habets", "10.77.0.10", "02:a6:32:0a:1b:0a"),
      instead: { arping: open.habets },
      withoutRawSockets: true,
      user: { name: "operator", shell: "/bin/bash" },
      model: { arping: "habets" },
    },
  ];
}

/** Hosts whose arping is the one by Thomas Habets. */
export const habetsHosts: readonly string[] = ["cargyll", "ops-habets", "powerless-habets"];

/** Answers for everything while it is told to. The model has such a device plugged in last, and no way to log in to it. */
export const stranger = {
  name: "stranger",
  nics: [
    eth0("10.77.0.31", "02:a6:32:0a:1b:66"),
    { name: "wlan0", address: "10.77.0.131/24", mac: "02:a6:32:0a:1b:67" },
  ],
} as const satisfies MachineSpec;

export const announced: readonly (readonly [machine: string, address: string])[] = [
  ["bettley", ip.one],
  ["karstark", ip.twoNics],
  ["bettley", ip.twoNodes],
  ["cargyll", ip.twoNodes],
  ["cargyll", ip.ofCargyll],
  ["bettley", ip.moving],
];

/** MetalLB announces from a node with an endpoint; with the member list torn apart, from every such node. */
const service = (name: string, address: string, on: readonly string[]) => [
  object(
    "services",
    { name, namespace: "default" },
    {
      spec: { type: "LoadBalancer", externalTrafficPolicy: "Local" },
      status: { loadBalancer: { ingress: [{ ip: address }] } },
    },
  ),
  object(
    "endpointslices",
    { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    {
      addressType: "IPv4",
      endpoints: on.map((nodeName, i) => ({
        addresses: [`172.16.0.${i + 1}`],
        conditions: { ready: true },
        nodeName,
      })),
    },
  ),
];

/** What makes speakers of the model answer where kernels of the topology do. */
export const objects = [
  ...["karstark", "bettley", "cargyll"].map((name) =>
    object("nodes", { name, labels: { "kubernetes.io/hostname": name } }),
  ),
  object(
    "ipaddresspools",
    { name: "primary", namespace: "metallb" },
    { spec: { addresses: ["10.77.0.200-10.77.0.249"] } },
  ),
  object("l2advertisements", { name: "primary", namespace: "metallb" }),
  ...service("one", ip.one, ["bettley"]),
  ...service("two-nics", ip.twoNics, ["karstark"]),
  ...service("two-nodes", ip.twoNodes, ["bettley", "cargyll"]),
];
