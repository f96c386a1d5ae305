import type { NicSpec, SiteSpec } from "#shared/twin/site-spec.ts";
import { consumerRouter } from "#shared/twin/sites/goldentooth-plan.ts";
import { object } from "#shared/twin/sites/stored-object.ts";

const veth = (name: string, mac: string, address: string, peerIndex: number): NicSpec => ({
  name,
  mac,
  addresses: [address],
  kind: "veth",
  attributes: { link_index: peerIndex },
});

const node = (name: string) => object("nodes", { name, labels: { "kubernetes.io/hostname": name } });

const service = (name: string, ip: string, on: string) => [
  object(
    "services",
    { name, namespace: "default" },
    {
      spec: { type: "LoadBalancer", externalTrafficPolicy: "Local" },
      status: { loadBalancer: { ingress: [{ ip }] } },
    },
  ),
  object(
    "endpointslices",
    { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    {
      addressType: "IPv4",
      endpoints: [{ addresses: ["172.16.0.1"], conditions: { ready: true }, nodeName: on }],
    },
  ),
];

/**
 * The topology in which the transcript of the real programs was recorded: network namespaces joined by a bridge with
 * veth pairs; karstark with two interfaces answers for 10.4.11.3, bettley with one for 10.4.11.0.
 */
export const namespaceSite = (): SiteSpec => ({
  name: "namespaces",
  lanPrefix: "10.4.0.0/20",
  nodes: [
    {
      name: "karstark",
      nics: [
        veth("eth0", "dc:a6:32:0a:1b:0b", "10.4.0.21/20", 4),
        veth("wlan0", "dc:a6:32:0a:1b:0c", "10.4.0.121/20", 5),
      ],
    },
    { name: "bettley", nics: [veth("eth0", "dc:a6:32:0a:02:0b", "10.4.0.12/20", 6)] },
  ],
  vantages: [
    {
      name: "ops-host",
      place: "lan-wired",
      nics: [veth("eth0", "02:00:00:00:00:05", "10.4.0.5/20", 3)],
      routes: [{ dst: "default", gateway: "10.4.0.1", dev: "eth0" }],
    },
  ],
  router: { ...consumerRouter, nics: [] },
  metallb: { version: "0.16.1", namespace: "metallb", memberlist: true, ignoreExcludeLabel: false },
  unusedAddress: "10.4.11.9",
  objects: [
    node("karstark"),
    node("bettley"),
    object(
      "ipaddresspools",
      { name: "primary", namespace: "metallb" },
      { spec: { addresses: ["10.4.11.0-10.4.15.254"] } },
    ),
    object("l2advertisements", { name: "primary", namespace: "metallb" }),
    ...service("one", "10.4.11.0", "bettley"),
    ...service("two", "10.4.11.3", "karstark"),
  ],
});
