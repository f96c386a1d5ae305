import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { electionHash, type PredictOptions, predict } from "#shared/metallb/announcer.ts";
import type { MetalLbObjects } from "#shared/metallb/resources.ts";
import { rulesOf } from "#shared/metallb/versions.ts";
import {
  bgp,
  l2,
  node,
  nodes,
  objectsOf,
  openPool,
  peer,
  pool,
  service,
  slice,
  speakerDaemonSet,
  speakerPod,
} from "./cluster.ts";

const only = <T>(items: readonly T[]): T => {
  expect(items).toHaveLength(1);
  return items[0] as T;
};
const predictOne = (objects: MetalLbObjects, options?: PredictOptions) =>
  only(predict(objects, options).addresses);

const unavailable = { conditions: [{ type: "NetworkUnavailable", status: "True" }] };
const excluded = { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "false" } };

describe("upstream's own expectations (speaker/layer2_controller_test.go)", () => {
  it("hashes node name, # and address", () => {
    expect(electionHash("node-a", "10.0.0.1")).toBe(
      "dd41591fe8f31f9f38e297fe9892a8eff47892ea017c4167619a62f366fb8149",
    );
  });

  it.each([
    { names: ["node-a", "node-b", "node-c"], ip: "10.0.0.1", order: ["node-b", "node-a", "node-c"] },
    { names: ["node-a", "node-b", "node-c"], ip: "10.0.0.2", order: ["node-b", "node-c", "node-a"] },
    { names: ["node-a", "node-b"], ip: "10.20.30.1", order: ["node-b", "node-a"] },
    { names: ["iris1", "iris2"], ip: "10.20.30.1", order: ["iris2", "iris1"] },
    { names: ["iris1", "iris2"], ip: "10.20.30.2", order: ["iris1", "iris2"] },
    { names: ["worker-a", "worker-b"], ip: "10.20.30.1", order: ["worker-a", "worker-b"] },
  ])("$names for $ip", ({ names, ip, order }) => {
    const address = predictOne(
      objectsOf(nodes(...names), openPool, service("web", ip), slice("web", [names[0] as string])),
    );
    expect(address.order).toEqual(order);
    expect(address.why).toEqual({});
    expect(address.pool).toBe("all");
    expect(Object.values(address.interfaces)).toEqual(names.map(() => "all"));
  });

  it.each([
    {
      names: ["edge-a", "edge-b", "worker-a", "worker-b"],
      on: ["edge-a"],
      order: ["edge-a", "edge-b", "worker-a", "worker-b"],
    },
    {
      names: ["edge-a", "edge-b", "worker-a"],
      on: ["edge-a", "edge-b"],
      order: ["edge-b", "edge-a", "worker-a"],
    },
  ])("main sorts preferred nodes first: $on", ({ names, on, order }) => {
    const objects = objectsOf(
      names.map((name) => node(name, on.includes(name) ? { labels: { edge: "true" } } : {})),
      pool("p", ["10.20.30.0/24"]),
      l2("p", { preferredNodeSelectors: [{ weight: 100, preference: { matchLabels: { edge: "true" } } }] }),
      service("web", "10.20.30.1"),
      slice("web", ["worker-a"]),
    );
    expect(predictOne(objects, { version: "main" }).order).toEqual(order);
    expect(predictOne(objects, { version: "0.16.1" }).order).toEqual(
      [...names].sort((a, b) => (electionHash(a, "10.20.30.1") < electionHash(b, "10.20.30.1") ? -1 : 1)),
    );
  });

  it("policy Local keeps only nodes with a servable endpoint", () => {
    const objects = objectsOf(
      nodes("iris1", "iris2"),
      openPool,
      service("web", "10.20.30.1", { policy: "Local" }),
      slice("web", ["iris1", { conditions: { ready: false }, nodeName: "iris2" }]),
    );
    expect(predictOne(objects)).toMatchObject({ order: ["iris1"], why: { iris2: "no-local-endpoint" } });
  });
});

