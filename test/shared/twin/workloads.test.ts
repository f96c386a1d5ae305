import { describe, expect, it } from "vitest";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { twinOf } from "./twin-fixture.ts";

const labels = { app: "echo" };
const addEcho = (twin: Twin, replicas = 2) => {
  for (const result of [
    twin.store.create("deployments", {
      metadata: { name: "echo", namespace: "default" },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "echo", image: "echo:1" }] } },
      },
    }),
    twin.store.create("services", {
      metadata: { name: "echo", namespace: "default" },
      spec: { type: "LoadBalancer", selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    }),
  ])
    if (!result.ok) throw new Error(result.refusal.message);
};
const addressOf = (twin: Twin): string | undefined =>
  (twin.store.get("services", "default", "echo")?.status as { loadBalancer?: { ingress?: { ip: string }[] } })
    ?.loadBalancer?.ingress?.[0]?.ip;

describe("a Service that is made while the model runs", () => {
  it("gets an address, pods on nodes that take them, endpoints, and answers everywhere", async () => {
    const { twin, clock } = twinOf(healthy());
    addEcho(twin);
    await clock.advance(10_000);
    const ip = addressOf(twin) ?? "";
    const nodes = twin.store
      .list("pods", "default")
      .items.map(({ spec }) => (spec as { nodeName?: string }).nodeName);
    expect(new Set(nodes).size).toBe(2);
    expect(nodes.filter((node) => ["allyrion", "bettley", "cargyll"].includes(node ?? ""))).toEqual([]);
    for (const client of ["ops-host", "laptop", "guest-client"])
      expect(twin.reach(client, ip)).toMatchObject({ ok: true });
    expect(twin.store.get("deployments", "default", "echo")?.status).toMatchObject({ availableReplicas: 2 });
  });

  it("answers nobody before its pods are ready", async () => {
    const { twin, clock } = twinOf(healthy());
    addEcho(twin);
    await clock.advance(2_000);
    expect(twin.reach("ops-host", addressOf(twin) ?? "").ok).toBe(false);
  });

  it("leaves nothing behind", async () => {
    const { twin, clock } = twinOf(healthy());
    addEcho(twin);
    await clock.advance(10_000);
    const ip = addressOf(twin) ?? "";
    twin.store.remove("services", "default", "echo");
    twin.store.remove("deployments", "default", "echo");
    await clock.advance(10_000);
    expect(twin.store.list("pods", "default").items).toEqual([]);
    expect(twin.store.list("endpointslices", "default").items).toEqual([]);
    expect(twin.reach("ops-host", ip).ok).toBe(false);
  });

  it("follows the number of replicas", async () => {
    const { twin, clock } = twinOf(healthy());
    addEcho(twin, 1);
    await clock.advance(5_000);
    twin.store.mergePatch("deployments", "default", "echo", { spec: { replicas: 3 } });
    await clock.advance(5_000);
    expect(twin.store.list("pods", "default").items).toHaveLength(3);
    twin.store.mergePatch("deployments", "default", "echo", { spec: { replicas: 0 } });
    await clock.advance(5_000);
    expect(twin.store.list("pods", "default").items).toHaveLength(0);
    expect(twin.reach("ops-host", addressOf(twin) ?? "")).toMatchObject({ ok: false, because: "no-answer" });
  });
});

describe("the label that takes a node out of load balancing", () => {
  it("moves the addresses of that node away and back", async () => {
    const { twin, clock } = twinOf(healthy());
    const entered = () => twin.reach("ops-host", "10.4.11.1").path.at(-1) ?? "";
    const before = entered();
    const label = (value: string | null) =>
      twin.store.mergePatch("nodes", undefined, before, {
        metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": value } },
      });
    label("");
    await clock.advance(2_000);
    expect(entered()).not.toBe(before);
    label(null);
    await clock.advance(2_000);
    expect(entered()).toBe(before);
  });
});
