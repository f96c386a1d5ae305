import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { SnapshotStore } from "../dns/snapshot.ts";
import { awsCode, awsFault } from "./aws-fault.ts";
import type { AwsCredentials } from "./route53.ts";
import { createSnapshotStore } from "./snapshots.ts";

export type SnapshotBucketOptions = Readonly<{
  bucket: string;
  region: string;
  /** Left out: what AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the region say. */
  endpoint?: string;
  /** Left out: the SDK's chain. */
  credentials?: AwsCredentials;
  /** Longest wait for one answer, milliseconds. */
  requestMs?: number;
}>;

/**
 * Snapshots in S3 under `snapshots/CLUSTER/`. Who may not list the bucket gets 403 instead of 404 for what is not there:
 * that stays a fault, as it cannot be told from a denial.
 */
export function openSnapshotBucket(
  options: SnapshotBucketOptions,
): SnapshotStore & Readonly<{ close: () => void }> {
  const { bucket } = options;
  const client = new S3Client({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: options.requestMs ?? 30_000,
      throwOnRequestTimeout: true,
    },
  });
  const keyOf = (key: string): string => `snapshots/${key}`;
  const place = (key: string): string => `s3://${bucket}/${keyOf(key)}`;
  const store = createSnapshotStore({
    place,
    get: async (key) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(key) }));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (awsCode(error) === "NoSuchKey") return undefined;
        throw awsFault(error, `snapshot ${place(key)}`);
      }
    },
    put: async (key, bytes, type) => {
      try {
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: keyOf(key), Body: bytes, ContentType: type }),
        );
      } catch (error) {
        throw awsFault(error, `snapshot ${place(key)}`);
      }
    },
  });
  return { ...store, close: () => client.destroy() };
}