describe("reasons that rule out one node", () => {
  const base = (bad: ReturnType<typeof node>) =>
    objectsOf(nodes("a", "b"), bad, openPool, service("web", "10.0.0.1"), slice("web", ["a"]));

  it.each([
    { why: "network-unavailable", bad: node("x", unavailable), from: "0.13.10", before: "0.13.9" },
    { why: "exclude-label", bad: node("x", excluded), from: "0.14.0", before: "0.13.12" },
    { why: "cordoned", bad: node("x", { unschedulable: true }), from: "0.14.9", before: "0.14.8" },
  ])("$why from $from on", ({ why, bad, from, before }) => {
    expect(predictOne(base(bad), { version: from }).why).toEqual({ x: why });
    expect(predictOne(base(bad), { version: before }).order).toContain("x");
  });

  it.each(["0.15.0", "0.16.1", "main"])("a cordoned node stays a candidate in %s", (version) => {
    expect(predictOne(base(node("x", { unschedulable: true })), { version }).order).toContain("x");
  });

  it.each(["False", "Unknown"])("NetworkUnavailable=%s passes", (status) => {
    const x = node("x", {
      conditions: [
        { type: "NetworkUnavailable", status },
        { type: "Ready", status: "False" },
      ],
    });
    expect(predictOne(base(x)).order).toContain("x");
  });

  it("--ignore-exclude-lb keeps the labelled node, but only from 0.14.4 on", () => {
    const objects = base(node("x", excluded));
    expect(predictOne(objects, { ignoreExcludeLb: true }).order).toContain("x");
    const early = predict(objects, { ignoreExcludeLb: true, version: "0.14.3" });
    expect(only(early.addresses).why).toEqual({ x: "exclude-label" });
    expect(early.assumed.notes).toEqual([expect.stringContaining("0.14.4")]);
  });

  it("the first rule in MetalLB's order is the one told", () => {
    const x = node("x", { ...excluded, ...unavailable });
    expect(predictOne(base(x)).why).toEqual({ x: "network-unavailable" });
    expect(predictOne(base(x), { memberlist: ["a", "b"] }).why).toEqual({ x: "not-a-speaker" });
  });
});

