import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import type { Tape } from "./incident-recordings.ts";

/** One thing that is broken in the world, and the codes that name it. */
export type Truth = Readonly<{
  /** What somebody broke. */
  words: string;
  codes: readonly string[];
  /** Why nobody can see it while the other fault stands: then it need not be told. */
  hidden?: string;
}>;

/**
 * A site with something wrong, what is asked about it, and what is true there. Written from what was broken, never from
 * what an answer was.
 */
export type IncidentScenario = Readonly<{
  name: string;
  kind: "one fault" | "two faults" | "recorded" | "half blind" | "healthy";
  /** Of `coverageLines` and `dnsLines`. */
  lines: readonly string[];
  words: string;
  /** Default: the healthy site. */
  site?: () => SiteSpec;
  /** What happens a minute after the start, or with `atOnce` as soon as the site is up. */
  afterwards?: (twin: Twin) => void | Promise<void>;
  atOnce?: true;
  /** From then until somebody asks, seconds; a minute without it. */
  waitSeconds?: number;
  /** When the site starts, milliseconds since the epoch. */
  startsAt?: number;
  /** Breaks a port, or changes the config. */
  around?: (ports: DiagnosePorts) => DiagnosePorts;
  /** Recorded output of real programs; each has to be asked for. */
  tapes?: readonly Tape[];
  runbook: string;
  ask: string;
  /** Empty: all is well. */
  truths: readonly Truth[];
  /** Codes of what is true there as well, though it is not what was broken: a consequence that may be told. */
  alsoTrue?: readonly string[];
  /** Why no evidence can tell the truth from another reading: then only candidates are right. */
  undecidable?: string;
  /** The answer must be that it cannot be told. */
  blind?: true;
  /** That it cannot be told is right as well: what would tell cannot be looked at. */
  mayBeUnknown?: true;
}>;

export const truth = (words: string, ...codes: readonly string[]): Truth => ({ words, codes });
