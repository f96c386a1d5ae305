import type { Text } from "../text.ts";

/** Where a change was read. Each source has its own way to be incomplete; see {@link ./gaps.ts}. */
export type ChangeSource =
  | "event"
  | "creationTimestamp"
  | "deletionTimestamp"
  | "managedFields"
  | "condition"
  | "pod status"
  | "ServiceL2Status"
  | "GitOps status"
  | "ledger";

/** Something that was different afterwards, told by one source. */
export type Change = Readonly<{
  /** Milliseconds since the epoch, by the clock of whoever wrote it; the API keeps whole seconds. */
  at: number;
  /** The source tells the last moment only: it happened then or before. */
  atLatest?: true;
  /** `{kind: "Service", name: "httpbin/httpbin"}`. */
  subject: Readonly<{ kind: string; name: string }>;
  /** "created", "condition Ready is False (KubeletNotReady)". */
  what: Text;
  /** Who or what did it, where the source says so. */
  by?: string;
  source: ChangeSource;
  /** How often it was reported, when the source counts repeats. */
  times?: number;
}>;

/** From `since` until `until`, milliseconds since the epoch, both included. */
export type Window = Readonly<{ since: number; until: number }>;

/** Later than `until` counts as well: the writer's clock may be ahead of ours. */
export const isIn = (window: Window, at: number | undefined): at is number =>
  at !== undefined && at >= window.since;