describe("advertisements", () => {
  const build = (...ads: ReturnType<typeof l2>[]) =>
    objectsOf(
      node("a", { labels: { zone: "1", disk: "ssd" } }),
      node("b", { labels: { zone: "2" } }),
      node("c"),
      pool("p", ["10.0.0.0/24"], { labels: { lan: "yes" } }),
      pool("q", ["10.0.1.0/24"]),
      ads,
      service("web", "10.0.0.1", { labels: { app: "web" } }),
      slice("web", ["a"]),
    );
  const selected = (spec: unknown) => [...predictOne(build(l2("x", spec))).order].sort();

  it.each([
    { name: "absent spec", spec: undefined, nodes: ["a", "b", "c"] },
    { name: "empty list", spec: { nodeSelectors: [] }, nodes: ["a", "b", "c"] },
    { name: "empty item", spec: { nodeSelectors: [{}] }, nodes: ["a", "b", "c"] },
    { name: "matchLabels", spec: { nodeSelectors: [{ matchLabels: { zone: "1" } }] }, nodes: ["a"] },
    {
      name: "items are alternatives",
      spec: { nodeSelectors: [{ matchLabels: { zone: "1" } }, { matchLabels: { zone: "2" } }] },
      nodes: ["a", "b"],
    },
    {
      name: "requirements of an item must all hold",
      spec: { nodeSelectors: [{ matchLabels: { zone: "2", disk: "ssd" } }] },
      nodes: [],
    },
    {
      name: "In",
      spec: { nodeSelectors: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["2", "3"] }] }] },
      nodes: ["b"],
    },
    {
      name: "NotIn holds for a node without the label",
      spec: { nodeSelectors: [{ matchExpressions: [{ key: "zone", operator: "NotIn", values: ["1"] }] }] },
      nodes: ["b", "c"],
    },
    {
      name: "Exists",
      spec: { nodeSelectors: [{ matchExpressions: [{ key: "zone", operator: "Exists" }] }] },
      nodes: ["a", "b"],
    },
    {
      name: "DoesNotExist",
      spec: { nodeSelectors: [{ matchExpressions: [{ key: "zone", operator: "DoesNotExist" }] }] },
      nodes: ["c"],
    },
    { name: "pool by name", spec: { ipAddressPools: ["p"] }, nodes: ["a", "b", "c"] },
    { name: "another pool", spec: { ipAddressPools: ["q", "no-such-pool"] }, nodes: [] },
    {
      name: "pool by label",
      spec: { ipAddressPoolSelectors: [{ matchLabels: { lan: "yes" } }] },
      nodes: ["a", "b", "c"],
    },
    {
      name: "label that no pool has",
      spec: { ipAddressPoolSelectors: [{ matchLabels: { lan: "no" } }] },
      nodes: [],
    },
    {
      name: "union of name and label",
      spec: { ipAddressPools: ["q"], ipAddressPoolSelectors: [{ matchLabels: { lan: "yes" } }] },
      nodes: ["a", "b", "c"],
    },
    {
      name: "service selector that matches",
      spec: { serviceSelectors: [{ matchLabels: { app: "web" } }] },
      nodes: ["a", "b", "c"],
    },
    {
      name: "service selector that does not",
      spec: { serviceSelectors: [{ matchLabels: { app: "db" } }] },
      nodes: [],
    },
  ])("$name", ({ spec, nodes: expected }) => {
    expect(selected(spec)).toEqual(expected);
  });

  it("tells apart a pool, a service and a node that no advertisement selects", () => {
    const why = (...ads: ReturnType<typeof l2>[]) => predictOne(build(...ads)).why.c;
    expect(why(l2("x", { ipAddressPools: ["q"] }))).toBe("pool-not-advertised");
    expect(why()).toBe("pool-not-advertised");
    expect(why(l2("x", { serviceSelectors: [{ matchLabels: { app: "db" } }] }))).toBe(
      "no-advertisement-selects-service",
    );
    expect(why(l2("x", { nodeSelectors: [{ matchLabels: { zone: "1" } }] }))).toBe(
      "no-advertisement-selects-node",
    );
  });

  it("reads serviceSelectors from 0.16.0 on only", () => {
    const objects = build(l2("x", { serviceSelectors: [{ matchLabels: { app: "db" } }] }));
    expect(predictOne(objects, { version: "0.15.3" }).order).toHaveLength(3);
    expect(predictOne(objects, { version: "0.16.0" }).order).toEqual([]);
  });

  it("unites interfaces over the advertisements that select the node; one without a list opens all", () => {
    const one = l2("one", { interfaces: ["eth1", "eth0"], nodeSelectors: [{ matchLabels: { zone: "1" } }] });
    const two = l2("two", { interfaces: ["eth0", "bond0"] });
    expect(predictOne(build(one, two)).interfaces).toEqual({
      a: ["bond0", "eth0", "eth1"],
      b: ["bond0", "eth0"],
      c: ["bond0", "eth0"],
    });
    const open = l2("open", { nodeSelectors: [{ matchLabels: { zone: "2" } }] });
    expect(predictOne(build(one, two, open)).interfaces.b).toBe("all");
    expect(predictOne(build(one, two), { version: "0.13.5" }).interfaces.a).toBe("all");
  });

  it("on main a shared address and serviceSelectors silence each other", () => {
    const objects = (annotation: string) =>
      objectsOf(
        nodes("a"),
        pool("p", ["10.0.0.0/24"]),
        l2("x", { serviceSelectors: [{ matchLabels: { app: "web" } }] }),
        service("web", "10.0.0.1", { labels: { app: "web" }, annotations: { [annotation]: "k" } }),
        slice("web", ["a"]),
      );
    for (const prefix of ["metallb.io", "metallb.universe.tf"]) {
      const shared = objects(`${prefix}/allow-shared-ip`);
      expect(predictOne(shared, { version: "main" }).why).toEqual({ a: "shared-ip-with-service-selector" });
      expect(predictOne(shared, { version: "0.16.1" }).order).toEqual(["a"]);
    }
  });
});

