import type { Fault } from "../fault.ts";
import type { NonEmpty } from "../finding.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { Text } from "../text.ts";
import type { Around, NodeEvidence } from "./evidence.ts";
import type { NodeProbeId } from "./node-probes.ts";

/** Something that a change would cut off, and what to do about it first. */
export type Obstacle = Readonly<{ what: Text; first: Text }>;

/** One command for root, as its words, or a file to be written whole. Never shell text. */
export type NodeCommand =
  | Readonly<{ run: NonEmpty<string> }>
  | Readonly<{ write: string; lines: readonly string[] }>;

/** Lines to paste on the node, exactly as they stand. */
export type Lines = readonly string[];

export type FixPlan = Readonly<{
  /** "Turn wlan0 off for good", without a full stop. */
  title: Text;
  /** What arms the way back before anything changes, so that a mistake undoes itself; empty where nothing can be cut off. */
  arm: Lines;
  change: Lines;
  /** What makes it last over a restart, and by which program. */
  lasts: Text;
  /** How to see that it worked, before the armed way back is called off. */
  verify: Lines;
  disarm: Lines;
  undo: Lines;
  /** Other ways to the same end, each with its own way back. */
  instead: readonly Readonly<{ title: string; lines: Lines }>[];
  notes: readonly Text[];
  /** Change and way back as data, for whoever does it in a person's place; absent where words are all there is. */
  commands?: Readonly<{ change: readonly NodeCommand[]; undo: readonly NodeCommand[] }>;
}>;

export type FixAnswer =
  | Readonly<{ kind: "plan"; plans: readonly FixPlan[] }>
  /** The change is not suggested, because it would cut off what is named. */
  | Readonly<{ kind: "refused"; obstacles: readonly Obstacle[] }>
  | Readonly<{ kind: "nothing-to-do"; because: string }>
  /** No command can be given: what to do instead, in words. */
  | Readonly<{ kind: "by-hand"; because: Text }>
  | Readonly<{ kind: "unknown"; fault: Fault }>;

/** How a check's failure is cured on one node. Pure; sees more than the judge does, for what must not be cut off. */
export type Fix = Readonly<{
  needs: readonly NodeProbeId[];
  reads: readonly ResourceKind[];
  plan: (node: NodeEvidence<NodeProbeId>, around: Around<ResourceKind>) => FixAnswer;
}>;

/** Checks the types of `needs`, `reads` and `plan` against each other, and forgets them for the check's field. */
export const defineFix = <const P extends NodeProbeId, const K extends ResourceKind>(
  fix: Readonly<{
    needs: readonly P[];
    reads: readonly K[];
    plan: (node: NodeEvidence<P>, around: Around<K>) => FixAnswer;
  }>,
): Fix => fix as unknown as Fix;
