import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { apiVersionOf } from "#shared/kubernetes/refusals.ts";
import type { ObjectStore, StoreEvent } from "#shared/twin/object-store.ts";
import { encoder, expired, selection } from "./reads.ts";
import { failure } from "./refused.ts";
import { type Answer, type ApiRequest, flag } from "./request.ts";
import type { Target } from "./target.ts";

/** What each object was before an event, which a watch by selector needs to know who left its sight. */
export type Predecessors = Readonly<{
  before: (event: StoreEvent) => KubeObject | undefined;
  close: () => void;
}>;

const remembered = 5_000;

export function rememberPredecessors(store: ObjectStore): Predecessors {
  const now = new Map<string, KubeObject>();
  const before = new Map<string, KubeObject>();
  for (const kind of Object.keys(resourceKinds) as ResourceKind[])
    for (const object of store.list(kind).items) now.set(String(object.metadata.uid), object);
  const close = store.subscribe(({ type, object }) => {
    const uid = String(object.metadata.uid);
    const previous = now.get(uid);
    if (previous) before.set(String(object.metadata.resourceVersion), previous);
    if (before.size > remembered)
      for (const [oldest] of before) {
        before.delete(oldest);
        break;
      }
    if (type === "DELETED") now.delete(uid);
    else now.set(uid, object);
  });
  return { before: ({ object }) => before.get(String(object.metadata.resourceVersion)), close };
}

/**
 * A watch as the API server streams it: from a resourceVersion, or from the present state when there is none; an object
 * that leaves the selection is DELETED to this watcher, one that enters it ADDED; a version that is too old is a 410 inside
 * the stream; bookmarks keep the connection alive and the version fresh.
 */
export function watch(
  store: ObjectStore,
  target: Target,
  request: ApiRequest,
  context: Readonly<{ now: () => number; predecessors: Predecessors; bookmarkEveryMs: number }>,
): Answer {
  const { kind } = target;
  const { query } = request;
  const matches = selection(target, request);
  const encode = encoder(kind, request, context.now);
  const from = query.get("resourceVersion") ?? "";
  const seconds = Number(query.get("timeoutSeconds") ?? 0);
  const bookmarks = flag(query, "allowWatchBookmarks");

  return {
    code: 200,
    stream: (send, end) => {
      const emit = (type: string, object: KubeObject): void => {
        const { resourceVersion } = object.metadata;
        send({ type, object: encode ? encode([object], { resourceVersion }) : object });
      };
      const pass = (event: StoreEvent): void => {
        if (event.kind !== kind) return;
        const { object } = event;
        const previous = context.predecessors.before(event);
        const did = previous !== undefined && matches(previous);
        const does = event.type !== "DELETED" && matches(object);
        if (does) emit(did ? "MODIFIED" : "ADDED", object);
        // The last state comes with the version of the deletion, also when it merely left the selection.
        else if (did || (event.type === "DELETED" && matches(object))) emit("DELETED", object);
      };
      const bookmark = (annotations?: Readonly<Record<string, string>>): void => {
        const metadata = {
          resourceVersion: store.list(kind).resourceVersion,
          creationTimestamp: null,
          ...(annotations ? { annotations } : {}),
        };
        const object = encode
          ? encode([], metadata)
          : { kind: resourceKinds[kind].kind, apiVersion: apiVersionOf(kind), metadata };
        send({ type: "BOOKMARK", object });
      };

      const missed = from === "" || from === "0" ? undefined : store.since(from);
      if (missed === "gone") {
        const current = store.list(kind).resourceVersion;
        send({
          type: "ERROR",
          object: failure(expired(`too old resource version: ${from} (${current})`)),
        });
        end();
        return () => undefined;
      }
      if (missed) missed.forEach(pass);
      else {
        for (const object of store.list(kind).items) if (matches(object)) emit("ADDED", object);
        if (flag(query, "sendInitialEvents")) bookmark({ "k8s.io/initial-events-end": "true" });
      }
      const unsubscribe = store.subscribe(pass);
      const beat = bookmarks ? setInterval(() => bookmark(), context.bookmarkEveryMs) : undefined;
      const limit = setTimeout(end, (seconds > 0 ? seconds : 3_600) * 1_000);
      return () => {
        unsubscribe();
        clearInterval(beat);
        clearTimeout(limit);
      };
    },
  };
}
