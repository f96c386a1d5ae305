import type { Change } from "../changes/change.ts";
import type { Finding, NonEmpty, Subject } from "../finding.ts";
import type { Json } from "../json.ts";
import type { VantagePlace } from "../site/site.ts";
import type { Text } from "../text.ts";
import type { Link } from "./link.ts";

/** One thing that explains what is broken. */
export type Cause = Readonly<{
  /** Stable; the code of the finding or diagnosis it comes from, listed in the runbook's `codes`. */
  code: string;
  /** One sentence, cause before effect: "no endpoint of httpbin is ready, so nothing answers behind 10.4.11.1". */
  text: Text;
  /** The link it breaks. */
  link: string;
  /** What to do about it, safest first; usually a command of ours in a code leaf. */
  next: NonEmpty<Text>;
}>;

/** What the evidence comes to. A wrong certainty is worse than candidates, and candidates worse than one cause. */
export type Conclusion =
  /** Everything that was asked holds, and enough was asked. */
  | Readonly<{ kind: "healthy"; text: Text }>
  /** `also`: further causes that are certain by themselves; neither explains the other. */
  | Readonly<{ kind: "cause"; cause: Cause; also: readonly Cause[] }>
  /** The evidence cannot decide between these; likeliest first, each saying what would decide it. */
  | Readonly<{ kind: "candidates"; causes: readonly [Cause, Cause, ...Cause[]] }>
  /** Nothing is known to be broken, and too little could be seen to say that all is well. */
  | Readonly<{ kind: "unknown"; text: Text }>;

/** Which vantage saw what: reachability is proven only from outside the cluster. */
export type Seen = Readonly<{ vantage: string; place: VantagePlace; clusterNode: boolean; text: Text }>;

/** What the read part of an incident runbook comes to; all of it survives as JSON in the ledger. */
export type Diagnosis = Readonly<{
  runbook: string;
  subject: Subject;
  /** "httpbin · 10.4.11.1 · httpbin.goldentooth.net": what was looked at, for headings. */
  title: string;
  links: readonly Link[];
  conclusion: Conclusion;
  /** Beside the links: what is worth telling and breaks nothing. */
  findings: readonly Finding[];
  seen: readonly Seen[];
  /** Of the last hour, newest first; undefined when they could not be read, and `changesGap` says why. */
  changes: readonly Change[] | undefined;
  changesGap?: Text;
  startedAt: number;
  endedAt: number;
  /** For `--json` and pictures, beside all of the above. */
  facts: Readonly<Record<string, Json>>;
}>;

/** The first broken link of the chain. */
export const firstBroken = ({ links }: Diagnosis): Link | undefined =>
  links.find(({ outcome }) => outcome === "failed");
