import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { apiVersionOf, badRequest, notFound } from "#shared/kubernetes/refusals.ts";
import type { ObjectStore, Refusal } from "#shared/twin/object-store.ts";
import { Refused } from "./refused.ts";
import type { Answer, ApiRequest } from "./request.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import { type IncludeObject, table } from "./table.ts";
import type { Target } from "./target.ts";

type Fields = Readonly<Record<string, unknown>>;

export const expired = (message: string): Refusal => ({ code: 410, reason: "Expired", message });

const wantsTable = ({ headers }: ApiRequest): boolean =>
  /application\/json;[^,]*\bas=Table\b/.test(headers.accept ?? "");

/** How objects leave: as they are, or as a Table where the client asked for one. */
export function encoder(
  kind: ResourceKind,
  request: ApiRequest,
  now: () => number,
): ((objects: readonly KubeObject[], metadata: Fields) => Fields) | undefined {
  if (!wantsTable(request)) return undefined;
  const asked = request.query.get("includeObject");
  const include: IncludeObject = asked === "Object" || asked === "None" ? asked : "Metadata";
  return (objects, metadata) => table(kind, objects, metadata, { now: now(), include });
}

/** Which objects a collection request is about, by namespace, name, labels and fields. */
export function selection(target: Target, { query }: ApiRequest): (object: KubeObject) => boolean {
  const byLabel = labelSelector(query.get("labelSelector"));
  const byField = fieldSelector(target.kind, query.get("fieldSelector"));
  return (object) =>
    (target.namespace === undefined || object.metadata.namespace === target.namespace) &&
    (target.name === undefined || object.metadata.name === target.name) &&
    byLabel(object) &&
    byField(object);
}

export function get(store: ObjectStore, target: Target, request: ApiRequest, now: () => number): Answer {
  const { kind, namespace, name = "" } = target;
  const object = store.get(kind, namespace, name);
  if (!object) throw new Refused(notFound(kind, name));
  const encode = encoder(kind, request, now);
  return {
    code: 200,
    body: encode ? encode([object], { resourceVersion: object.metadata.resourceVersion }) : object,
  };
}

/** Lists that were begun with `limit`, so that their later pages are of the same moment. */
export type Snapshots = Map<string, readonly KubeObject[]>;

const keptSnapshots = 64;

type Continue = Readonly<{ rv: string; start: number; of: string }>;

const writeToken = (token: Continue): string => Buffer.from(JSON.stringify(token)).toString("base64url");

function readToken(token: string): Continue {
  try {
    const { rv, start, of } = JSON.parse(Buffer.from(token, "base64url").toString()) as Partial<Continue>;
    if (typeof rv === "string" && typeof start === "number" && typeof of === "string")
      return { rv, start, of };
  } catch {
    // Answered below, like a token of the wrong shape.
  }
  throw new Refused(badRequest("continue key is not valid"));
}

/** Items of built-in lists say nothing of their type, since the list does; items of custom lists do. */
const withoutType = ({ apiVersion: _apiVersion, kind: _kind, ...rest }: KubeObject): Fields => rest;

export function list(
  store: ObjectStore,
  target: Target,
  request: ApiRequest,
  context: Readonly<{ now: () => number; snapshots: Snapshots }>,
): Answer {
  const { kind } = target;
  const { query } = request;
  const limit = Number(query.get("limit") ?? 0);
  if (!Number.isInteger(limit) || limit < 0)
    throw new Refused(badRequest(`limit: Invalid value: ${JSON.stringify(query.get("limit"))}`));
  const of = [
    kind,
    target.namespace ?? "",
    query.get("labelSelector") ?? "",
    query.get("fieldSelector") ?? "",
  ].join("\n");
  const begin = (): Readonly<{ items: readonly KubeObject[]; rv: string; start: number }> => {
    const { items, resourceVersion } = store.list(kind);
    const asked = query.get("resourceVersion") ?? "";
    if (asked !== "" && !/^\d+$/.test(asked))
      throw new Refused(
        badRequest(
          `resourceVersion: Invalid value: ${JSON.stringify(asked)}: strconv.ParseUint: invalid syntax`,
        ),
      );
    if (Number(asked) > Number(resourceVersion))
      throw new Refused({
        code: 504,
        reason: "Timeout",
        message: `Too large resource version: ${asked}, current: ${resourceVersion}`,
        details: {
          retryAfterSeconds: 1,
          causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        },
      });
    if (query.get("resourceVersionMatch") === "Exact" && asked !== resourceVersion)
      throw new Refused(expired("The resourceVersion for the provided list is too old."));
    return { items: items.filter(selection(target, request)), rv: resourceVersion, start: 0 };
  };
  const resume = (token: Continue): ReturnType<typeof begin> => {
    if (token.of !== of) throw new Refused(badRequest("continue key is not valid for this list"));
    const items = context.snapshots.get(`${of}\n${token.rv}`);
    if (!items || store.since(token.rv) === "gone")
      throw new Refused(
        expired(
          "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
        ),
      );
    return { items, rv: token.rv, start: token.start };
  };
  const token = query.get("continue");
  const { items, rv, start } = token ? resume(readToken(token)) : begin();
  const end = limit === 0 ? items.length : Math.min(items.length, start + limit);
  const more = end < items.length;
  if (more) {
    context.snapshots.set(`${of}\n${rv}`, items);
    for (const key of context.snapshots.keys()) {
      if (context.snapshots.size <= keptSnapshots) break;
      context.snapshots.delete(key);
    }
  }
  const selected = query.get("labelSelector") || query.get("fieldSelector");
  const metadata = {
    resourceVersion: rv,
    ...(more ? { continue: writeToken({ rv, start: end, of }) } : {}),
    ...(more && !selected ? { remainingItemCount: items.length - end } : {}),
  };
  const page = items.slice(start, end);
  const encode = encoder(kind, request, context.now);
  if (encode) return { code: 200, body: encode(page, metadata) };
  return {
    code: 200,
    body: {
      kind: `${resourceKinds[kind].kind}List`,
      apiVersion: apiVersionOf(kind),
      metadata,
      items: resourceKinds[kind].group === "metallb.io" ? page : page.map(withoutType),
    },
  };
}
