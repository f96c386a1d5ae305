import { describe, expect, it } from "vitest";
import type { Json } from "#shared/json.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { creation, deletion, diffsOf, type ObjectChange, patching } from "#shared/migration/objects.ts";
import { stillChanged } from "#shared/steps/still-changed.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { readOn } from "#shared/twin/read-on.ts";

const { signal } = new AbortController();
const namespace = "metallb";

function world() {
  let uid = 0;
  const store = createObjectStore({
    now: () => Date.parse("2026-11-01T14:00:00Z"),
    newUid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}`,
  });
  const put = (kind: ResourceKind, name: string, spec: object, metadata: object = {}): KubeObject => {
    store.create(kind, { metadata: { name, namespace, ...metadata }, spec } as KubeObject);
    return store.get(kind, namespace, name) as KubeObject;
  };
  const left = (...changes: readonly ObjectChange[]) => stillChanged(readOn(store), diffsOf(changes), signal);
  return { store, put, left };
}

const l2: KubeObject = { metadata: { name: "primary", namespace }, spec: { ipAddressPools: ["primary"] } };

describe("what a step changed", () => {
  it("by creating is there until the object is gone", async () => {
    const { store, put, left } = world();
    const change = creation("l2advertisements", l2);
    put("l2advertisements", "primary", { ipAddressPools: ["primary"] });
    expect(await left(change)).toEqual(["L2Advertisement metallb/primary"]);
    store.remove("l2advertisements", namespace, "primary");
    expect(await left(change)).toEqual([]);
  });

  it("by deleting is there until an object says the same again, whoever made it", async () => {
    const { store, put, left } = world();
    const spec = { myASN: 64513, peerASN: 64512, peerAddress: "10.4.0.1", password: "hunter-two" };
    const change = deletion("bgppeers", put("bgppeers", "router", spec));
    store.remove("bgppeers", namespace, "router");
    expect(await left(change)).toEqual(["BGPPeer metallb/router"]);
    put("bgppeers", "router", { ...spec, peerASN: 64999 });
    expect(await left(change)).toEqual(["BGPPeer metallb/router"]);
    store.remove("bgppeers", namespace, "router");
    put("bgppeers", "router", { ...spec, peerPort: 179, disableMP: false }, { labels: { by: "somebody" } });
    expect(await left(change)).toEqual([]);
  });

  it("by changing fields is there until those fields are what they were, whatever else is written", async () => {
    const { store, put, left } = world();
    const patch = { spec: { ipAddressPools: ["other"], nodeSelectors: null } };
    const before = put("bgpadvertisements", "primary", {
      ipAddressPools: ["primary"],
      nodeSelectors: [{ matchLabels: { a: "b" } }],
    });
    const change = patching("bgpadvertisements", before, patch, "change");
    store.mergePatch("bgpadvertisements", namespace, "primary", patch);
    const write = (fields: object) =>
      store.mergePatch("bgpadvertisements", namespace, "primary", fields as never);
    expect(await left(change)).toEqual(["BGPAdvertisement metallb/primary"]);
    write({ spec: { ipAddressPools: ["primary"] } });
    expect(await left(change)).toEqual(["BGPAdvertisement metallb/primary"]);
    write({ spec: { nodeSelectors: [{ matchLabels: { a: "b" } }], localPref: 100 } });
    expect(await left(change)).toEqual([]);
    store.remove("bgpadvertisements", namespace, "primary");
    expect(await left(change)).toEqual(["BGPAdvertisement metallb/primary"]);
  });

  it("in one of several containers is there until that one is what it was", async () => {
    const { store, put, left } = world();
    const pod = (...containers: readonly Json[]) => ({ template: { spec: { containers } } });
    const own = { name: "own", args: ["--a", "--b"], env: [{ name: "X", value: "1" }] };
    const other = { name: "other", image: "x" };
    const before = put("deployments", "dns", pod(own, other));
    const change = patching("deployments", before, { spec: pod({ ...own, args: ["--a"] }, other) }, "change");
    const write = (spec: object) => store.mergePatch("deployments", namespace, "dns", { spec } as never);
    write(pod({ ...own, args: ["--a"] }, other));
    expect(await left(change)).toEqual(["Deployment metallb/dns"]);
    write(pod({ name: "injected" }, { ...own, args: ["--a"] }, other));
    expect(await left(change)).toEqual(["Deployment metallb/dns"]);
    write(pod({ name: "injected" }, { ...own, image: "y" }, other));
    expect(await left(change)).toEqual([]);
    write(pod(other));
    expect(await left(change)).toEqual(["Deployment metallb/dns"]);
  });

  it("by adding a field is there until the field is gone", async () => {
    const { store, put, left } = world();
    const before = put("services", "web", { type: "LoadBalancer" });
    const patch = { metadata: { annotations: { "example.com/name": "web" } } };
    const change = patching("services", before, { spec: { loadBalancerClass: "x" } }, "change");
    store.mergePatch("services", namespace, "web", { spec: { loadBalancerClass: "x" } });
    store.mergePatch("services", namespace, "web", patch);
    expect(await left(change)).toEqual(["Service metallb/web"]);
    store.mergePatch("services", namespace, "web", { spec: { loadBalancerClass: null } });
    expect(await left(change)).toEqual([]);
  });
});

it("is unknown where a kind cannot be seen", async () => {
  const { store } = world();
  await expect(
    stillChanged(readOn(store, ["l2advertisements"]), diffsOf([creation("l2advertisements", l2)]), signal),
  ).rejects.toMatchObject({ fault: { kind: "denied" } });
});
