import type { Fault } from "../fault.ts";
import type { Finding, NonEmpty } from "../finding.ts";
import { type Text, text } from "../text.ts";
import type { Link } from "./link.ts";

/** What a link is about, and where one looks for it. */
export type LinkHead = Readonly<{ id: string; title: string; from?: string }>;

type Evidence = NonNullable<Link["evidence"]>;

const dressed = ({ id, title, from }: LinkHead, because: Text, evidence: Evidence | undefined) => ({
  id,
  title,
  because,
  ...(from === undefined ? {} : { from }),
  ...(evidence === undefined || evidence.lines.length === 0 ? {} : { evidence }),
});

/** It holds, beside the remarks that `findings` are. */
export const holds = (
  head: LinkHead,
  because: Text,
  more: Readonly<{ findings?: readonly Finding[]; evidence?: Evidence }> = {},
): Link => ({ ...dressed(head, because, more.evidence), outcome: "passed", findings: more.findings ?? [] });

export const broken = (
  head: LinkHead,
  because: Text,
  findings: NonEmpty<Finding>,
  evidence?: Evidence,
): Link => ({ ...dressed(head, because, evidence), outcome: "failed", findings });

export const skipped = (head: LinkHead, because: Text): Link => ({
  ...dressed(head, because, undefined),
  outcome: "skipped",
});

/** Nobody could look. */
export const unseen = (head: LinkHead, fault: Fault, evidence?: Evidence): Link => ({
  ...dressed(head, text`could not look: ${fault.what}: ${fault.detail}`, evidence),
  outcome: "unknown",
  fault,
});
