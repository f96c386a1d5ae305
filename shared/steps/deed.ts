import type { NonEmpty } from "../finding.ts";
import type { FileChange } from "../git/working-tree.ts";
import type { Json } from "../json.ts";
import type { KubeWrite } from "../kubernetes/write.ts";
import type { Target } from "../probes/shell.ts";

/**
 * One thing that is done to the world, as data: planned, shown, digested, approved, written down, and only then done.
 * Everything that is needed to do it, and to tell afterwards whether it was done, is in here.
 */
export type Deed = Readonly<{
  /** Unique within its step: `create-l2advertisement`. */
  id: string;
  /** As a list of steps shows it, in the imperative: "create L2Advertisement metallb-system/primary". */
  title: string;
}> &
  (
    | Readonly<{ kind: "kube"; write: KubeWrite }>
    | Readonly<{
        kind: "git";
        tree: string;
        branch: string;
        subject: string;
        body: string;
        changes: readonly FileChange[];
      }>
    /** A command of the catalogue. `done` tells whether it was done already: exit code 0 means yes, 1 no, anything else unknown. */
    | Readonly<{
        kind: "shell";
        target: Target;
        argv: NonEmpty<string>;
        privileged: boolean;
        timeoutMs: number;
        done: Readonly<{ argv: NonEmpty<string>; privileged: boolean }>;
      }>
    /** A file handed to the people of the run: values, a patch, a Certificate. Doing it is attaching it to the thread. */
    | Readonly<{ kind: "document"; name: string; text: string }>
  );

/** `not-done` may be done (again); `moved` means that somebody else has changed what the deed is about. */
export type DeedState = "done" | "not-done" | "moved";

export type DeedResult =
  | Readonly<{ ok: true; facts: Json }>
  /** The world said no, and nothing was changed by this deed. */
  | Readonly<{
      ok: false;
      because: "conflict" | "exists" | "not-found" | "webhook" | "denied" | "invalid" | "failed";
      message: string;
    }>;

/**
 * Does one deed. Throws FaultError when it is not known whether it was done: the runner then asks `look` before
 * anything is repeated.
 */
export type Perform = (deed: Deed, signal: AbortSignal) => Promise<DeedResult>;

/** Whether the deed's effect is there now. Throws FaultError when that cannot be seen. */
export type Look = (deed: Deed, signal: AbortSignal) => Promise<DeedState>;

/**
 * The uid of an object that does not exist yet, as the undo of a create names it: the runner puts in the uid that the
 * deed of that id brought about (`facts.uid` of its result, or what `look` found) before the undo is done.
 */
export const uidMadeBy = (deedId: string): string => `deed:${deedId}`;

/** The deed whose object is meant, where the uid is such a stand-in. */
export const madeByDeed = (uid: string): string | undefined =>
  uid.startsWith("deed:") ? uid.slice("deed:".length) : undefined;
