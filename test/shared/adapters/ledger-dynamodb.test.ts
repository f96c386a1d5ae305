import { randomBytes } from "node:crypto";
import { DynamoDBClient, ScanCommand, type ScanCommandOutput } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { audit, readAudit } from "#shared/ledger/audit.ts";
import { claimOnce } from "#shared/ledger/dedupe.ts";
import { ledgerContract } from "#test/contract/ledger.ts";
import { credentials, type Dynalite, region, startDynalite } from "./dynalite-server.ts";

let db: Dynalite;
beforeAll(async () => {
  db = await startDynalite();
});
afterAll(() => db.close());

ledgerContract("the ledger in DynamoDB", async (now) => {
  const { ledger } = await db.open(now);
  return { ledger, dispose: () => ledger.close() };
});

describe("the ledger in DynamoDB", () => {
  let now = Date.UTC(2026, 10, 23, 14);
  const clock = () => now;
  const start = now;
  const dayMs = 86_400_000;

  const scan = async (table: string): Promise<NonNullable<ScanCommandOutput["Items"]>> => {
    const client = new DynamoDBClient({ region, endpoint: db.url, credentials });
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    client.destroy();
    return Items;
  };

  it("has for one process what another wrote", async () => {
    const { ledger: one, table } = await db.open(clock);
    const { ledger: two } = await db.open(clock, table);
    await one.append("run/R-1", 0, { type: "started", data: { a: "ä" } });
    expect(await two.append("run/R-1", 0, { type: "started", data: null })).toEqual({
      ok: false,
      version: 1,
    });
    expect((await two.read("run/R-1")).map(({ data }) => data)).toEqual([{ a: "ä" }]);
    expect(await two.list("run")).toEqual(["run/R-1"]);
    expect((await one.lease("goldentooth", "R-1", 1_000)).ok).toBe(true);
    expect((await two.lease("goldentooth", "R-2", 1_000)).ok).toBe(false);
    await Promise.all([one.close(), two.close()]);
  });

  it("lets one of two processes win each version", async () => {
    const { ledger: one, table } = await db.open(clock);
    const { ledger: two } = await db.open(clock, table);
    for (let version = 0; version < 5; version++) {
      const tries = await Promise.all(
        [one, two].map((ledger, i) => ledger.append("run/R-1", version, { type: "t", data: i })),
      );
      expect(tries.filter(({ ok }) => ok)).toHaveLength(1);
      expect(tries.find(({ ok }) => !ok)).toEqual({ ok: false, version: version + 1 });
    }
    expect(await one.list("run")).toEqual(["run/R-1"]);
    await Promise.all([one.close(), two.close()]);
  });

  it("gives a lease that ran out to exactly one of many", async () => {
    const { ledger } = await db.open(clock);
    await ledger.lease("goldentooth", "R-0", 1_000);
    now += 1_000;
    const tries = await Promise.all(
      Array.from({ length: 8 }, (_, i) => ledger.lease("goldentooth", `R-${i + 1}`, 1_000)),
    );
    const won = tries.flatMap((result) => (result.ok ? [result.lease] : []));
    expect(won.map(({ token }) => token)).toEqual([2]);
    await ledger.close();
  });

  it("keeps events of more than a megabyte together, page after page", async () => {
    const { ledger } = await db.open(clock);
    const data = "x".repeat(30_000);
    for (let version = 0; version < 60; version++)
      await ledger.append("run/R-1", version, { type: "t", data });
    const events = await ledger.read("run/R-1");
    expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(events.every((event) => event.data === data)).toBe(true);
    expect((await ledger.read("run/R-1", 55)).map(({ version }) => version)).toEqual([56, 57, 58, 59, 60]);
    await ledger.close();
  });

  it.each([
    ["200 KB that pack well", "plan ".repeat(40_000), 0],
    ["900 KB that do not", randomBytes(680_000).toString("base64"), 2],
  ])("keeps %s", async (_, data, pieces) => {
    const { ledger, table } = await db.open(clock);
    await ledger.append("plan/P-1", 0, { type: "planned", data });
    expect((await ledger.read("plan/P-1"))[0]?.data).toBe(data);
    expect((await scan(table)).filter(({ pk }) => pk?.S?.startsWith("p#"))).toHaveLength(pieces);
    await ledger.close();
  });

  it("says that data is too large instead of writing a part of it", async () => {
    const { ledger, table } = await db.open(clock);
    const data = randomBytes(24 * 1024 * 1024).toString("base64");
    await expect(ledger.append("run/R-1", 0, { type: "t", data })).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringContaining("nothing was written") },
    });
    expect((await scan(table)).filter(({ pk }) => !pk?.S?.startsWith("k#"))).toEqual([]);
    expect(await ledger.list("run")).toEqual([]);
    await ledger.close();
  });

  it("tells a piece that is missing", async () => {
    const { ledger, table } = await db.open(clock);
    await ledger.append("plan/P-1", 0, { type: "t", data: randomBytes(680_000).toString("base64") });
    const client = new DynamoDBClient({ region, endpoint: db.url, credentials });
    const { DeleteItemCommand } = await import("@aws-sdk/client-dynamodb");
    const piece = (await scan(table)).find(({ pk }) => pk?.S?.startsWith("p#"));
    await client.send(
      new DeleteItemCommand({ TableName: table, Key: { pk: piece?.pk as never, sk: piece?.sk as never } }),
    );
    client.destroy();
    await expect(ledger.read("plan/P-1")).rejects.toMatchObject({
      fault: { kind: "unreadable", detail: "1 of its 2 pieces are there" },
    });
    await ledger.close();
  });

  it("knows its own event when the answer to the first try was lost", async () => {
    const { ledger } = await db.open(clock);
    await ledger.append("run/R-1", 0, { type: "started", data: 1 });
    let cut = 0;
    const stop = db.before((target, body) => {
      if (!target.endsWith("PutItem") || !body.includes("e#run/R-1") || cut > 0) return undefined;
      cut += 1;
      return "cut after";
    });
    expect(await ledger.append("run/R-1", 1, { type: "ended", data: 2 })).toEqual({ ok: true, version: 2 });
    stop();
    expect(cut).toBe(1);
    expect((await ledger.read("run/R-1")).map(({ data }) => data)).toEqual([1, 2]);
    await ledger.close();
  });

  it("asks nothing before the next event of a stream it wrote last, and still loses to another", async () => {
    const { ledger: one, table } = await db.open(clock);
    const { ledger: two } = await db.open(clock, table);
    await one.append("run/R-1", 0, { type: "t", data: 1 });
    const asked: string[] = [];
    const stop = db.before((target) => {
      asked.push(target.split(".")[1] ?? "");
      return undefined;
    });
    expect(await one.append("run/R-1", 1, { type: "t", data: 2 })).toEqual({ ok: true, version: 2 });
    expect(asked.filter((each) => each !== "UpdateItem")).toEqual(["PutItem"]);
    stop();
    await two.append("run/R-1", 2, { type: "t", data: 3 });
    expect(await one.append("run/R-1", 2, { type: "t", data: 4 })).toEqual({ ok: false, version: 3 });
    expect(await one.append("run/R-1", 1, { type: "t", data: 4 })).toEqual({ ok: false, version: 3 });
    expect((await one.read("run/R-1")).map(({ data }) => data)).toEqual([1, 2, 3]);
    await Promise.all([one.close(), two.close()]);
  });

  it("lists no stream whose first event was never written, and takes it later", async () => {
    const { ledger } = await db.open(clock);
    const stop = db.before((target, body) =>
      target.endsWith("PutItem") && body.includes('"e#run/R-1"') ? "cut" : undefined,
    );
    await expect(ledger.append("run/R-1", 0, { type: "started", data: 1 })).rejects.toMatchObject({
      fault: { kind: "unreachable" },
    });
    stop();
    expect(await ledger.list("run")).toEqual([]);
    expect(await ledger.append("run/R-1", 0, { type: "started", data: 1 })).toEqual({ ok: true, version: 1 });
    expect(await ledger.list("run")).toEqual(["run/R-1"]);
    await ledger.close();
  });

  it("forgets claims after their time, though DynamoDB deletes them days later", async () => {
    const { ledger, table } = await db.open(clock);
    expect(await claimOnce(ledger, "evt-1", now)).toBe(true);
    expect(await claimOnce(ledger, "evt-1", now)).toBe(false);
    await ledger.append("run/R-1", 0, { type: "started", data: 1 });
    const claims = (await scan(table)).filter(({ pk }) => pk?.S === "e#dedupe/evt-1");
    expect(claims.map(({ expires }) => Number(expires?.N) * 1_000)).toEqual([now + 7 * dayMs]);
    now += 8 * dayMs;
    expect(await ledger.read("dedupe/evt-1")).toEqual([]);
    expect(await ledger.list("dedupe")).toEqual([]);
    expect(await claimOnce(ledger, "evt-1", now)).toBe(true);
    expect(await ledger.list("dedupe")).toEqual(["dedupe/evt-1"]);
    expect(await ledger.read("run/R-1")).toHaveLength(1);
    await ledger.close();
    now = start;
  });

  it("keeps the audit in order", async () => {
    const { ledger } = await db.open(clock);
    const entry = { at: now, account: "U1", door: "slack", outcome: "ok", durationMs: 1 } as const;
    await Promise.all(["a", "b", "c"].map((words) => audit(ledger, { ...entry, words })));
    expect((await readAudit(ledger, "2026-11-23")).map(({ words }) => words)).toEqual(["a", "b", "c"]);
    await ledger.close();
  });

  it("says that the table is not there", async () => {
    const ledger = openDynamoLedger({ table: "none", region, endpoint: db.url, credentials, now: clock });
    await expect(ledger.read("run/R-1")).rejects.toMatchObject({
      fault: { kind: "not-configured", what: "ledger table none" },
    });
    await ledger.close();
  });

  it("says that nobody answers", async () => {
    const ledger = openDynamoLedger({
      table: "none",
      region,
      endpoint: "http://127.0.0.1:1",
      credentials,
      now: clock,
    });
    await expect(ledger.lease("goldentooth", "R-1", 1)).rejects.toMatchObject({ fault: { kind: "refused" } });
    await ledger.close();
  });
});
