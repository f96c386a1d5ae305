import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  type QueryCommandInput,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import { keptFor } from "../ledger/dynamodb-table.ts";
import type { Appended, Lease, Ledger, LedgerEvent } from "../ledger/ledger.ts";
import { kindOf } from "../ledger/stream.ts";
import { awsCode, awsFault } from "./aws-fault.ts";
import { mostPieces, pack, pieceBytes, unpack } from "./ledger-payload.ts";
import type { AwsCredentials } from "./route53.ts";

export type DynamoLedgerOptions = Readonly<{
  table: string;
  region: string;
  /** Left out: what AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL or the region say. */
  endpoint?: string;
  /** Left out: the SDK's chain. */
  credentials?: AwsCredentials;
  now: () => number;
  /** Longest wait for one answer, milliseconds. */
  requestMs?: number;
}>;

// What the partitions hold. The letters keep streams, lists, leases and pieces of large events apart.
const eventsOf = (stream: string): string => `e#${stream}`;
const piecesOf = (stream: string, version: number, writer: string): string =>
  `p#${stream}#${version}#${writer}`;
const listOf = (kind: string): string => `k#${kind}`;
const leaseOf = (cluster: string): string => `l#${cluster}`;

const digits = (value: number, width: number): string => String(Math.trunc(value)).padStart(width, "0");
const versionKey = (version: number): string => digits(version, 12);

const mostRemembered = 1_000;

const numeric = z.object({ N: z.string() }).transform(({ N }) => Number(N));
const text = z.object({ S: z.string() }).transform(({ S }) => S);

const eventShape = z.object({
  sk: text.transform(Number),
  at: numeric,
  type: text,
  data: text.optional(),
  packed: z
    .object({ B: z.instanceof(Uint8Array) })
    .transform(({ B }) => B)
    .optional(),
  pieces: numeric.optional(),
  writer: text,
});
const leaseShape = z.object({ holder: text, token: numeric, until: numeric });
const listShape = z.object({
  sk: text,
  order: text,
  unconfirmed: z.object({ BOOL: z.boolean() }).optional(),
});

const isConditionFailed = (error: unknown): boolean => awsCode(error) === "ConditionalCheckFailedException";

/**
 * A ledger that several processes and Lambdas share. Every event is an item, put on the condition that there is none of
 * its version; reads are strongly consistent. There are no transactions: a stream is put on the list of its kind before
 * its first event, so that a crash between leaves a name without events (which `list` looks up and leaves out), never
 * events that no list names. A put whose answer was lost is told from another's by the writer's mark. Data over 32 KB is
 * packed, over 350 KB packed it goes into items of its own, written before the event that counts them.
 */
