import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSnapshot, type SnapshotContent, type SnapshotStore } from "#shared/dns/snapshot.ts";

const content = (services: number): SnapshotContent => ({
  cluster: "goldentooth",
  controllers: [],
  faults: [],
  counts: { services },
  services: {},
});

export type StoreUnderTest = Readonly<{
  store: SnapshotStore;
  /** Replaces what stands under a key, or takes it away. */
  spoil: (key: string, bytes: string | undefined) => Promise<void>;
  dispose: () => Promise<void>;
}>;

/** What every store of snapshots promises; `open` gives an empty one. */
export function snapshotStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`SnapshotStore: ${name}`, () => {
    let under: StoreUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.dispose());

    it("has nothing at first", async () => {
      expect(await under.store.latest("goldentooth")).toBeUndefined();
      expect(await under.store.get("goldentooth", "0".repeat(64))).toBeUndefined();
    });

    it("gives the latest and every earlier one by its hash", async () => {
      const [first, second] = [makeSnapshot(content(1), 1_000), makeSnapshot(content(2), 2_000)];
      await under.store.put(first);
      await under.store.put(second);
      expect(await under.store.latest("goldentooth")).toEqual(second);
      expect(await under.store.get("goldentooth", first.hash)).toEqual(first);
    });

    it("dates the same wish anew", async () => {
      await under.store.put(makeSnapshot(content(1), 1_000));
      await under.store.put(makeSnapshot(content(1), 61_000));
      expect(await under.store.latest("goldentooth")).toEqual(makeSnapshot(content(1), 61_000));
    });

    it("keeps clusters apart", async () => {
      const other = makeSnapshot({ ...content(3), cluster: "bramble" }, 1_000);
      await under.store.put(other);
      expect(await under.store.latest("goldentooth")).toBeUndefined();
      expect(await under.store.get("goldentooth", other.hash)).toBeUndefined();
      expect(await under.store.latest("bramble")).toEqual(other);
    });

    it("says unreadable, never nothing, when what stands there is no snapshot", async () => {
      const snapshot = makeSnapshot(content(1), 1_000);
      const unreadable = { fault: { kind: "unreadable" } };
      await under.store.put(snapshot);
      await under.spoil(`goldentooth/${snapshot.hash}.json.gz`, "no gzip");
      await expect(under.store.latest("goldentooth")).rejects.toMatchObject(unreadable);
      await under.spoil(`goldentooth/${snapshot.hash}.json.gz`, undefined);
      await expect(under.store.latest("goldentooth")).rejects.toMatchObject(unreadable);
      await under.spoil("goldentooth/latest.json", "{");
      await expect(under.store.latest("goldentooth")).rejects.toMatchObject(unreadable);
      await under.spoil("goldentooth/latest.json", '{"hash":"../x","takenAt":1}');
      await expect(under.store.latest("goldentooth")).rejects.toMatchObject(unreadable);
    });

    it.each(["../x", "", "a/b"])("refuses %j as a cluster", async (cluster) => {
      await expect(under.store.get(cluster, "0".repeat(64))).rejects.toThrow("no name of a cluster");
    });
  });
}
