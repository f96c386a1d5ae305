import type { CheckResult } from "../check-result.ts";
import type { Clock } from "../clock.ts";
import type { ReadZones } from "../dns/zones.ts";
import type { Finding } from "../finding.ts";
import type { WorkingTree } from "../git/working-tree.ts";
import type { Json } from "../json.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import type { WriteCluster } from "../kubernetes/write.ts";
import type { Picture } from "../pictures/picture.ts";
import type { Shell } from "../probes/shell.ts";
import type { Block } from "../reply.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { Text } from "../text.ts";
import type { Deed } from "./deed.ts";

/**
 * What a step looks through. Steps only read: what they change goes into `Deed`s, which the runner does. `dryRun` is
 * the one write they may ask for, and it changes nothing.
 */
export type StepPorts = Readonly<{
  config: ClusterConfig;
  read: ReadCluster;
  shell: Shell;
  logs: ReadLogs;
  clock: Clock;
  dryRun: WriteCluster;
  /** Route 53 and the like; undefined where none is configured: then what depends on it is unknown, never passed. */
  zones: ReadZones | undefined;
  trees: ReadonlyMap<string, WorkingTree>;
  /** Letters, digits and dashes that a program on a node cannot guess; another one each call. */
  newNonce: () => string;
  /** Files the config names (Helm values a person handed over). Throws FaultError. */
  readFile: (path: string) => Promise<string>;
}>;

/** What the run knows when a step begins: fixed input, and what earlier steps wrote down for later ones. */
export type RunFacts = Readonly<{
  id: string;
  runbook: string;
  cluster: string;
  /** From the command, by name; each runbook has its own schema. */
  inputs: Readonly<Record<string, Json>>;
  /** `notes` of the steps that ended, by step id. */
  notes: Readonly<Record<string, Json>>;
  /**
   * What this run made of objects and was not taken back, by step id, proven or not: of each object from before its
   * first act to after its last. Undefined where no run is (a plan).
   */
  standing?: Readonly<Record<string, readonly Diff[]>>;
}>;

export type StepContext = Readonly<{
  run: RunFacts;
  ports: StepPorts;
  signal: AbortSignal;
  /** One line of progress for the run's message; latest wins. */
  show: (line: Text) => void;
}>;

/** An object before and after; `null` where it does not exist. Secrets are redacted before they get here. */
export type Diff = Readonly<{ object: string; uid: string | null; before: Json | null; after: Json | null }>;

export type StepPlan = Readonly<{
  deeds: readonly Deed[];
  diffs: readonly Diff[];
  /** What we say will happen, for people; and what of it goes into the digest and is compared afterwards. */
  prediction: readonly Text[];
  predicted: Json;
  /** The way back, in the order of doing, written down before the first deed. Empty only where nothing is changed. */
  undo: readonly Deed[];
  /** What a person has to do, for manual steps and for what only people can do. */
  instructions: readonly Text[];
  /** More for the thread: tables, evidence. */
  blocks: readonly Block[];
}>;

/** Runs from just before the first deed until `stop`, and then tells what was seen: a probe from outside. */
export type Observation = Readonly<{ stop: () => Promise<Observed> }>;
export type Observed = Readonly<{
  findings: readonly Finding[];
  blocks: readonly Block[];
  facts: Json;
  /** Drawn where somebody can see them; they say no more than the blocks. */
  pictures?: readonly Picture[];
}>;

/**
 * `passed` only when everything was seen; `unknown` halts as `failed` does. `waiting` is for what takes its time (a
 * TTL, a quiet period): the run stops until then and goes on when it is asked again after `until`.
 */
export type Verified = Readonly<{
  outcome: "passed" | "failed" | "unknown" | "waiting";
  /** One sentence: what is true now. */
  text: Text;
  findings: readonly Finding[];
  results?: readonly CheckResult[];
  blocks: readonly Block[];
  /** Milliseconds since the epoch; only with `waiting`. */
  until?: number;
  /** With `passed`, after an act: verified once more this much later, when those who reconcile had their turn. */
  recheckAfterMs?: number;
  /** For later steps and for the timeline. */
  notes: Json;
}>;

/**
 * One step of a runbook. `check` looks and has no deeds; `act` changes; `manual` is done by a person and then judged,
 * or recorded as said by them where nothing can be seen. `ready` findings of severity warning block the act until they
 * are gone; unknown halts too.
 */
export type Step = Readonly<{
  id: string;
  kind: "manual" | "check" | "act";
  title: string;
  /**
   * Takes back what an earlier step of its own run brought about, and nothing else: needs no second person, and is never
   * too late.
   */
  cleanUp?: true;
  /**
   * With `cleanUp`: done also when the run was held, aborted or stopped before it, as soon as anything that came before it
   * was done. What it takes away must not stay.
   */
  whenStopped?: true;
  /** Skipping it leaves something unproven: it then counts as `--force`. Says what that would mean. */
  proof?: Text;
  /** Until when the way back of this step is open, for people. */
  reversibleWhile: Text;
  /** Why this step has nothing to do here, if so: it is then shown as skipped, with the reason, without a person. */
  unneeded?: (context: StepContext) => Promise<Text | undefined>;
  ready: (context: StepContext) => Promise<readonly Finding[]>;
  plan: (context: StepContext) => Promise<StepPlan>;
  /** For acts whose effect has to be measured while they happen. */
  observe?: (context: StepContext, plan: StepPlan) => Promise<Observation>;
  verify: (context: StepContext, plan: StepPlan, observed: Observed | undefined) => Promise<Verified>;
  /** Judged before a rollback of this step; findings say why the way back is closed. Default: open. */
  canUndo?: (context: StepContext, plan: StepPlan) => Promise<readonly Finding[]>;
  /**
   * What has to be true after the step was undone, beside each undo deed being done: what others bring about because of
   * it. `waiting` waits, before an earlier step is taken back.
   */
  verifyUndone?: (context: StepContext, plan: StepPlan) => Promise<Verified>;
}>;

export const noDeeds: Pick<StepPlan, "deeds" | "diffs" | "undo" | "instructions" | "blocks"> = {
  deeds: [],
  diffs: [],
  undo: [],
  instructions: [],
  blocks: [],
};
