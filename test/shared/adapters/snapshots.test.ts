import { mkdtemp, readdir, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabAws } from "#infra/lab/aws/start.ts";
import { openSnapshotDirectory } from "#shared/adapters/snapshots-directory.ts";
import { openSnapshotBucket } from "#shared/adapters/snapshots-s3.ts";
import { makeSnapshot } from "#shared/dns/snapshot.ts";
import { snapshotStoreContract } from "#test/contract/snapshot-store.ts";
import { labCredentials as credentials, labZones, startLab } from "#test/infra/lab/aws/lab-zones.ts";

const region = "eu-central-1";
let lab: LabAws;
let buckets = 0;
beforeAll(async () => {
  lab = await startLab(labZones([]), { buckets: Array.from({ length: 20 }, (_, i) => `wishes-${i}`) });
});
afterAll(() => lab.close());

const empty = { cluster: "goldentooth", controllers: [], faults: [], counts: {}, services: {} };

snapshotStoreContract("a directory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "snapshots-"));
  return {
    store: openSnapshotDirectory({ directory }),
    spoil: (key, bytes) =>
      bytes === undefined ? unlink(join(directory, key)) : writeFile(join(directory, key), bytes),
    dispose: () => rm(directory, { recursive: true }),
  };
});

snapshotStoreContract("S3, as the lab speaks it", async () => {
  const Bucket = `wishes-${buckets++}`;
  const store = openSnapshotBucket({ bucket: Bucket, region, endpoint: lab.url, credentials });
  const client = new S3Client({ region, endpoint: lab.url, credentials });
  return {
    store,
    spoil: async (key, bytes) => {
      const Key = `snapshots/${key}`;
      await (bytes === undefined
        ? client.send(new DeleteObjectCommand({ Bucket, Key }))
        : client.send(new PutObjectCommand({ Bucket, Key, Body: bytes })));
    },
    dispose: async () => {
      store.close();
      client.destroy();
    },
  };
});

describe("snapshots in a directory", () => {
  it("are readable by the bot's account only, and only the newest hundred stay", async () => {
    const directory = await mkdtemp(join(tmpdir(), "snapshots-"));
    const store = openSnapshotDirectory({ directory });
    for (let services = 0; services < 103; services++)
      await store.put(makeSnapshot({ ...empty, counts: { services } }, services));
    const folder = join(directory, "goldentooth");
    const names = await readdir(folder);
    expect(names).toHaveLength(101);
    expect((await store.latest("goldentooth"))?.counts).toEqual({ services: 102 });
    expect((await stat(join(folder, "latest.json"))).mode & 0o077).toBe(0);
    await rm(directory, { recursive: true });
  });

  it("say where they cannot be written", async () => {
    const directory = await mkdtemp(join(tmpdir(), "snapshots-"));
    await writeFile(join(directory, "goldentooth"), "a file");
    await expect(openSnapshotDirectory({ directory }).put(makeSnapshot(empty, 1))).rejects.toMatchObject({
      fault: { kind: "unreadable", what: expect.stringContaining("goldentooth") },
    });
    await rm(directory, { recursive: true });
  });
});

describe("snapshots in S3", () => {
  it("say that the bucket is not there", async () => {
    const store = openSnapshotBucket({ bucket: "nowhere", region, endpoint: lab.url, credentials });
    await expect(store.latest("goldentooth")).rejects.toMatchObject({
      fault: {
        kind: "not-configured",
        what: "snapshot s3://nowhere/snapshots/goldentooth/latest.json",
      },
    });
    store.close();
  });
});
