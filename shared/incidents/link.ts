import type { Fault } from "../fault.ts";
import type { Finding, NonEmpty } from "../finding.ts";
import type { Text } from "../text.ts";

/**
 * One link of the chain that an incident runbook looks at, such as "the announcer answers ARP". Links are listed in the
 * order of the path, so the first failed one is the first broken one.
 */
export type Link = Readonly<{
  /** Stable, kebab-case; pages and JSON go by it. */
  id: string;
  /** A claim that holds when the link does, under sixty columns: "The address is announced by one node". */
  title: string;
  /** One sentence: what was seen that makes it so, or why nobody could look. */
  because: Text;
  /** Where it was seen: "ops-host (lan-wired)", "Kubernetes API", "Route 53". */
  from?: string;
  /** Shown folded, and attached to the timeline. */
  evidence?: Readonly<{ title: string; lines: readonly string[] }>;
}> &
  (
    | Readonly<{ outcome: "passed"; findings: readonly Finding[] }>
    | Readonly<{ outcome: "failed"; findings: NonEmpty<Finding> }>
    /** The question does not arise: no TLS on this port, a name was not asked about. */
    | Readonly<{ outcome: "skipped" }>
    | Readonly<{ outcome: "unknown"; fault: Fault }>
  );
