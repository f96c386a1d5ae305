import type { IncomingHttpHeaders } from "node:http";
import { parse } from "yaml";
import { badRequest } from "#shared/kubernetes/refusals.ts";
import type { WriteOptions } from "#shared/twin/object-store.ts";
import type { Identity } from "./access.ts";
import { Refused } from "./refused.ts";
import { readReview } from "./review-protobuf.ts";

/** A request after authentication, with its body as it came. */
export type ApiRequest = Readonly<{
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  identity: Identity;
}>;

/** A JSON document, plain words, or lines that keep coming (a watch) until the other side or the server ends them. */
export type Answer = Readonly<{ code: number; warnings?: readonly string[] }> &
  (
    | Readonly<{ body: unknown }>
    | Readonly<{ text: string }>
    | Readonly<{ stream: (send: (line: unknown) => void, end: () => void) => () => void }>
  );

export const flag = (query: URLSearchParams, name: string): boolean =>
  query.get(name) === "true" || query.get(name) === "1";

const mediaType = (headers: IncomingHttpHeaders): string =>
  (headers["content-type"] ?? "application/json").split(";")[0]?.trim() ?? "";

/** The body as a JSON value; YAML where the content type says so. */
export function readBody({ headers, body }: ApiRequest): unknown {
  const type = mediaType(headers);
  const review = type === "application/vnd.kubernetes.protobuf" ? readReview(body) : undefined;
  if (review) return review;
  if (!/^application\/([\w.-]+\+)?(json|yaml)$/.test(type))
    throw new Refused({
      code: 415,
      reason: "UnsupportedMediaType",
      message: `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`,
    });
  try {
    return type.endsWith("yaml")
      ? (parse(body.toString()) as unknown)
      : (JSON.parse(body.toString()) as unknown);
  } catch {
    throw new Refused(badRequest(`the object provided is unrecognized (it is not valid ${type})`));
  }
}

/** `dryRun` and the manager's name, which without `fieldManager` is the program's part of the user agent. */
export function writeOptions({ query, headers }: ApiRequest): WriteOptions {
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  if (dryRun.some((value) => value !== "All"))
    throw new Refused({
      code: 422,
      reason: "Invalid",
      message: `CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ${JSON.stringify(dryRun[0])}: supported values: "All"`,
    });
  const manager =
    query.get("fieldManager") || (headers["user-agent"] ?? "unknown").split("/")[0] || "unknown";
  return { manager, ...(dryRun.length > 0 ? { dryRun: true } : {}) };
}