describe("endpoints", () => {
  const order = (conditions: Readonly<Record<string, boolean | null | undefined>>, version: string) =>
    predictOne(
      objectsOf(nodes("a"), openPool, service("s", "10.0.0.1"), slice("s", [{ conditions, nodeName: "a" }])),
      { version },
    ).order.length > 0;

  it.each([
    { conditions: {}, old: true, middle: true, now: true },
    { conditions: { ready: true }, old: true, middle: true, now: true },
    { conditions: { ready: null, serving: false }, old: true, middle: false, now: true },
    { conditions: { ready: true, serving: false }, old: true, middle: false, now: true },
    { conditions: { ready: false, serving: true }, old: false, middle: true, now: true },
    { conditions: { ready: false }, old: false, middle: false, now: false },
    {
      conditions: { ready: false, serving: false, terminating: true },
      old: false,
      middle: false,
      now: false,
    },
  ])("$conditions", ({ conditions, old, middle, now }) => {
    expect([order(conditions, "0.13.12"), order(conditions, "0.14.4"), order(conditions, "0.14.5")]).toEqual([
      old,
      middle,
      now,
    ]);
    expect(order(conditions, "0.16.1")).toBe(now);
  });

  it("policy Cluster needs an endpoint somewhere, even without a nodeName", () => {
    const objects = (endpoints: readonly Record<string, unknown>[]) =>
      objectsOf(nodes("a"), openPool, service("s", "10.0.0.1"), slice("s", endpoints));
    expect(predictOne(objects([])).why).toEqual({ a: "no-servable-endpoint" });
    expect(predictOne(objects([{ conditions: { ready: true } }])).order).toEqual(["a"]);
  });

  it("policy Local ignores endpoints without a nodeName, and slices of another namespace", () => {
    const local = service("s", "10.0.0.1", { policy: "Local" });
    const anonymous = slice("s", [{ conditions: { ready: true } }]);
    expect(predictOne(objectsOf(nodes("a"), openPool, local, anonymous)).why).toEqual({
      a: "no-local-endpoint",
    });
    const foreign = slice("s", ["a"], { namespace: "other" });
    expect(predictOne(objectsOf(nodes("a"), openPool, local, foreign)).why).toEqual({
      a: "no-servable-endpoint",
    });
  });

  it("sums the slices of a Service", () => {
    const objects = objectsOf(
      nodes("a", "b"),
      openPool,
      service("s", "10.0.0.1", { policy: "Local" }),
      slice("s", ["a"]),
      slice("s", ["b"], { name: "s-2" }),
    );
    expect([...predictOne(objects).order].sort()).toEqual(["a", "b"]);
  });
});

