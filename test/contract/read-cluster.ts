import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFault } from "#shared/fault.ts";
import { resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { KubeObject, Listed, ReadCluster } from "#shared/kubernetes/read.ts";
import { apiVersionOf } from "#shared/kubernetes/refusals.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { ObjectStore, StoreResult } from "#shared/twin/object-store.ts";

export const done = (result: StoreResult): KubeObject => {
  if (!result.ok) throw new Error(result.refusal.message);
  return result.object;
};

/** A small cluster: two namespaces, two nodes, one pool with one advertisement, 1,203 Services. */
export function smallCluster(options: Partial<Parameters<typeof createObjectStore>[0]> = {}): ObjectStore {
  let uid = 0;
  const store = createObjectStore({
    now: () => Date.parse("2026-11-01T14:00:00Z"),
    newUid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}`,
    historyLimit: 5_000,
    ...options,
  });
  for (const name of ["apps", "metallb-system"]) done(store.create("namespaces", { metadata: { name } }));
  for (const name of ["bettley", "karstark"])
    done(
      store.create("nodes", {
        metadata: { name, labels: { "kubernetes.io/hostname": name } },
        spec: {},
        status: { conditions: [{ type: "Ready", status: "True" }] },
      }),
    );
  done(
    store.create("ipaddresspools", {
      metadata: { name: "first-pool", namespace: "metallb-system" },
      spec: { addresses: ["10.4.11.0/24"], autoAssign: true, avoidBuggyIPs: false },
    }),
  );
  done(
    store.create("l2advertisements", {
      metadata: { name: "example", namespace: "metallb-system" },
      spec: { ipAddressPools: ["first-pool"] },
    }),
  );
  for (let i = 0; i < 1_203; i++)
    done(
      store.create("services", {
        metadata: { name: `svc-${i}`, namespace: i % 2 === 0 ? "apps" : "metallb-system" },
        spec: { type: "LoadBalancer", clusterIP: `10.43.${i >> 8}.${i & 255}`, ports: [{ port: 80 }] },
        status: { loadBalancer: { ingress: [{ ip: `10.4.11.${i & 255}` }] } },
      }),
    );
  return store;
}

const objects = (listed: Listed): readonly KubeObject[] => {
  if (isFault(listed)) throw new Error(`${listed.what}: ${listed.detail}`);
  return listed;
};

const names = (listed: Listed): string[] => objects(listed).map(({ metadata }) => metadata.name);

/** A reader of that cluster whose rights leave out `pods`. */
export type ReaderOf = (
  store: ObjectStore,
) => Promise<Readonly<{ read: ReadCluster; close: () => Promise<void> }>>;

/** What every `ReadCluster` must do, whatever it reads from. */
export function readClusterContract(title: string, readerOf: ReaderOf): void {
  describe(`ReadCluster: ${title}`, () => {
    const store = smallCluster();
    let reader: Awaited<ReturnType<ReaderOf>>;
    beforeAll(async () => {
      reader = await readerOf(store);
    });
    afterAll(async () => reader.close());

    it("lists every object of every namespace, also more than one page of them", async () => {
      const { services, nodes } = await reader.read(["services", "nodes"]);
      expect(new Set(names(services))).toEqual(new Set(Array.from({ length: 1_203 }, (_, i) => `svc-${i}`)));
      expect(objects(services)).toHaveLength(1_203);
      expect(names(nodes)).toEqual(["bettley", "karstark"]);
    });

    it("gives each object whole, with its type", async () => {
      const { l2advertisements, nodes, services } = await reader.read([
        "l2advertisements",
        "nodes",
        "services",
      ]);
      for (const [kind, listed] of Object.entries({ l2advertisements, nodes, services })) {
        const key = kind as keyof typeof resourceKinds;
        const sample = objects(listed)[0];
        expect(sample).toEqual(store.get(key, sample?.metadata.namespace, sample?.metadata.name ?? ""));
        expect(sample).toMatchObject({ apiVersion: apiVersionOf(key), kind: resourceKinds[key].kind });
      }
    });

    it("gives an empty list, not a fault, for a kind without objects", async () => {
      expect(await reader.read(["bgppeers", "configmaps"])).toEqual({ bgppeers: [], configmaps: [] });
    });

    it("tells a denied kind apart without hiding the others", async () => {
      const { pods, ipaddresspools } = await reader.read(["pods", "ipaddresspools"]);
      expect(pods).toMatchObject({ kind: "denied", what: "list of pods" });
      expect(names(ipaddresspools)).toEqual(["first-pool"]);
    });

    it("sees a change at the next read", async () => {
      const patch = { spec: { autoAssign: false } };
      done(store.mergePatch("ipaddresspools", "metallb-system", "first-pool", patch));
      const { ipaddresspools } = await reader.read(["ipaddresspools"]);
      expect(objects(ipaddresspools)[0]?.spec).toMatchObject(patch.spec);
    });

    it("answers no kinds with nothing", async () => {
      expect(await reader.read([])).toEqual({});
    });
  });
}
