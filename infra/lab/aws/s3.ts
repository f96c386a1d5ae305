import { createHash } from "node:crypto";
import type { AwsAnswer, AwsRequest } from "./answer.ts";
import { type Node, writeXml } from "./xml.ts";

type Stored = Readonly<{ body: Buffer; etag: string; modified: number; type: string; encoding?: string }>;

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
const mostKeys = 1_000;

const xml = (root: string, content: readonly Node[]): AwsAnswer => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: writeXml(root, namespace, content),
});

/** Errors of S3 have no namespace, and some clients find the code only then. */
const error = (status: number, code: string, message: string, key?: string): AwsAnswer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: writeXml("Error", undefined, [
    ["Code", code],
    ["Message", message],
    ["Key", key],
  ]),
});

/** Takes the frames of `aws-chunked` off: `size;signature CRLF bytes CRLF ... 0 CRLF trailers`. */
function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf("\r\n", at);
    if (end < 0) break;
    const size = Number.parseInt(body.subarray(at, end).toString("latin1"), 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

/** S3 as far as snapshots need it, addressed by path: buckets that exist, objects put, got, listed and deleted. */
export function createS3Api(
  options: Readonly<{ buckets: readonly string[]; now: () => number }>,
): (request: AwsRequest) => AwsAnswer {
  const buckets = new Map<string, Map<string, Stored>>(options.buckets.map((name) => [name, new Map()]));

  function list(bucket: string, objects: ReadonlyMap<string, Stored>, query: URLSearchParams): AwsAnswer {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
    const most = Math.min(Number(query.get("max-keys") ?? mostKeys), mostKeys);
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const listed = keys.slice(0, most);
    return xml("ListBucketResult", [
      ["Name", bucket],
      ["Prefix", prefix],
      ["KeyCount", listed.length],
      ["MaxKeys", most],
      ["IsTruncated", keys.length > most],
      ["NextContinuationToken", keys.length > most ? listed.at(-1) : undefined],
      ...listed.map((key): Node => {
        const { body, etag, modified } = objects.get(key) as Stored;
        return [
          "Contents",
          [
            ["Key", key],
            ["LastModified", new Date(modified).toISOString()],
            ["ETag", etag],
            ["Size", body.length],
            ["StorageClass", "STANDARD"],
          ],
        ];
      }),
    ]);
  }

  function put(objects: Map<string, Stored>, key: string, { headers, body: sent }: AwsRequest): AwsAnswer {
    if (headers["if-none-match"] === "*" && objects.has(key))
      return error(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        key,
      );
    const chunked = headers["x-amz-content-sha256"]?.startsWith("STREAMING-") ?? false;
    const body = chunked ? unchunked(sent) : sent;
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    const encoding = headers["content-encoding"]?.replace(/aws-chunked,? ?/, "");
    objects.set(key, {
      body,
      etag,
      modified: options.now(),
      type: headers["content-type"] ?? "binary/octet-stream",
      ...(encoding !== undefined && encoding !== "" && { encoding }),
    });
    return { status: 200, headers: { etag } };
  }

  return (request) => {
    const { method, path, query } = request;
    const [, bucket = "", rest = ""] = /^\/([^/]*)\/?(.*)$/.exec(path) ?? [];
    const key = decodeURIComponent(rest);
    if (bucket === "")
      return xml("ListAllMyBucketsResult", [
        ["Buckets", [...buckets.keys()].map((Name): Node => ["Bucket", [["Name", Name]]])],
      ]);
    const objects = buckets.get(bucket);
    if (objects === undefined) {
      if (method === "PUT" && key === "") {
        buckets.set(bucket, new Map());
        return { status: 200 };
      }
      return error(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    if (key === "") return method === "GET" ? list(bucket, objects, query) : { status: 200 };
    if (method === "PUT") return put(objects, key, request);
    if (method === "DELETE") {
      objects.delete(key);
      return { status: 204 };
    }
    const stored = objects.get(key);
    if (method !== "GET" && method !== "HEAD")
      return error(501, "NotImplemented", `The lab does not speak ${method} ${path}`);
    if (stored === undefined) return error(404, "NoSuchKey", "The specified key does not exist.", key);
    return {
      status: 200,
      headers: {
        etag: stored.etag,
        "last-modified": new Date(stored.modified).toUTCString(),
        "content-type": stored.type,
        ...(stored.encoding !== undefined && { "content-encoding": stored.encoding }),
      },
      body: stored.body,
    };
  };
}