describe("addresses", () => {
  it("hashes only the first address of a dual-stack Service and repeats the order for both", () => {
    const objects = objectsOf(
      nodes("a", "b", "c"),
      openPool,
      service("web", ["FD00:0:0:0:0:0:0:1", "10.0.0.1"]),
      slice("web", ["a"]),
    );
    const { addresses } = predict(objects);
    expect(addresses.map(({ ip }) => ip)).toEqual(["fd00::1", "10.0.0.1"]);
    const byFirst = ["a", "b", "c"].sort((x, y) =>
      electionHash(x, "fd00::1") < electionHash(y, "fd00::1") ? -1 : 1,
    );
    expect(addresses.map(({ order }) => order)).toEqual([byFirst, byFirst]);
    expect(only(predict(objects, { ip: "10.0.0.1" }).addresses).order).toEqual(byFirst);
    expect(only(predict(objects, { ip: "fd00:0::1" }).addresses).ip).toBe("fd00::1");
    expect(predict(objects, { ip: "10.0.0.2" }).addresses).toEqual([]);
  });

  it("gives each Service that shares an address its own entry", () => {
    const { addresses } = predict(
      objectsOf(
        nodes("a", "b"),
        openPool,
        service("tcp", "10.0.0.1", { policy: "Local" }),
        slice("tcp", ["a"]),
        service("udp", "10.0.0.1", { policy: "Local" }),
        slice("udp", ["b"]),
      ),
    );
    expect(addresses.map(({ service: name, order }) => [name, order])).toEqual([
      ["default/tcp", ["a"]],
      ["default/udp", ["b"]],
    ]);
  });

  it.each([
    { name: "outside every pool", ips: ["192.0.2.1"], why: "no-pool" },
    { name: "spread over two pools", ips: ["10.0.0.1", "10.0.1.1"], why: "no-pool" },
    { name: "a host name among them", ips: ["10.0.0.1", "lb.example.com"], why: "invalid-address" },
  ])("$name: nobody", ({ ips, why }) => {
    const objects = objectsOf(
      nodes("a"),
      pool("p", ["10.0.0.0/24"]),
      pool("q", ["10.0.1.0/24"]),
      l2("x"),
      service("s", ips),
      slice("s", ["a"]),
    );
    for (const address of predict(objects).addresses)
      expect(address).toMatchObject({ order: [], why: { a: why } });
    expect(predict(objects).addresses).toHaveLength(ips.length);
  });

  it("leaves out Services that wait for an address, and says so", () => {
    const { addresses, assumed } = predict(
      objectsOf(
        nodes("a"),
        openPool,
        service("late", []),
        service("inner", "10.0.0.9", { type: "ClusterIP" }),
        slice("x", []),
      ),
    );
    expect(addresses).toEqual([]);
    expect(assumed.notes).toEqual(["no address assigned yet, left out: default/late"]);
  });

  it("a Service of another load balancer class is not MetalLB's", () => {
    const build = (args: readonly string[], loadBalancerClass?: string) =>
      objectsOf(
        nodes("a"),
        openPool,
        speakerDaemonSet(undefined, { args }),
        service("s", "10.0.0.1", loadBalancerClass === undefined ? {} : { loadBalancerClass }),
        slice("s", ["a"]),
      );
    const other = { a: "not-load-balancer-class" };
    expect(predictOne(build([], "cilium")).why).toEqual(other);
    expect(predictOne(build(["--lb-class=metallb"])).why).toEqual(other);
    expect(predictOne(build(["--lb-class=metallb"], "metallb")).order).toEqual(["a"]);
  });
});

describe("an invalid configuration voids every address", () => {
  const withObjects = (...extra: ReturnType<typeof l2>[]) =>
    objectsOf(nodes("a"), pool("p", ["10.0.0.0/24"]), service("s", "10.0.0.1"), slice("s", ["a"]), extra);

  it.each([
    {
      name: "* as a label value",
      extra: [l2("primary", { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }] })],
      error: /Invalid value: "\*": a valid label must be[\s\S]*failed to parse node selector for primary/,
    },
    {
      name: "unknown operator",
      extra: [
        l2("x", { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "Equals", values: ["b"] }] }] }),
      ],
      error: /"Equals" is not a valid label selector operator/,
    },
    {
      name: "In without values",
      extra: [l2("x", { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "In" }] }] })],
      error: /values set can't be empty/,
    },
    {
      name: "Exists with values",
      extra: [
        l2("x", { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] }] }),
      ],
      error: /values set must be empty for exists/,
    },
    {
      name: "pool named twice",
      extra: [l2("x", { ipAddressPools: ["p", "p"] })],
      error: /duplicate definition of ipAddressPools "p"/,
    },
    {
      name: "selector given twice",
      extra: [l2("x", { nodeSelectors: [{ matchLabels: { a: "b" } }, { matchLabels: { a: "b" } }] })],
      error: /duplicate definition of nodeSelectors \{map\["a":"b"\] \[\]\}/,
    },
    {
      name: "overlapping pools",
      extra: [l2("x"), pool("q", ["10.0.0.128-10.0.0.130"])],
      error: /CIDR "10.0.0.128\/31" in pool "q" overlaps with already defined CIDR "10.0.0.0\/24"/,
    },
    {
      name: "malformed pool",
      extra: [l2("x"), pool("q", ["10.1.0.0"])],
      error: /parsing address pool q: invalid CIDR "10.1.0.0" in pool "q"/,
    },
    { name: "empty pool", extra: [l2("x"), pool("q", [])], error: /pool has no prefixes defined/ },
    {
      name: "a BGP advertisement",
      extra: [l2("x"), bgp("b", { peers: ["r", "r"] })],
      error: /duplicate definition of peers "r"/,
    },
    {
      name: "a BGP peer",
      extra: [l2("x"), peer("r", { peerASN: 1, peerAddress: "10.9.9.9" })],
      error: /parsing peer r missing local ASN/,
    },
  ])("$name", ({ extra, error }) => {
    const address = predictOne(withObjects(...extra));
    expect(address.configError).toMatch(error);
    expect(address).toMatchObject({ order: [], why: { a: "invalid-configuration" }, interfaces: {} });
  });

  it("a valid configuration has no configError", () => {
    expect(predictOne(withObjects(l2("x")))).not.toHaveProperty("configError");
  });

  it("objects outside MetalLB's namespace are not its configuration", () => {
    const stray = l2("stray", { ipAddressPools: ["p", "p"] }, { namespace: "elsewhere" });
    expect(
      predictOne(
        objectsOf(
          nodes("a"),
          speakerDaemonSet(),
          pool("p", ["10.0.0.0/24"]),
          l2("x"),
          stray,
          service("s", "10.0.0.1"),
          slice("s", ["a"]),
        ),
      ).order,
    ).toEqual(["a"]);
  });
});

