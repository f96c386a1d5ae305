import * as z from "zod";
import type { Clock } from "../clock.ts";
import { holds } from "../kubernetes/holds.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { goDuration } from "../metallb/bgp-configuration.ts";
import type { ObjectStore, StoreResult } from "./object-store.ts";
import type { Schedule } from "./schedule.ts";

export type GitObject = Readonly<{ kind: ResourceKind; object: KubeObject }>;

/** What one Application or Kustomization reads from git. The object itself is in the store. */
export type GitContent = Readonly<{
  kind: "applications" | "kustomizations";
  namespace: string;
  name: string;
  /** Commit id, 40 hex digits. */
  revision: string;
  objects: readonly GitObject[];
}>;

export type GitOps = Readonly<{
  /** A new commit on the branch that is followed: the whole content as it is from then on. */
  push: (name: string, objects: readonly GitObject[]) => void;
  /** Content by the name of what follows it. */
  contentOf: (name: string) => GitContent | undefined;
  stop: () => void;
}>;

/** Argo CD asks for new revisions every 180 s (timeout.reconciliation) and heals itself after 5 s (self-heal timeout). */
const argoPollMs = 180_000;
const argoHealMs = 5_000;
/** Flux asks its source and applies at the Kustomization's interval; ten minutes where it says none. */
const fluxIntervalMs = 600_000;

export const argoTracking = "argocd.argoproj.io/tracking-id";

