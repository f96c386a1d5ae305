import * as z from "zod";
import { decodeSnapshot, encodeSnapshot, type Snapshot, type SnapshotStore } from "../dns/snapshot.ts";
import { FaultError } from "../fault.ts";

/** Where bytes are kept by name. Throws FaultError; `undefined` only for what is known not to be there. */
export type Blobs = Readonly<{
  get: (key: string) => Promise<Uint8Array | undefined>;
  /** Whole or not at all: nobody reads half of it. */
  put: (key: string, bytes: Uint8Array, type: string) => Promise<void>;
  /** How people would call the place of a key. */
  place: (key: string) => string;
}>;

const pointer = z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/), takenAt: z.number() });

const clusterName = /^[a-z0-9][-a-z0-9.]*$/;

const snapshotKey = (cluster: string, hash: string): string => {
  if (!clusterName.test(cluster)) throw new Error(`${JSON.stringify(cluster)} is no name of a cluster`);
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new Error(`${JSON.stringify(hash)} is no hash of a snapshot`);
  return `${cluster}/${hash}.json.gz`;
};

const latestKey = (cluster: string): string => `${cluster}/latest.json`;

/** Snapshots by their hash, and a small file that says which is the latest and when it was taken. */
export function createSnapshotStore(blobs: Blobs): SnapshotStore {
  const unreadable = (key: string, detail: string) =>
    new FaultError({ kind: "unreadable", what: `snapshot ${blobs.place(key)}`, detail });

  async function get(cluster: string, hash: string): Promise<Snapshot | undefined> {
    const key = snapshotKey(cluster, hash);
    const bytes = await blobs.get(key);
    if (bytes === undefined) return undefined;
    const read = await decodeSnapshot(bytes);
    if (!read.ok) throw unreadable(key, read.problem);
    const { snapshot } = read;
    if (snapshot.hash !== hash || snapshot.cluster !== cluster)
      throw unreadable(key, `it is ${snapshot.hash.slice(0, 12)} of ${snapshot.cluster}`);
    return snapshot;
  }

  return {
    get,
    put: async (snapshot) => {
      const { cluster, hash, takenAt } = snapshot;
      await blobs.put(snapshotKey(cluster, hash), await encodeSnapshot(snapshot), "application/gzip");
      const latest = Buffer.from(`${JSON.stringify({ hash, takenAt })}\n`);
      await blobs.put(latestKey(cluster), latest, "application/json");
    },
    latest: async (cluster) => {
      const key = latestKey(cluster);
      const bytes = await blobs.get(key);
      if (bytes === undefined) return undefined;
      let said: unknown;
      try {
        said = JSON.parse(Buffer.from(bytes).toString("utf8"));
      } catch {
        throw unreadable(key, "not JSON");
      }
      const read = pointer.safeParse(said);
      if (!read.success) throw unreadable(key, z.prettifyError(read.error).replaceAll("\n", " "));
      const { hash, takenAt } = read.data;
      const snapshot = await get(cluster, hash);
      if (snapshot === undefined) throw unreadable(key, `it names ${hash.slice(0, 12)}, which is not there`);
      return { ...snapshot, takenAt };
    },
  };
}
