import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { createLedgerTable } from "#infra/lab/aws/create-ledger-table.ts";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { openSnapshotBucket } from "#shared/adapters/snapshots-s3.ts";
import { ledgerContract } from "#test/contract/ledger.ts";
import { snapshotStoreContract } from "#test/contract/snapshot-store.ts";
import { credentials, type Moto, region, startMoto } from "./support/moto.ts";

const installed = inject("moto");

describe.skipIf("missing" in installed)("a third-party DynamoDB and S3", () => {
  let moto: Moto;
  let made = 0;
  beforeAll(async () => {
    if ("server" in installed) moto = await startMoto(installed.server);
  });
  afterAll(() => moto?.stop());

  ledgerContract("the ledger in moto's DynamoDB", async (now) => {
    const table = `ledger-${++made}`;
    await createLedgerTable({ endpoint: moto.url, region, table });
    const ledger = openDynamoLedger({ table, region, endpoint: moto.url, credentials, now });
    return { ledger, dispose: () => ledger.close() };
  });

  snapshotStoreContract("moto's S3", async () => {
    const Bucket = `wishes-${++made}`;
    const client = new S3Client({ region, endpoint: moto.url, credentials });
    await client.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
    );
    const store = openSnapshotBucket({ bucket: Bucket, region, endpoint: moto.url, credentials });
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
});
