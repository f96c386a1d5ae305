import type { Json } from "../json.ts";
import type { ResourceKind } from "./kinds.ts";
import type { KubeObject } from "./read.ts";

export type ObjectRef = Readonly<{ kind: ResourceKind; namespace?: string; name: string }>;

/** What the object must still be. Kubernetes refuses the write with a conflict (409) when it is not. */
export type Precondition = Readonly<{ uid: string; resourceVersion?: string }>;

/**
 * One write to the API. `patch` is an RFC 7386 merge patch and carries the precondition inside its metadata; every
 * write goes out with the field manager `arpeggio`.
 */
export type KubeWrite =
  | Readonly<{
      verb: "create";
      kind: ResourceKind;
      object: KubeObject;
      /** The object was there before and is put back as it was: it gets no mark of ours. */
      restored?: true;
    }>
  | Readonly<{
      verb: "patch";
      ref: ObjectRef;
      patch: Json;
      /**
       * Items of lists are meant by their name, and those that the patch does not name stay as they are: a strategic merge
       * patch, which only built-in kinds know. What is not named is then no part of what is kept.
       */
      byName?: true;
      is: Precondition;
      /** What the fields of `patch` were when it was planned, as the merge patch that takes it back; for whoever looks later. */
      before?: Json;
    }>
  | Readonly<{ verb: "delete"; ref: ObjectRef; is: Precondition }>;

/** What the API made of a write, as far as it answered. `message` is its own words. */
export type KubeWritten =
  | Readonly<{ ok: true; object: KubeObject | undefined }>
  | Readonly<{
      ok: false;
      /**
       * `conflict` 409: the object is no longer the one that was looked at. `exists` 409 on create. `not-found` 404.
       * `webhook` an admission webhook said no. `denied` 401 or 403 of RBAC. `invalid` 400 or 422.
       */
      because: "conflict" | "exists" | "not-found" | "webhook" | "denied" | "invalid";
      message: string;
    }>;

/**
 * Writes, or asks the server whether it would (`dryRun`). Throws FaultError when no answer came (timed-out,
 * unreachable, refused): then nobody knows whether the write was made, and the world has to be looked at.
 */
export type WriteCluster = (
  write: KubeWrite,
  options?: Readonly<{ dryRun?: boolean; signal?: AbortSignal }>,
) => Promise<KubeWritten>;
