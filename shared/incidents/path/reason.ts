import type { Finding, NonEmpty, Severity, Subject } from "../../finding.ts";
import type { Json } from "../../json.ts";
import type { Text } from "../../text.ts";
import type { Link } from "../link.ts";
import { broken, type LinkHead } from "../make-link.ts";

/** Every link of the path, in its order: what a client asks first comes first. */
export const pathLinks = [
  "name",
  "resolver",
  "delegation",
  "record",
  "owner",
  "address",
  "pool",
  "advertisement",
  "announcer-predicted",
  "announcer",
  "nic",
  "arp",
  "route",
  "tcp",
  "tls",
  "http",
  "endpoints",
  "pods-nodes",
] as const;

export type PathLink = (typeof pathLinks)[number];

/** Links that a runbook looks at beside the path, each with the link of the path that it stands before. */
export const besideThePath = {
  public: "delegation",
  "same-announcer": "announcer",
  speakers: "arp",
  caches: "route",
} as const satisfies Readonly<Record<string, PathLink>>;

export type AnyLink = PathLink | keyof typeof besideThePath;

const wire: readonly PathLink[] = ["arp", "route", "tcp", "tls", "http"];
const announcing: readonly PathLink[] = ["announcer-predicted", "announcer", "nic", ...wire];

/** What cannot hold either once a link is broken, and so says nothing more. */
export const consequences: Readonly<Record<PathLink, readonly PathLink[]>> = {
  name: ["resolver", "record", "owner"],
  resolver: [],
  delegation: ["resolver"],
  record: ["resolver"],
  owner: ["record", "resolver"],
  address: ["pool", "advertisement", ...announcing, "record", "resolver"],
  pool: ["advertisement", ...announcing],
  advertisement: announcing,
  "announcer-predicted": ["announcer", "nic", ...wire],
  announcer: ["nic", ...wire],
  nic: wire,
  arp: ["route", "tcp", "tls", "http"],
  route: ["tcp", "tls", "http"],
  tcp: ["tls", "http"],
  tls: [],
  http: [],
  endpoints: [...announcing, "pods-nodes"],
  "pods-nodes": ["tcp", "tls", "http"],
};

/** Something that breaks a link: for certain, or as one reading of what was seen. */
export type Reason = Readonly<{
  code: string;
  link: AnyLink;
  /** The evidence leaves no other reading. */
  certain: boolean;
  /** One sentence, without its full stop. */
  text: Text;
  next: NonEmpty<Text>;
  subject: Subject;
  severity?: Severity;
  facts?: Readonly<Record<string, Json>>;
  /** Links whose failure it accounts for; the usual consequences of its link when left out. */
  explains?: readonly PathLink[];
}>;

export type Judged = Readonly<{ link: Link; reasons: readonly Reason[] }>;

export const findingOf = ({ code, severity, subject, facts, text, next }: Reason): Finding => ({
  code,
  severity: severity ?? "error",
  subject,
  facts: facts ?? {},
  text,
  remedy: next[0],
});

/** The link is broken for these reasons; without a certain one each is a reading of its own. */
export const fails = (
  head: LinkHead,
  because: Text,
  reasons: NonEmpty<Reason>,
  evidence?: NonNullable<Link["evidence"]>,
): Judged => {
  const [first, ...rest] = reasons.map(findingOf) as [Finding, ...Finding[]];
  return { link: broken(head, because, [first, ...rest], evidence), reasons };
};

export const only = (link: Link): Judged => ({ link, reasons: [] });
