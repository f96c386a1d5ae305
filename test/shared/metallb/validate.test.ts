import { describe, expect, it } from "vitest";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import type { Operation } from "#shared/twin/object-store.ts";
import { bfd, bgp, community, l2, node, peer, pool, speakerDaemonSet } from "./cluster.ts";

type Store = Readonly<Partial<Record<ResourceKind, readonly KubeObject[]>>>;

const running: Store = {
  daemonsets: [speakerDaemonSet()],
  nodes: [node("a"), node("b")],
  ipaddresspools: [pool("primary", ["10.4.11.0-10.4.15.254"])],
};

const verdict = (operation: Operation, kind: ResourceKind, object: KubeObject, store: Store = running) =>
  admitMetalLb(operation, kind, object, undefined, (each) => store[each] ?? []);

const denial = (webhook: string, message: string) => ({
  code: 403,
  reason: "Forbidden",
  message: `admission webhook "${webhook}.metallb.io" denied the request: ${message}`,
});

const goodPeer = { myASN: 64500, peerASN: 64501, peerAddress: "10.4.0.1" };
const selector = (value: string) => [{ matchLabels: { "kubernetes.io/hostname": value } }];

describe("what MetalLB lets pass", () => {
  it.each([
    ["ipaddresspools", pool("more", ["10.5.0.0/24", "fd00::/64"])],
    [
      "l2advertisements",
      l2("primary", { ipAddressPools: ["primary", "not-yet-there"], interfaces: ["eth0"] }),
    ],
    ["l2advertisements", l2("bare")],
    [
      "bgpadvertisements",
      bgp("b", { ipAddressPools: ["primary"], communities: ["65535:65282", "alias-yet-to-come"] }),
    ],
    ["bgppeers", peer("r", { ...goodPeer, bfdProfile: "not-yet-there", holdTime: "90s" })],
    [
      "communities",
      community("c", {
        communities: [
          { name: "x", value: "1:2" },
          { name: "y", value: "large:1:2:3" },
        ],
      }),
    ],
    ["bfdprofiles", bfd("f", { detectMultiplier: 3 })],
    ["nodes", node("*")],
  ] as const)("%s", (kind, object) => {
    expect(verdict("CREATE", kind, object)).toBeUndefined();
  });

  it("an update of a pool is not compared with its own old self", () => {
    expect(verdict("UPDATE", "ipaddresspools", pool("primary", ["10.4.11.0/24"]))).toBeUndefined();
  });

  it("deleting advertisements, pools and peers is never judged", () => {
    expect(verdict("DELETE", "l2advertisements", l2("x", { ipAddressPools: ["a", "a"] }))).toBeUndefined();
    expect(verdict("DELETE", "ipaddresspools", pool("primary", []))).toBeUndefined();
  });

  it("before the first MetalLB object any namespace may be MetalLB's", () => {
    expect(
      verdict("CREATE", "l2advertisements", l2("x", undefined, { namespace: "metallb" }), {}),
    ).toBeUndefined();
  });
});

