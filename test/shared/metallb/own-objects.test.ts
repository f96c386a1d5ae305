import { describe, expect, it } from "vitest";
import { bgpType, frrOnlyFields } from "#shared/metallb/bgp-type.ts";
import { cannotAnnounce, interfacesFor, ownObjects } from "#shared/metallb/own-objects.ts";
import { type IpAddressPool, type NodeObject, parseMetalLbObjects } from "#shared/metallb/resources.ts";
import { speakerImages } from "#shared/metallb/speakers.ts";

const labels = { app: "metallb", component: "speaker" };
const metallb = (kind: string, namespace: string, name: string, spec: unknown = {}) => ({
  apiVersion: "metallb.io/v1beta1",
  kind,
  metadata: { name, namespace },
  spec,
});
const node = (name: string, more = {}) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { host: name, ...more } },
});
const speaker = (name: string, phase = "Running", image = "quay.io/metallb/speaker:v0.16.1") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `speaker-${name}`, namespace: "metallb", labels },
  spec: { nodeName: name, containers: [{ name: "speaker", image }] },
  status: { phase },
});
const pool = metallb("IPAddressPool", "metallb", "p", { addresses: ["10.4.11.0/24"] });
const ad = (name: string, spec: unknown) => metallb("L2Advertisement", "metallb", name, spec);

const read = (...items: readonly object[]) => {
  const { objects, problems } = parseMetalLbObjects(items as never);
  expect(problems).toEqual([]);
  return objects;
};
const interfaces = (...items: readonly object[]) => {
  const objects = read(pool, node("a"), speaker("a"), ...items);
  const own = ownObjects(objects);
  return interfacesFor(own, own.pools[0] as IpAddressPool, objects.nodes[0] as NodeObject);
};

describe("what the speakers go by", () => {
  it("is what lies in their namespace, unless no pool does", () => {
    const stray = metallb("IPAddressPool", "other", "q", { addresses: ["10.5.0.0/24"] });
    const names = (...items: readonly object[]) => ownObjects(read(...items)).pools.map(({ name }) => name);
    expect(names(pool, stray, speaker("a"))).toEqual(["p"]);
    expect(names(stray, speaker("a"))).toEqual(["q"]);
    expect(names(pool, stray)).toEqual(["p", "q"]);
  });

  it.each([
    ["no advertisement", [], undefined],
    ["one without names", [ad("x", {})], "all"],
    ["one with names", [ad("x", { interfaces: ["eth0"] })], ["eth0"]],
    [
      "two with names",
      [ad("x", { interfaces: ["eth1"] }), ad("y", { interfaces: ["eth0"] })],
      ["eth0", "eth1"],
    ],
    ["one with and one without", [ad("x", { interfaces: ["eth1"] }), ad("y", {})], "all"],
    ["one of another pool", [ad("x", { ipAddressPools: ["q"] })], undefined],
    ["one of another node", [ad("x", { nodeSelectors: [{ matchLabels: { host: "b" } }] })], undefined],
  ] as const)("interfaces by %s", (_, ads, expected) => {
    expect(interfaces(...ads)).toEqual(expected);
  });

  it("says why a node cannot be elected", () => {
    const label = "node.kubernetes.io/exclude-from-external-load-balancers";
    const objects = read(node("a"), node("b"), node("c", { [label]: "" }), speaker("a"), speaker("c"));
    const own = ownObjects(objects);
    expect(objects.nodes.map((each) => cannotAnnounce(own, each))).toEqual([
      undefined,
      "no speaker runs on it",
      `it has ${label}`,
    ]);
    expect(cannotAnnounce(ownObjects(read(node("a"))), objects.nodes[0] as NodeObject)).toBeUndefined();
  });
});

it("lists the images of speakers that run", () => {
  const objects = read(
    speaker("a"),
    speaker("b", "Pending"),
    speaker("c", "Running", "metallb/speaker:edge"),
  );
  expect(speakerImages(objects)).toEqual([
    { pod: "speaker-a", node: "a", image: "quay.io/metallb/speaker:v0.16.1", version: "0.16.1" },
    {
      pod: "speaker-c",
      node: "c",
      image: "metallb/speaker:edge",
      doubt: "the speaker's image tag edge names no release",
    },
  ]);
});

describe("how speakers speak BGP", () => {
  const daemonSet = (containers: unknown) => ({
    metadata: { name: "speaker", namespace: "metallb" },
    spec: { template: { spec: { containers } } },
  });
  it.each([
    ["frr", [{ name: "frr" }, { name: "speaker", env: [{ name: "METALLB_BGP_TYPE", value: "frr" }] }], "frr"],
    ["not said", [{ name: "speaker", env: [] }], "native"],
    ["no environment", [{ name: "speaker" }], "native"],
    ["no speaker", [{ name: "controller" }], undefined],
    ["unreadable", 7, undefined],
  ])("%s", (_, containers, type) => {
    expect(bgpType([daemonSet(containers)], "metallb")).toBe(type);
    expect(bgpType([daemonSet(containers)], "elsewhere")).toBeUndefined();
  });

  it("knows the fields that need FRR, and when they are set", () => {
    const peer = (spec: unknown) => ({ metadata: { name: "router" }, spec });
    expect(frrOnlyFields(peer({ peerASN: 1, vrf: "red", bfdProfile: "", dynamicASN: "internal" }))).toEqual([
      "vrf",
      "dynamicASN",
    ]);
    expect(frrOnlyFields({ metadata: { name: "router" } })).toEqual([]);
  });
});