export function openDynamoLedger(options: DynamoLedgerOptions): Ledger {
  const { table, now } = options;
  const client = new DynamoDBClient({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: options.requestMs ?? 10_000,
      throwOnRequestTimeout: true,
    },
  });
  const what = `ledger table ${table}`;
  const me = crypto.randomUUID();
  let written = 0;
  /** Streams of this process in one millisecond keep their order. */
  let listed = 0;
  const behind = new Set<Promise<unknown>>();
  /** Where this process left streams that never expire: their next event needs no question first. */
  const left = new Map<string, number>();

  const ask = async <T>(send: () => Promise<T>): Promise<T> => {
    try {
      return await send();
    } catch (error) {
      if (isConditionFailed(error)) throw error;
      throw awsFault(error, what);
    }
  };
  const parse = <T>(schema: z.ZodType<T>, item: unknown, where: string): T => {
    const result = schema.safeParse(item);
    if (result.success) return result.data;
    const detail = z.prettifyError(result.error).replaceAll("\n", "; ");
    throw new FaultError({ kind: "unreadable", what: `${where} in ${what}`, detail });
  };

  const alive = ":now < expires OR attribute_not_exists(expires)";
  /** TTL deletes up to days late; what has expired counts as gone from its last millisecond on. */
  const seconds = (): AttributeValue => ({ N: String(Math.floor(now() / 1_000)) });
  const expiry = (kind: string): Record<string, AttributeValue> => {
    const ms = keptFor[kind];
    return ms === undefined ? {} : { expires: { N: String(Math.ceil((now() + ms) / 1_000)) } };
  };

  async function* query(
    pk: string,
    more: Partial<QueryCommandInput> = {},
    values: Record<string, AttributeValue> = {},
  ): AsyncGenerator<Record<string, AttributeValue>> {
    const { KeyConditionExpression = "", ...rest } = more;
    const pages = paginateQuery(
      { client },
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: `pk = :pk${KeyConditionExpression}`,
        FilterExpression: alive,
        ExpressionAttributeValues: { ":pk": { S: pk }, ":now": seconds(), ...values },
        ...rest,
      },
    )[Symbol.asyncIterator]();
    for (;;) {
      const page = await ask(() => pages.next());
      if (page.done) return;
      yield* page.value.Items ?? [];
    }
  }

  /** The version a stream is at, 0 for none. */
  async function versionOf(stream: string): Promise<number> {
    const last = query(eventsOf(stream), {
      ScanIndexForward: false,
      Limit: 1,
      ProjectionExpression: "sk",
    });
    for await (const item of last) return parse(z.object({ sk: text.transform(Number) }), item, stream).sk;
    return 0;
  }

  function remember(stream: string, version: number): void {
    left.set(stream, version);
    const [oldest] = left.keys();
    if (left.size > mostRemembered && oldest !== undefined) left.delete(oldest);
  }

  async function get(pk: string, sk: string): Promise<Record<string, AttributeValue> | undefined> {
    const Key = { pk: { S: pk }, sk: { S: sk } };
    return (await ask(() => client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))))
      .Item;
  }

  /** True when it was put, false when another's stands there. */
  async function put(item: Record<string, AttributeValue>, writer: string): Promise<boolean> {
    try {
      await ask(() =>
        client.send(
          new PutItemCommand({
            TableName: table,
            Item: { ...item, writer: { S: writer } },
            ConditionExpression: "attribute_not_exists(pk) OR expires <= :now",
            ExpressionAttributeValues: { ":now": seconds() },
          }),
        ),
      );
      return true;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      // The first try may have been written and its answer lost: then what stands there is ours.
      const there = await get(item.pk?.S ?? "", item.sk?.S ?? "");
      return there?.writer?.S === writer;
    }
  }

  async function putOnList(kind: string, stream: string, writer: string): Promise<void> {
    listed += 1;
    const order = `${digits(now(), 15)} ${digits(listed, 9)} ${me}`;
    await put(
      {
        pk: { S: listOf(kind) },
        sk: { S: stream },
        order: { S: order },
        unconfirmed: { BOOL: true },
        ...expiry(kind),
      },
      writer,
    );
  }

  /** Saves `list` a look; nothing depends on it. */
  function confirm(kind: string, stream: string): void {
    const Key = { pk: { S: listOf(kind) }, sk: { S: stream } };
    const confirming = client
      .send(
        new UpdateItemCommand({
          TableName: table,
          Key,
          UpdateExpression: "REMOVE unconfirmed",
          ConditionExpression: "attribute_exists(pk)",
        }),
      )
      .catch(() => {});
    behind.add(confirming);
    void confirming.finally(() => behind.delete(confirming));
  }

  async function dataOf(stream: string, event: z.output<typeof eventShape>): Promise<Json> {
    const where = `${stream} version ${event.sk}`;
    const unreadable = (detail: string, cause?: unknown) =>
      new FaultError({ kind: "unreadable", what: `${where} in ${what}`, detail }, { cause });
    let json = event.data;
    if (json === undefined) {
      const pieces: Uint8Array[] = event.packed ? [event.packed] : [];
      if (event.pieces !== undefined)
        for await (const item of query(piecesOf(stream, event.sk, event.writer)))
          if (item.packed?.B) pieces.push(item.packed.B);
      if (pieces.length !== (event.pieces ?? 1))
        throw unreadable(`${pieces.length} of its ${event.pieces ?? 1} pieces are there`);
      json = await unpack(pieces).catch((error: unknown) => {
        throw unreadable("its packed data is damaged", error);
      });
    }
    try {
      return JSON.parse(json) as Json;
    } catch (error) {
      throw unreadable("not JSON", error);
    }
  }

  async function payload(
    stream: string,
    version: number,
    data: string,
    writer: string,
    expires: Record<string, AttributeValue>,
  ): Promise<Record<string, AttributeValue>> {
    const packed = await pack(data);
    if (packed === undefined)
      throw new FaultError({
        kind: "refused",
        what: `${stream} version ${version} in ${what}`,
        detail: `its data is over ${Math.floor((mostPieces * pieceBytes) / 1024 / 1024)} MB packed; nothing was written`,
      });
    if (packed.kind === "text") return { data: { S: packed.text } };
    const [only] = packed.pieces;
    if (packed.pieces.length === 1 && only) return { packed: { B: only } };
    const pk = piecesOf(stream, version, writer);
    for (const [i, piece] of packed.pieces.entries())
      await put({ pk: { S: pk }, sk: { S: digits(i, 3) }, packed: { B: piece }, ...expires }, writer);
    return { pieces: { N: String(packed.pieces.length) } };
  }

  const update = async (
    cluster: string,
    UpdateExpression: string,
    ConditionExpression: string,
    values: Record<string, AttributeValue>,
  ): Promise<Lease | undefined> => {
    try {
      const { Attributes } = await ask(() =>
        client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { pk: { S: leaseOf(cluster) }, sk: { S: "lease" } },
            UpdateExpression,
            ConditionExpression,
            // Reserved words of DynamoDB stand behind names.
            ExpressionAttributeNames: Object.fromEntries(
              ["holder", "token", "until"]
                .filter((name) => `${UpdateExpression} ${ConditionExpression}`.includes(`#${name}`))
                .map((name) => [`#${name}`, name]),
            ),
            ExpressionAttributeValues: values,
            ReturnValues: "ALL_NEW",
          }),
        ),
      );
      return { cluster, ...parse(leaseShape, Attributes, `lease of ${cluster}`) };
    } catch (error) {
      if (isConditionFailed(error)) return undefined;
      throw error;
    }
  };

  const n = (value: number): AttributeValue => ({ N: String(Math.trunc(value)) });

  return {
    read: async (stream, after = 0) => {
      kindOf(stream);
      const events: LedgerEvent[] = [];
      const found = query(
        eventsOf(stream),
        { KeyConditionExpression: " AND sk > :after" },
        { ":after": { S: versionKey(Math.max(0, after)) } },
      );
      for await (const item of found) {
        const event = parse(eventShape, item, stream);
        const data = await dataOf(stream, event);
        events.push({ stream, version: event.sk, at: event.at, type: event.type, data });
      }
      return events;
    },

    append: async (stream, expectedVersion, event): Promise<Appended> => {
      const kind = kindOf(stream);
      const data = JSON.stringify(event.data);
      const at = Math.trunc(now());
      if (expectedVersion === 0 || left.get(stream) !== expectedVersion) {
        const version = await versionOf(stream);
        if (version !== expectedVersion) return { ok: false, version };
      }
      written += 1;
      const writer = `${me}/${written}`;
      const expires = expiry(kind);
      if (expectedVersion === 0) await putOnList(kind, stream, writer);
      const item = {
        pk: { S: eventsOf(stream) },
        sk: { S: versionKey(expectedVersion + 1) },
        at: n(at),
        type: { S: event.type },
        ...(await payload(stream, expectedVersion + 1, data, writer, expires)),
        ...expires,
      };
      left.delete(stream);
      if (!(await put(item, writer))) return { ok: false, version: await versionOf(stream) };
      if (keptFor[kind] === undefined) remember(stream, expectedVersion + 1);
      if (expectedVersion === 0) confirm(kind, stream);
      return { ok: true, version: expectedVersion + 1 };
    },

    list: async (kind) => {
      const names: { stream: string; order: string }[] = [];
      for await (const item of query(listOf(kind))) {
        const { sk: stream, order, unconfirmed } = parse(listShape, item, `list of ${kind}`);
        if (unconfirmed?.BOOL && (await versionOf(stream)) === 0) continue;
        names.push({ stream, order });
      }
      return names.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ stream }) => stream);
    },

    lease: async (cluster, holder, ttlMs) => {
      // The empty holder is what a released lease has.
      if (holder === "") throw new Error("a lease needs a holder");
      for (;;) {
        const at = Math.trunc(now());
        const wanted = { ":holder": { S: holder }, ":until": n(at + Math.trunc(ttlMs)) };
        const renewed = await update(cluster, "SET #until = :until", "#holder = :holder", wanted);
        if (renewed) return { ok: true, lease: renewed };
        const taken = await update(
          cluster,
          "SET #holder = :holder, #until = :until ADD #token :one",
          "attribute_not_exists(pk) OR #until <= :at",
          { ...wanted, ":at": n(at), ":one": n(1) },
        );
        if (taken) return { ok: true, lease: taken };
        const item = await get(leaseOf(cluster), "lease");
        if (item === undefined) continue;
        const held = { cluster, ...parse(leaseShape, item, `lease of ${cluster}`) };
        // It was given up or run out while we asked: try again.
        if (held.until > at) return { ok: false, held };
      }
    },

    release: async (cluster, token) => {
      await update(cluster, "SET #holder = :none, #until = :never", "#token = :token", {
        ":none": { S: "" },
        ":never": n(0),
        ":token": n(token),
      });
    },

    close: async () => {
      await Promise.all(behind);
      client.destroy();
    },
  };
}