const application = z.looseObject({
  spec: z
    .looseObject({
      syncPolicy: z
        .looseObject({
          automated: z
            .looseObject({
              enabled: z.boolean().nullish(),
              selfHeal: z.boolean().nullish(),
              prune: z.boolean().nullish(),
            })
            .nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const kustomization = z.looseObject({
  spec: z
    .looseObject({
      suspend: z.boolean().nullish(),
      prune: z.boolean().nullish(),
      interval: z.string().nullish(),
    })
    .nullish(),
});

/** An object as git has it and as it is applied: without what only the server writes, with the mark of its manager. */
export function tracked(
  content: Pick<GitContent, "kind" | "namespace" | "name">,
  given: GitObject,
): KubeObject {
  const { metadata, status: _, ...rest } = given.object;
  const { group, kind } = resourceKinds[given.kind];
  const mark =
    content.kind === "applications"
      ? {
          annotations: {
            ...metadata.annotations,
            [argoTracking]: `${content.name}:${group}/${kind}:${metadata.namespace ?? ""}/${metadata.name}`,
          },
        }
      : {
          labels: {
            ...metadata.labels,
            "kustomize.toolkit.fluxcd.io/name": content.name,
            "kustomize.toolkit.fluxcd.io/namespace": content.namespace,
          },
        };
  return {
    ...rest,
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...mark,
    },
  };
}

const keyOf = (kind: ResourceKind, { metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What was applied once and is not wanted any more, as a merge patch takes it away. */
function dropped(before: unknown, now: unknown): Fields {
  if (!isFields(before) || !isFields(now)) return {};
  return Object.fromEntries(
    Object.entries(before).flatMap(([key, value]): [string, unknown][] => {
      if (!(key in now)) return [[key, null]];
      const inner = dropped(value, now[key]);
      return Object.keys(inner).length === 0 ? [] : [[key, inner]];
    }),
  );
}

/** Whether the object still has anything that the patch takes away. */
const hasAny = (object: unknown, drops: Fields): boolean =>
  isFields(object) &&
  Object.entries(drops).some(
    ([key, inner]) => key in object && (inner === null || hasAny(object[key], inner as Fields)),
  );

const joined = (drops: Fields, fields: Fields): Fields => ({
  ...drops,
  ...Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      const drop = drops[key];
      return [key, isFields(drop) && isFields(value) ? joined(drop, value) : value];
    }),
  ),
});

type Follower = {
  content: GitContent;
  /** The revision it has seen; a push is seen later. */
  seen: readonly GitObject[];
  seenRevision: string;
  wanted: Map<string, GitObject>;
  /** As they were applied last. */
  applied: ReadonlyMap<string, GitObject>;
  pruned: Map<string, GitObject>;
  readonly startedAt: number;
  cancel: (() => void) | undefined;
  due: number;
};

/**
 * Argo CD Applications and Flux Kustomizations that keep what they track as git has it, with their intervals, as long as
 * they are not paused: `automated` taken out or not enabled, `suspend` set. Fields that git names no more go; fields that it
 * never named stay as they are.
 */
export function createGitOps(
  options: Readonly<{
    store: ObjectStore;
    clock: Clock;
    schedule: Schedule;
    newId: () => string;
    contents: readonly GitContent[];
  }>,
): GitOps {
  const { store, clock, schedule, newId } = options;
  const time = () => new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z");
  const followers = new Map<string, Follower>();
  let writing = false;

  const wantedOf = (content: GitContent, objects: readonly GitObject[]) =>
    new Map(
      objects.map(
        (each) => [keyOf(each.kind, each.object), { ...each, object: tracked(content, each) }] as const,
      ),
    );
  for (const content of options.contents)
    followers.set(content.name, {
      content,
      seen: content.objects,
      seenRevision: content.revision,
      wanted: wantedOf(content, content.objects),
      applied: wantedOf(content, content.objects),
      pruned: new Map(),
      startedAt: clock.now(),
      cancel: undefined,
      due: Number.POSITIVE_INFINITY,
    });

  const ownObject = ({ content: { kind, namespace, name } }: Follower) => store.get(kind, namespace, name);

  const droppedOf = ({ applied }: Follower, wanted: GitObject): Fields =>
    dropped(applied.get(keyOf(wanted.kind, wanted.object))?.object, wanted.object);

  const differsFor =
    (follower: Follower) =>
    (wanted: GitObject): boolean => {
      const { namespace, name } = wanted.object.metadata;
      const live = store.get(wanted.kind, namespace, name);
      const { apiVersion: _a, kind: _k, ...fields } = wanted.object;
      return live === undefined || !holds(live, fields) || hasAny(live, droppedOf(follower, wanted));
    };
  const leftovers = (follower: Follower): readonly GitObject[] =>
    [...follower.pruned.values()].filter(
      ({ kind, object: { metadata } }) => store.get(kind, metadata.namespace, metadata.name) !== undefined,
    );

  const applyAll = (follower: Follower, prune: boolean): readonly string[] => {
    const manager = follower.content.kind === "applications" ? "argocd-controller" : "kustomize-controller";
    const done: string[] = [];
    const note = (result: StoreResult, { kind, object }: GitObject, what: string) => {
      const { namespace, name } = object.metadata;
      const title = `${resourceKinds[kind].kind}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
      done.push(result.ok ? `${title} ${what}` : `${title} ${result.refusal.message}`);
    };
    const differs = differsFor(follower);
    for (const wanted of follower.wanted.values()) {
      if (!differs(wanted)) continue;
      const { namespace, name } = wanted.object.metadata;
      if (store.get(wanted.kind, namespace, name) === undefined)
        note(store.create(wanted.kind, wanted.object, { manager }), wanted, "created");
      else {
        const { apiVersion: _a, kind: _k, ...fields } = wanted.object;
        const patch = joined(droppedOf(follower, wanted), fields);
        note(store.mergePatch(wanted.kind, namespace, name, patch, { manager }), wanted, "configured");
      }
    }
    follower.applied = new Map(follower.wanted);
    if (prune)
      for (const gone of leftovers(follower)) {
        const { namespace, name } = gone.object.metadata;
        note(store.remove(gone.kind, namespace, name, {}, { manager }), gone, "deleted");
      }
    return done;
  };

  const emit = (follower: Follower, reason: string, message: string) => {
    const own = ownObject(follower);
    const { kind, namespace, name } = follower.content;
    const component = kind === "applications" ? "argocd-application-controller" : "kustomize-controller";
    store.create("events", {
      metadata: { name: `${name}.${newId().replaceAll("-", "").slice(-16)}`, namespace },
      involvedObject: {
        apiVersion: own?.apiVersion,
        kind: resourceKinds[kind].kind,
        name,
        namespace,
        uid: own?.metadata.uid,
      },
      source: { component },
      reportingComponent: component,
      type: "Normal",
      reason,
      message,
      count: 1,
      firstTimestamp: time(),
      lastTimestamp: time(),
    });
  };

  const writeStatus = (follower: Follower, status: unknown) => {
    const { kind, namespace, name } = follower.content;
    store.mergePatch(kind, namespace, name, { status });
  };

  const resourcesOf = (follower: Follower) =>
    [...follower.wanted.values()].map(({ kind, object: { metadata } }) => ({
      ...(resourceKinds[kind].group === "" ? {} : { group: resourceKinds[kind].group }),
      version: resourceKinds[kind].version,
      kind: resourceKinds[kind].kind,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name,
    }));

  const reconcileArgo = (follower: Follower): void => {
    const own = ownObject(follower);
    if (own === undefined) return;
    const automated = application.safeParse(own).data?.spec?.syncPolicy?.automated;
    const isOn = Boolean(automated) && automated?.enabled !== false;
    const isNew = follower.seenRevision !== lastSynced(own);
    const differs = differsFor(follower);
    const out = [...follower.wanted.values()].some(differs) || leftovers(follower).length > 0;
    if (!out || !isOn || (!isNew && automated?.selfHeal !== true)) {
      const synced = { sync: { status: out ? "OutOfSync" : "Synced", revision: follower.seenRevision } };
      if (!holds(own.status, synced)) writeStatus(follower, { ...synced, reconciledAt: time() });
      return;
    }
    const startedAt = time();
    emit(follower, "OperationStarted", `Initiated automated sync to '${follower.seenRevision}'`);
    const done = applyAll(follower, automated?.prune === true);
    emit(
      follower,
      "OperationCompleted",
      `Partial sync operation to ${follower.seenRevision} succeeded: ${done.join(", ")}`,
    );
    const history = (own.status as { history?: readonly { id?: number }[] } | undefined)?.history ?? [];
    const stillOut = [...follower.wanted.values()].some(differs) || leftovers(follower).length > 0;
    writeStatus(follower, {
      sync: { status: stillOut ? "OutOfSync" : "Synced", revision: follower.seenRevision },
      reconciledAt: time(),
      resources: resourcesOf(follower),
      operationState: {
        phase: "Succeeded",
        message: "successfully synced (all tasks run)",
        startedAt,
        finishedAt: time(),
        operation: { initiatedBy: { automated: true }, sync: { revision: follower.seenRevision } },
        syncResult: { revision: follower.seenRevision },
      },
      history: [
        ...history,
        { id: (history.at(-1)?.id ?? -1) + 1, revision: follower.seenRevision, deployedAt: time() },
      ],
    });
  };

  const lastSynced = (own: KubeObject): string | undefined =>
    (own.status as { operationState?: { syncResult?: { revision?: string } } } | undefined)?.operationState
      ?.syncResult?.revision ?? (own.status as { sync?: { revision?: string } } | undefined)?.sync?.revision;

  const reconcileFlux = (follower: Follower): void => {
    const own = ownObject(follower);
    const spec = kustomization.safeParse(own).data?.spec;
    if (own === undefined || spec?.suspend === true) return;
    const done = applyAll(follower, spec?.prune === true);
    const revision = `main@sha1:${follower.seenRevision}`;
    if (done.length > 0) emit(follower, "Progressing", done.join("\n"));
    emit(
      follower,
      "ReconciliationSucceeded",
      `Reconciliation finished, next run in ${spec?.interval ?? "10m"}`,
    );
    writeStatus(follower, {
      lastAppliedRevision: revision,
      lastAttemptedRevision: revision,
      observedGeneration: own.metadata.generation,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "ReconciliationSucceeded",
          message: `Applied revision: ${revision}`,
          lastTransitionTime: time(),
          observedGeneration: own.metadata.generation,
        },
      ],
    });
  };

  const reconcile = (follower: Follower): void => {
    writing = true;
    try {
      if (follower.content.kind === "applications") reconcileArgo(follower);
      else reconcileFlux(follower);
    } finally {
      writing = false;
    }
  };

  /** At most one round is waiting, the earliest that anybody asked for. */
  const wake = (follower: Follower, ms: number): void => {
    const due = clock.now() + ms;
    if (follower.cancel !== undefined && follower.due <= due) return;
    follower.cancel?.();
    follower.due = due;
    follower.cancel = schedule(ms, () => {
      follower.cancel = undefined;
      follower.due = Number.POSITIVE_INFINITY;
      look(follower);
      reconcile(follower);
    });
  };
  /** Takes notice of the newest commit. */
  const look = (follower: Follower): void => {
    if (follower.seenRevision === follower.content.revision) return;
    const before = follower.wanted;
    follower.seen = follower.content.objects;
    follower.seenRevision = follower.content.revision;
    follower.wanted = wantedOf(follower.content, follower.seen);
    for (const [key, each] of before) if (!follower.wanted.has(key)) follower.pruned.set(key, each);
    for (const key of follower.wanted.keys()) follower.pruned.delete(key);
  };
  const untilNextRound = (follower: Follower): number => {
    const own = ownObject(follower);
    const given = kustomization.safeParse(own).data?.spec?.interval;
    const seconds = given === undefined || given === null ? undefined : goDuration(given);
    const interval =
      follower.content.kind === "applications"
        ? argoPollMs
        : seconds === undefined || seconds <= 0
          ? fluxIntervalMs
          : seconds * 1_000;
    return interval - ((clock.now() - follower.startedAt) % interval);
  };
  const wakeForChange = (follower: Follower): void =>
    wake(follower, follower.content.kind === "applications" ? argoHealMs : untilNextRound(follower));

  const unsubscribe = store.subscribe(({ kind, object }) => {
    if (writing) return;
    for (const follower of followers.values()) {
      const { content } = follower;
      const isOwn =
        kind === content.kind &&
        object.metadata.name === content.name &&
        object.metadata.namespace === content.namespace;
      // Resuming a Kustomization reconciles it at once.
      if (isOwn) wake(follower, argoHealMs);
      else if (follower.wanted.has(keyOf(kind, object))) wakeForChange(follower);
    }
  });

  return {
    push: (name, objects) => {
      const follower = followers.get(name);
      if (follower === undefined) throw new Error(`nobody follows ${name} in the model`);
      const id = newId().replaceAll("-", "");
      follower.content = { ...follower.content, objects, revision: id.padStart(40, "0").slice(-40) };
      wake(follower, untilNextRound(follower));
    },
    contentOf: (name) => followers.get(name)?.content,
    stop: () => {
      unsubscribe();
      for (const follower of followers.values()) follower.cancel?.();
    },
  };
}
