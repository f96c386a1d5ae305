import type { DnsAnswer, DnsReply } from "../dns/answer.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { HostedZone } from "../dns/zones.ts";
import type { Fault } from "../fault.ts";

/** What one probe gave, and from where; or why it could not look. A probe that was not possible is never a "no". */
export type Looked<T> =
  | Readonly<{ ok: true; from: string; value: T }>
  | Readonly<{ ok: false; fault: Fault }>;

/** One server's answer to the question about the name, without recursion. */
export type ServerReply = Readonly<{ server: string; reply: DnsReply }>;

/** What Route 53 lists around the name in one zone (P8). */
export type ZoneListing = Readonly<{
  zone: HostedZone;
  /** Every type at the name itself. */
  atName: readonly RecordSet[];
  /** NS record sets between the apex and the name, the apex left out. */
  delegations: readonly RecordSet[];
  /** The wildcard that would answer if the name did not exist. */
  wildcard: readonly RecordSet[];
  /** Something exists below the name, so the name exists even without records of its own. */
  hasBelow: boolean;
  /** A name between wildcard and name that exists and stops the wildcard (RFC 4592). */
  blocks?: Fqdn;
}>;

export type OwnershipAtName = Readonly<{
  /** Owner in the TXT; undefined: no ownership text. */
  owner: string | undefined;
  ours: readonly string[];
}>;

/** Everything that the 16 diagnoses look at, each probe on its own (dns.md 5.1). */
export type ExplainEvidence = Readonly<{
  name: Fqdn;
  type: string;
  /** What the cluster wants at the name; undefined when nothing does or it could not be read. */
  wanted: readonly string[] | undefined;
  /** P1: NS of the zone at the parent's servers. */
  parent: Looked<readonly ServerReply[]>;
  /** DS of the zone at the parent. */
  parentDs: Looked<DnsReply>;
  /** P2: delegation set of each public zone with this name, by zone id. */
  delegationSets: Looked<readonly Readonly<{ zoneId: string; nameServers: readonly string[] }>[]>;
  /** P3: the name, and the SOA of the zone, at each server that the parent or the API names. */
  authoritative: Looked<
    readonly (ServerReply & Readonly<{ host: string; soa: DnsReply; transports: "udp" | "udp and tcp" }>)[]
  >;
  /** P4: two public resolvers. */
  public: Looked<readonly ServerReply[]>;
  /** P5: the site's own resolvers, asked from inside. */
  site: Looked<readonly ServerReply[]>;
  /** P6: a TXT at the same name or a sibling, at the same resolvers. */
  siteTxt: Looked<readonly (ServerReply & Readonly<{ name: Fqdn }>)[]>;
  /** P7: P5 with CD. */
  siteUnchecked: Looked<readonly ServerReply[]>;
  /** P8: what the API lists around the name, in every zone that could hold it. */
  listed: Looked<readonly ZoneListing[]>;
  /** State of the last change to the zone, where one is known. */
  change: Looked<"PENDING" | "INSYNC" | "none known">;
  ownership: Looked<OwnershipAtName>;
}>;

export const answersOf = (
  replies: readonly ServerReply[],
): readonly (Readonly<{ server: string }> & DnsAnswer)[] =>
  replies.flatMap(({ server, reply }) => (reply.kind === "answer" ? [{ server, ...reply }] : []));

/** Data of the asked type, a CNAME chain followed as the server gave it; sorted. */
export const dataOf = (answer: DnsAnswer, type: string): readonly string[] =>
  answer.answer
    .filter((record) => record.type === type)
    .map(({ data }) => data)
    .toSorted();

export const sameData = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

/** What the authoritative servers that answered with AA agree on; undefined when none did or they differ. */
export function agreed(evidence: ExplainEvidence): readonly string[] | undefined {
  if (!evidence.authoritative.ok) return undefined;
  const answers = answersOf(evidence.authoritative.value).filter(({ flags }) => flags.includes("aa"));
  const [first, ...others] = answers.map((answer) => dataOf(answer, evidence.type));
  return first !== undefined && others.every((other) => sameData(first, other)) ? first : undefined;
}
