import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectLambda } from "#shared/adapters/lambda-invoke.ts";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { connectRoute53 } from "#shared/adapters/route53.ts";
import { readSecretText } from "#shared/adapters/secrets-manager.ts";
import { openSnapshotBucket } from "#shared/adapters/snapshots-s3.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { FaultError } from "#shared/fault.ts";

let silent: Server;
beforeAll(async () => {
  silent = createServer(() => {});
  await new Promise<void>((ready) => silent.listen(0, "127.0.0.1", ready));
});
afterAll(() => {
  silent.closeAllConnections();
  silent.close();
});

const options = () => ({
  region: "us-east-1",
  endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  requestMs: 20,
});

describe("a service that takes the question and never answers", () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      "Route 53",
      () =>
        connectRoute53({ ...options(), clock: systemClock, callsPerSecond: 1_000, attempts: 1 }).read.zones(),
    ],
    ["DynamoDB", () => openDynamoLedger({ ...options(), table: "t", now: () => 0 }).list("run")],
    ["S3", () => openSnapshotBucket({ ...options(), bucket: "b" }).latest("goldentooth")],
    ["Lambda", () => connectLambda({ ...options(), timeoutMs: 20 }).ask("f", {})],
    ["Secrets Manager", () => readSecretText(options(), "s")],
  ])("is given up after the limit: %s", async (_, ask) => {
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FaultError);
    expect((error as FaultError).fault.kind).toBe("timed-out");
  });
});