it("pools that live elsewhere than the speakers are taken, and that is said", () => {
  const away = pool("p", ["10.0.0.0/24"], { namespace: "metallb" });
  const { addresses, assumed } = predict(
    objectsOf(
      nodes("a"),
      speakerPod("a"),
      away,
      l2("x", undefined, { namespace: "metallb" }),
      service("s", "10.0.0.1"),
      slice("s", ["a"]),
    ),
  );
  expect(only(addresses).order).toEqual(["a"]);
  expect(assumed.notes).toEqual([expect.stringContaining("metallb-system; those of metallb")]);
});

describe("speakers", () => {
  const base = [...nodes("a", "b", "c"), ...openPool, service("s", "10.0.0.1"), slice("s", ["a"])];

  it("come from running, ready pods; else one on every node is assumed and said", () => {
    const pods = [speakerPod("a"), speakerPod("b", { ready: false }), speakerPod("c", { phase: "Pending" })];
    const given = predict(objectsOf(base, pods));
    expect(only(given.addresses)).toMatchObject({
      order: ["a"],
      why: { b: "not-a-speaker", c: "not-a-speaker" },
    });
    expect(given.assumed).toMatchObject({ speakers: ["a"], speakersFrom: "running speaker pods" });
    const assumed = predict(objectsOf(base));
    expect(only(assumed.addresses).order).toHaveLength(3);
    expect(assumed.assumed).toMatchObject({
      version: "0.16.1",
      speakersFrom: "assumed on every node",
    });
  });

  it("an option overrules the pods, and members without a Node are told", () => {
    const { addresses, assumed } = predict(objectsOf(base, speakerPod("a")), { memberlist: ["b", "ghost"] });
    expect(only(addresses).order).toEqual(["b"]);
    expect(assumed.notes).toEqual(["no Node object for these speakers, ignored: ghost"]);
  });

  it.each([
    { version: "0.10.3", policy: "Cluster", order: ["a"] },
    { version: "0.12.1", policy: "Cluster", order: [] },
    { version: "0.12.1", policy: "Local", order: ["a"] },
    { version: "0.13.0", policy: "Local", order: [] },
    { version: "0.14.8", policy: "Cluster", order: [] },
    { version: "0.15.0", policy: "Local", order: ["a"] },
  ] as const)("memberlist off, $version, policy $policy: $order", ({ version, policy, order }) => {
    const objects = objectsOf(
      nodes("a", "b"),
      openPool,
      service("s", "10.0.0.1", { policy }),
      slice("s", ["a"]),
    );
    expect(predictOne(objects, { version, memberlist: "off" }).order).toEqual(order);
  });

  it("memberlist off from 0.15.0 on: every Node, even one whose speaker does not run", () => {
    const { addresses, assumed } = predict(objectsOf(base, speakerPod("a")), { memberlist: "off" });
    expect(only(addresses).order).toHaveLength(3);
    expect(assumed.notes).toEqual([expect.stringContaining("b, c")]);
    expect(predictOne(objectsOf(base), { memberlist: "off", version: "0.14.9" }).why).toMatchObject({
      a: "memberlist-off",
    });
  });

  it("version and flags come from the DaemonSet unless given", () => {
    const daemonSet = speakerDaemonSet("quay.io/metallb/speaker:v0.14.9", {
      args: ["--ignore-exclude-lb"],
      memberlist: false,
    });
    expect(predict(objectsOf(base, daemonSet)).assumed).toMatchObject({
      version: "0.14.9",
      versionFrom: "speaker image",
      memberlist: "off",
      ignoreExcludeLb: true,
      ignoreExcludeLbFrom: "speaker arguments",
    });
    expect(
      predict(objectsOf(base, daemonSet), { version: "0.15.3", memberlist: ["a"], ignoreExcludeLb: false })
        .assumed,
    ).toMatchObject({
      version: "0.15.3",
      memberlist: "on",
      ignoreExcludeLb: false,
    });
  });

  it("up to 0.10 the Service's name is hashed and only nodes with an endpoint stand", () => {
    const objects = objectsOf(
      nodes("a", "b", "c"),
      openPool,
      service("web", "10.0.0.1"),
      slice("web", ["a", "b"]),
    );
    const byName = ["a", "b"].sort((x, y) =>
      electionHash(x, "default/web") < electionHash(y, "default/web") ? -1 : 1,
    );
    expect(predictOne(objects, { version: "0.10.3" })).toMatchObject({
      order: byName,
      why: { c: "no-local-endpoint" },
    });
    expect(rulesOf("0.10.3").hashed).toBe("service");
    expect(rulesOf("0.11.0").hashed).toBe("address");
    expect(predictOne(objects, { version: "0.11.0" }).order).toHaveLength(3);
  });
});

