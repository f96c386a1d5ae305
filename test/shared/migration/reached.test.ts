import { describe, expect, it } from "vitest";
import { withDefaults } from "#infra/lab/kubernetes/defaults.ts";
import type { Json } from "#shared/json.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { MetalLbView } from "#shared/migration/metallb-view.ts";
import { asJson, titleOf } from "#shared/migration/objects.ts";
import { missing } from "#shared/migration/reached.ts";

const kinds = [
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
  "services",
] as const;

const view = (kind: ResourceKind, ...objects: readonly KubeObject[]): MetalLbView =>
  ({
    lists: Object.fromEntries(kinds.map((each) => [each, each === kind ? objects : []])),
    gitOps: { applications: [], kustomizations: [], helmreleases: [] },
  }) as unknown as MetalLbView;

const object = (spec: object, labels?: Readonly<Record<string, string>>): KubeObject =>
  ({ metadata: { name: "primary", namespace: "metallb", ...(labels && { labels }) }, spec }) as KubeObject;

const isMissing = (kind: ResourceKind, there: KubeObject, before: KubeObject | null, after: KubeObject) =>
  missing(view(kind, there), [
    {
      object: titleOf(kind, after),
      uid: null,
      before: before === null ? null : (asJson(before) as Json),
      after: asJson(after) as Json,
    },
  ]).length > 0;

describe("what a change left is there", () => {
  it.each<readonly [string, ResourceKind, object]>([
    ["a pool", "ipaddresspools", { addresses: ["10.4.10.250/32"], autoAssign: false }],
    ["an advertisement by BGP", "bgpadvertisements", { ipAddressPools: ["primary"] }],
    [
      "a Service",
      "services",
      { type: "LoadBalancer", selector: { app: "httpbin" }, ports: [{ port: 80, protocol: "TCP" }] },
    ],
  ])("whatever the API server fills in: %s", (_, kind, spec) => {
    const there = withDefaults(kind, object(spec), []) as unknown as KubeObject;
    expect(there.spec).not.toEqual(spec);
    expect(isMissing(kind, there, null, object(spec))).toBe(false);
  });

  const pool = { addresses: ["10.4.11.1-10.4.11.250"] };
  it.each<readonly [string, ResourceKind, KubeObject, KubeObject | null, KubeObject]>([
    ["another value", "ipaddresspools", object({ addresses: ["10.4.12.0/24"] }), null, object(pool)],
    [
      "a default that somebody turned over",
      "ipaddresspools",
      object({ ...pool, avoidBuggyIPs: true }),
      null,
      object(pool),
    ],
    [
      "a field more, which narrows an advertisement",
      "l2advertisements",
      object({ ipAddressPools: ["primary"], interfaces: ["eth0"] }),
      null,
      object({ ipAddressPools: ["primary"] }),
    ],
    [
      "a field that the change took away",
      "services",
      object({ type: "LoadBalancer", loadBalancerIP: "10.4.11.7" }),
      object({ type: "LoadBalancer", loadBalancerIP: "10.4.11.7" }),
      object({ type: "LoadBalancer" }),
    ],
    [
      "a label that the change took away",
      "services",
      object({}, { canary: "yes" }),
      object({}, { canary: "yes" }),
      object({}),
    ],
  ])("but not with %s", (_, kind, there, before, after) => {
    expect(isMissing(kind, there, before, after)).toBe(true);
  });

  it("is passed over by labels of others", () => {
    expect(
      isMissing(
        "ipaddresspools",
        object(pool, { "argocd.argoproj.io/instance": "metallb" }),
        null,
        object(pool),
      ),
    ).toBe(false);
  });
});
