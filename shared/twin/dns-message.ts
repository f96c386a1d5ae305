import type { Fqdn } from "../dns/fqdn.ts";

/** One record of an answer; `value` as a zone file writes it, names in it with a trailing dot. */
export type DnsRecord = Readonly<{ name: Fqdn; ttl: number; type: string; value: string }>;

export type DnsStatus = "NOERROR" | "NXDOMAIN" | "SERVFAIL" | "REFUSED";

export type DnsQuestion = Readonly<{
  name: Fqdn;
  type: string;
  /** RD: the server is asked to find out, not only to say what it has. */
  recursive: boolean;
  /** CD: DNSSEC is not checked. */
  checkingDisabled: boolean;
}>;

export type DnsResponse = Readonly<{
  status: DnsStatus;
  /** AA and RA of the header. */
  authoritative: boolean;
  recursionAvailable: boolean;
  answer: readonly DnsRecord[];
  authority: readonly DnsRecord[];
  additional: readonly DnsRecord[];
  /** Extended DNS error, `15 (Blocked)`. */
  extendedError?: string;
}>;

/** What comes back of a question: an answer, nothing at all, or a closed port. */
export type DnsOutcome = DnsResponse | "timed-out" | "connection-refused";
