import type { Fqdn } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { Severity } from "../finding.ts";
import type { Text } from "../text.ts";

/** Whose a record set is: an axis of its own beside what is wrong with it (dns.md section 7). */
export type Ownership =
  | "ours"
  | "foreign"
  | "unowned"
  /** An ownership text we cannot read, possibly encrypted. */
  | "unreadable"
  | "ambiguous"
  /** Owned, under a name format this release does not look for. */
  | "wrong-name-format"
  /** An ownership text whose record is gone. */
  | "orphan-txt";

/** Who will put it right. Messages say exactly one of: we will (after approval), ExternalDNS will, nobody will. */
export type Repair = "we" | "external-dns" | "nobody";

/** One difference between what is wanted, what is there and who owns it. */
export type Drift = Readonly<{
  /** Stable, documented under docs/drift: `record-missing`, `txt-dangling` … */
  kind: string;
  severity: Severity;
  zoneId: string;
  name: Fqdn;
  type: string;
  setIdentifier?: string;
  ownership: Ownership;
  /** The owner id as read, where there is one. */
  owner?: string;
  /** Targets or text, as people read them; empty for "none". */
  want: readonly string[];
  have: readonly string[];
  repair: Repair;
  /** What ExternalDNS of this release will do, or why it never will. */
  outlook: Text;
  /** Why we say so: rules and evidence. */
  because: Text;
  /** With `repair: "we"`: what a plan offers, in one atomic batch. */
  offer?: Offer;
}>;

export type Offer = Readonly<{
  /**
   * `adopt` takes over what nobody owns and needs two people; `restore` puts an owned record back where the policy or a
   * missing TTL keeps ExternalDNS from it.
   */
  kind: "adopt" | "clean-up" | "repair-ownership" | "restore";
  changes: readonly PlannedChange[];
  /** Record sets that have to stand exactly so while it is done: the proof of ownership, the record that is adopted. */
  given: readonly RecordSet[];
}>;

/** One change with what stands before it; `before` is there for DELETE and UPSERT, never for CREATE. */
export type PlannedChange = Readonly<{
  action: "CREATE" | "DELETE" | "UPSERT";
  before?: RecordSet;
  /** What stands afterwards; for a DELETE what is deleted. */
  set: RecordSet;
}>;

/** One entry of `shared/drift/all.ts`: what it is called, and how it is found. */
export type DriftKind<Scene> = Readonly<{
  id: string;
  /** One line for the list of kinds. */
  title: string;
  detect: (scene: Scene) => readonly Drift[];
}>;
