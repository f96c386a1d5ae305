import { describe, expect, it } from "vitest";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinOf } from "./twin-fixture.ts";

const service = (
  name: string,
  more: Readonly<Record<string, unknown>> = {},
  annotations: Readonly<Record<string, string>> = {},
) => ({
  metadata: { name, namespace: "default", annotations },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...more },
});

type Twin = ReturnType<typeof twinOf>["twin"];

const addressOf = (twin: Twin, name: string): string | undefined =>
  (
    twin.store.get("services", "default", name)?.status as
      | { loadBalancer?: { ingress?: { ip: string }[] } }
      | undefined
  )?.loadBalancer?.ingress?.[0]?.ip;

const eventsOf = (twin: Twin, name: string): string[] =>
  twin.store
    .list("events")
    .items.filter((event) => (event.involvedObject as { name?: string }).name === name)
    .map((event) => `${event.reason}: ${event.message}`);

describe("MetalLB's controller in the model", () => {
  it("gives a new Service the first free address of the pool, says so, and nobody else's moves", async () => {
    const { twin, clock } = twinOf(healthy());
    await clock.advance(1_000);
    const before = twin.store.list("services").items.length;
    twin.store.create("services", service("one"));
    twin.store.create("services", service("two"));
    await clock.advance(1_000);
    expect([addressOf(twin, "one"), addressOf(twin, "two")]).toEqual(["10.4.11.0", "10.4.11.14"]);
    expect(eventsOf(twin, "one")).toEqual(['IPAllocated: Assigned IP ["10.4.11.0"]']);
    expect(twin.store.list("services").items.length).toBe(before + 2);
    expect(twin.store.get("services", "default", "one")?.metadata.annotations).toMatchObject({
      "metallb.io/ip-allocated-from-pool": "primary",
    });
  });

  it("gives the address that was asked for, and says why when it cannot", async () => {
    const { twin, clock } = twinOf(healthy());
    twin.store.create("services", service("asked", {}, { "metallb.io/loadBalancerIPs": "10.4.12.200" }));
    twin.store.create("services", service("taken", {}, { "metallb.io/loadBalancerIPs": "10.4.11.1" }));
    twin.store.create("services", service("outside", { loadBalancerIP: "10.9.9.9" }));
    twin.store.create("services", service("poolless", {}, { "metallb.io/address-pool": "none" }));
    await clock.advance(1_000);
    expect(addressOf(twin, "asked")).toBe("10.4.12.200");
    for (const name of ["taken", "outside", "poolless"]) expect(addressOf(twin, name)).toBeUndefined();
    expect(eventsOf(twin, "taken")[0]).toMatch(/AllocationFailed: .*"10\.4\.11\.1" is in use/);
    expect(eventsOf(twin, "outside")[0]).toMatch(/not allowed in config/);
    expect(eventsOf(twin, "poolless")[0]).toMatch(/unknown pool "none"/);
  });

  it("leaves alone what belongs to another load balancer or is none", async () => {
    const { twin, clock } = twinOf(healthy());
    twin.store.create("services", service("other", { loadBalancerClass: "example.com/lb" }));
    twin.store.create("services", service("inner", { type: "ClusterIP" }));
    await clock.advance(1_000);
    expect([addressOf(twin, "other"), addressOf(twin, "inner")]).toEqual([undefined, undefined]);
  });

  it("keeps the age of what was there before the model began", () => {
    const { twin } = twinOf(healthy());
    expect(twin.store.get("services", "httpbin", "httpbin")?.metadata.creationTimestamp).toBe(
      "2025-03-02T18:20:11Z",
    );
  });
});