describe("properties", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/), {
    minLength: 2,
    maxLength: 9,
  });

  it("removing a node that does not announce never moves the address", () => {
    fc.assert(
      fc.property(names, fc.ipV4(), fc.nat(), (all, ip, pick) => {
        const build = (list: readonly string[]) =>
          objectsOf(nodes(...list), pool("p", ["0.0.0.0/0"]), l2("p"), service("s", ip), slice("s", ["x"]));
        const { order } = predictOne(build(all));
        const loser = order[1 + (pick % (order.length - 1))] as string;
        const less = predictOne(build(all.filter((name) => name !== loser)));
        expect(less.order).toEqual(order.filter((name) => name !== loser));
      }),
      { numRuns: 60 },
    );
  });

  it("order is a permutation of the nodes that have no reason, whatever the order of the dump", () => {
    const kinds = fc.array(fc.constantFrom("plain", "excluded", "unavailable", "gone"), {
      minLength: 9,
      maxLength: 9,
    });
    fc.assert(
      fc.property(
        names,
        kinds,
        fc.constantFrom("Local" as const, "Cluster" as const),
        (all, kind, policy) => {
          const items = all.map((name, i) =>
            node(name, kind[i] === "excluded" ? excluded : kind[i] === "unavailable" ? unavailable : {}),
          );
          const members = all.filter((_, i) => kind[i] !== "gone");
          const build = (list: typeof items) =>
            objectsOf(list, openPool, service("s", "10.0.0.1", { policy }), slice("s", [all[0] as string]));
          const { order, why, interfaces } = predictOne(build(items), { memberlist: members });
          expect([...order, ...Object.keys(why)].sort()).toEqual([...all].sort());
          expect(Object.keys(interfaces).sort()).toEqual([...order].sort());
          expect(predictOne(build([...items].reverse()), { memberlist: members }).order).toEqual(order);
          const hashes = order.map((name) => electionHash(name, "10.0.0.1"));
          expect(hashes).toEqual([...hashes].sort());
        },
      ),
      { numRuns: 60 },
    );
  });
});