describe("what MetalLB refuses, in its words", () => {
  it("the seed's wildcard selector", () => {
    const answer = verdict("CREATE", "l2advertisements", l2("primary", { nodeSelectors: selector("*") }));
    expect(answer).toEqual(
      denial(
        "l2advertisementvalidationwebhook",
        `values[0][kubernetes.io/hostname]: Invalid value: "*": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
invalid label selector {map[kubernetes.io/hostname:*] []}
failed to parse node selector for primary`,
      ),
    );
  });

  it.each([
    {
      name: "overlap",
      kind: "ipaddresspools",
      object: pool("q", ["10.4.12.0/24"]),
      webhook: "ipaddresspoolvalidationwebhook",
      message: 'CIDR "10.4.12.0/24" in pool "q" overlaps with already defined CIDR "10.4.12.0/23"',
    },
    {
      name: "overlap with itself",
      kind: "ipaddresspools",
      object: pool("q", ["10.9.0.0/24", "10.9.0.7-10.9.0.7"]),
      webhook: "ipaddresspoolvalidationwebhook",
      message: 'CIDR "10.9.0.7/32" in pool "q" overlaps with already defined CIDR "10.9.0.0/24"',
    },
    {
      name: "malformed range",
      kind: "ipaddresspools",
      object: pool("q", ["10.9.0.9-10.9.0.1"]),
      webhook: "ipaddresspoolvalidationwebhook",
      message:
        'parsing address pool q: invalid CIDR "10.9.0.9-10.9.0.1" in pool "q": invalid IP range "10.9.0.9-10.9.0.1": start IP "10.9.0.9" is after the end IP "10.9.0.1"',
    },
    {
      name: "no addresses",
      kind: "ipaddresspools",
      object: pool("q", []),
      webhook: "ipaddresspoolvalidationwebhook",
      message: "parsing address pool q: pool has no prefixes defined",
    },
    {
      name: "namespace given twice",
      kind: "ipaddresspools",
      object: pool("q", ["10.9.0.0/24"], {}, { serviceAllocation: { namespaces: ["x", "x"] } }),
      webhook: "ipaddresspoolvalidationwebhook",
      message: "parsing address pool q: duplicate definition in namespaces field",
    },
    {
      name: "pool given twice",
      kind: "l2advertisements",
      object: l2("x", { ipAddressPools: ["primary", "primary"] }),
      webhook: "l2advertisementvalidationwebhook",
      message: 'duplicate definition of ipAddressPools "primary"',
    },
    {
      name: "selector given twice",
      kind: "l2advertisements",
      object: l2("x", { nodeSelectors: [...selector("a"), ...selector("a")] }),
      webhook: "l2advertisementvalidationwebhook",
      message: 'duplicate definition of nodeSelectors {map["kubernetes.io/hostname":"a"] []}',
    },
    {
      name: "value given twice",
      kind: "l2advertisements",
      object: l2("x", {
        nodeSelectors: [{ matchExpressions: [{ key: "k", operator: "In", values: ["b", "b"] }] }],
      }),
      webhook: "l2advertisementvalidationwebhook",
      message: 'duplicate definition of match expression value in label selector "b"',
    },
    {
      name: "peer given twice",
      kind: "bgpadvertisements",
      object: bgp("b", { peers: ["r", "r"] }),
      webhook: "bgpadvertisementvalidationwebhook",
      message: 'duplicate definition of peers "r"',
    },
    {
      name: "aggregation shorter than the pool's prefix allows",
      kind: "bgpadvertisements",
      object: bgp("b", { aggregationLength: 20 }),
      webhook: "bgpadvertisementvalidationwebhook",
      message:
        "invalid aggregation length 20: prefix 23 in this pool is more specific than the aggregation length for addresses 10.4.11.0-10.4.15.254",
    },
    {
      name: "community out of range",
      kind: "communities",
      object: community("c", { communities: [{ name: "x", value: "1:70000" }] }),
      webhook: "communityvalidationwebhook",
      message:
        'parsing community "x": invalid community value: invalid section "70000" of community "1:70000", err: "strconv.ParseUint: parsing \\"70000\\": value out of range"',
    },
    {
      name: "no ASN",
      kind: "bgppeers",
      object: peer("r", { peerASN: 1, peerAddress: "10.4.0.1" }),
      webhook: "bgppeersvalidationwebhook",
      message: "parsing peer r missing local ASN",
    },
    {
      name: "bad address",
      kind: "bgppeers",
      object: peer("r", { ...goodPeer, peerAddress: "router" }),
      webhook: "bgppeersvalidationwebhook",
      message: 'parsing peer r invalid BGPPeer address "router"',
    },
    {
      name: "short hold time",
      kind: "bgppeers",
      object: peer("r", { ...goodPeer, holdTime: "1s" }),
      webhook: "bgppeersvalidationwebhook",
      message:
        'parsing peer r invalid BGPPeer timers: invalid hold time "&Duration{Duration:1s,}": must be 0 or >=3s',
    },
  ] as const)("$kind: $name", ({ kind, object, webhook, message }) => {
    expect(verdict("CREATE", kind, object)).toEqual(denial(webhook, message));
    expect(verdict("UPDATE", kind, object)).toEqual(denial(webhook, message));
  });

  it.each([
    ["l2advertisements", "l2advertisementvalidationwebhook", l2("x", undefined, { namespace: "default" })],
    [
      "ipaddresspools",
      "ipaddresspoolvalidationwebhook",
      pool("x", ["10.9.0.0/24"], { namespace: "default" }),
    ],
    ["bfdprofiles", "bfdprofilevalidationwebhook", bfd("x", undefined, { namespace: "default" })],
    ["communities", "communityvalidationwebhook", community("x", undefined, { namespace: "default" })],
    ["bgppeers", "bgppeersvalidationwebhook", peer("x", goodPeer, { namespace: "default" })],
    ["bgpadvertisements", "bgpadvertisementvalidationwebhook", bgp("x", undefined, { namespace: "default" })],
  ] as const)("%s in another namespace", (kind, webhook, object) => {
    expect(verdict("CREATE", kind, object)).toEqual(
      denial(webhook, "resource must be created in metallb-system namespace"),
    );
  });

  it("a BFD profile in use cannot be deleted", () => {
    const store = { ...running, bgppeers: [peer("r", { ...goodPeer, bfdProfile: "fast" })] };
    expect(verdict("DELETE", "bfdprofiles", bfd("fast"), store)).toEqual(
      denial("bfdprofilevalidationwebhook", "failed to delete BFDProfile fast, used by BGPPeer r"),
    );
    expect(verdict("DELETE", "bfdprofiles", bfd("idle"), store)).toBeUndefined();
    expect(verdict("UPDATE", "bfdprofiles", bfd("fast"), store)).toBeUndefined();
  });

  it("one bad object that slipped in makes every later write of its kind fail", () => {
    const store = { ...running, l2advertisements: [l2("old", { nodeSelectors: selector("*") })] };
    expect(verdict("CREATE", "l2advertisements", l2("new"), store)?.message).toContain(
      "node selector for old",
    );
    expect(verdict("UPDATE", "l2advertisements", l2("old"), store)).toBeUndefined();
  });

  it("clashing local preferences on the same pool, nodes and peers", () => {
    const store = { ...running, bgpadvertisements: [bgp("one", { localPref: 100, peers: ["r"] })] };
    expect(verdict("CREATE", "bgpadvertisements", bgp("two", { localPref: 200 }), store)?.message).toContain(
      "invalid local preference 200",
    );
    expect(
      verdict("CREATE", "bgpadvertisements", bgp("two", { localPref: 200, peers: ["s"] }), store),
    ).toBeUndefined();
    const elsewhere = bgp("two", { localPref: 200, nodeSelectors: selector("no-such-node") });
    expect(verdict("CREATE", "bgpadvertisements", elsewhere, store)).toBeUndefined();
  });

  it("an object the schema cannot hold is invalid, not forbidden", () => {
    expect(verdict("CREATE", "ipaddresspools", pool("q", "10.0.0.0/8" as never))).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: expect.stringMatching(/^IPAddressPool\.metallb\.io "q" is invalid: spec\.addresses: /),
    });
  });
});
