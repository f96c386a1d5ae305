import { type Fqdn, type ReadFqdn, readFqdn, route53Name } from "./fqdn.ts";

export type ResourceRecord = Readonly<{
  name: Fqdn;
  /** Seconds; in a resolver's answer what is left of them. */
  ttl: number;
  type: string;
  /** In presentation format, names lower-cased and without their trailing dot. */
  data: string;
}>;

export type DnsFlag = "aa" | "tc" | "rd" | "ra" | "ad" | "cd";

/** What a server said, its sections whole. The OPT record is left out; extended errors (RFC 8914) are codes. */
export type DnsAnswer = Readonly<{
  kind: "answer";
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` … */
  rcode: string;
  flags: readonly DnsFlag[];
  answer: readonly ResourceRecord[];
  authority: readonly ResourceRecord[];
  additional: readonly ResourceRecord[];
  extendedErrors: readonly number[];
}>;

/** That nobody answered is evidence, not a failure to look. */
export type DnsSilence = Readonly<{ kind: "silence"; because: "timed-out" | "refused" | "unreachable" }>;

export type DnsReply = DnsAnswer | DnsSilence;

export type Question = Readonly<{
  name: Fqdn;
  type: string;
  /** Ask for recursion; authoritative servers are asked without. */
  recurse: boolean;
  /** CD: the resolver shall not validate (RFC 4035). */
  checkingDisabled?: boolean;
}>;

/** Asks one server, over UDP and over TCP when the answer was cut. Throws FaultError only when we could not ask at all. */
export type AskServer = (server: string, question: Question, signal?: AbortSignal) => Promise<DnsReply>;

export const recordsOf = (answer: DnsAnswer, type: string): readonly ResourceRecord[] =>
  answer.answer.filter((record) => record.type === type);

/** NS records in the authority section, no answer and no AA: go and ask those. */
export const isReferral = (answer: DnsAnswer): boolean =>
  answer.rcode === "NOERROR" &&
  answer.answer.length === 0 &&
  !answer.flags.includes("aa") &&
  answer.authority.some(({ type }) => type === "NS");

/** The SOA that makes a "no" cacheable; without it a resolver has made up the emptiness itself. */
export const negativeSoa = (answer: DnsAnswer): ResourceRecord | undefined =>
  answer.answer.length === 0 ? answer.authority.find(({ type }) => type === "SOA") : undefined;

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;

/**
 * A name as zone files and `dig` write it (RFC 1035, 5.1): escapes are decimal there, `\\042` is `*`, where Route 53's
 * are octal.
 */
export const masterFileName = (name: Fqdn): string =>
  route53Name(name).replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => {
    const byte = Number.parseInt(digits, 8);
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9*!#%&'+,/:<=>?[\]^`{|}~]/.test(char)) return char;
    return `\\${String(byte).padStart(3, "0")}`;
  });

/** Reads what `masterFileName` and name servers' tools write. */
export const readMasterFileName = (text: string): ReadFqdn =>
  readFqdn(
    text.replace(/\\(\d{3})|\\(.)/g, (_, digits: string | undefined, char: string | undefined) =>
      octal(digits === undefined ? (char as string).charCodeAt(0) : Number(digits)),
    ),
  );
