import { code, type Text, text } from "../../text.ts";
import type { Cause, Conclusion } from "../diagnosis.ts";
import type { Link } from "../link.ts";
import {
  type AnyLink,
  besideThePath,
  consequences,
  type Judged,
  type PathLink,
  pathLinks,
  type Reason,
} from "./reason.ts";

/** More readings than these decide nothing for a person at night. */
const mostCandidates = 5;
/** Of those, links that nobody could look at. */
const mostUnseen = 3;

const causeOf = ({ code, text, link, next }: Reason): Cause => ({ code, text, link, next });

/** Links beside the path, which other runbooks add, take nothing along. */
const taking = (link: string): readonly PathLink[] =>
  Object.hasOwn(consequences, link) ? consequences[link as PathLink] : [];

/** Somebody answers who should not: that nobody may announce accounts for silence, never for an answer. */
const answers: readonly string[] = ["foreign-mac", "proxy-arp", "two-nodes", "two-macs", "two-nics"];
/** Of those, whoever answers may be another machine, and then so is what it says. */
const strangers: readonly string[] = ["foreign-mac", "proxy-arp", "two-macs"];
/** What a server said once it was reached: a way that is broken beside it did not make it say so. */
const contents: readonly string[] = [
  "certificate-expired",
  "certificate-not-yet-valid",
  "certificate-wrong-name",
  "http-server-error",
];

/** That nobody wants a name accounts for no record of it, and for nothing that was found in its zone. */
const foundInZone = (reason: Reason, other: Reason): boolean =>
  other.code === "name-not-wanted" && reason.code.startsWith("dns-");

const standsByItself = (reason: Reason, other: Reason): boolean =>
  answers.includes(reason.code) ||
  (contents.includes(reason.code) && !strangers.includes(other.code)) ||
  foundInZone(reason, other);

const explainedBy = (reason: Reason): readonly string[] => reason.explains ?? taking(reason.link);

const order = (link: string): number =>
  Object.hasOwn(besideThePath, link)
    ? pathLinks.indexOf(besideThePath[link as keyof typeof besideThePath]) - 0.5
    : pathLinks.indexOf(link as PathLink);

const inPathOrder = <T extends Readonly<{ link: string }>>(list: readonly T[]): readonly T[] =>
  list.toSorted((a, b) => order(a.link) - order(b.link));

/** Links without which nobody may say that all is well; a link that was skipped asks for nothing. */
export const neededForHealth: readonly PathLink[] = ["address", "arp", "tcp", "tls", "http", "endpoints"];

/** Of a question about a name, these too. */
export const neededForNames: readonly PathLink[] = ["resolver", "record"];

/** The other reading, where only one was found: a single "possibly" is no certainty. */
const orElse = (link: Link): Reason => ({
  code: `${link.id}-unexplained`,
  link: link.id as AnyLink,
  certain: false,
  subject: { kind: "cluster", name: link.id },
  text: text`something that none of our probes sees breaks “${link.title}”: ${link.because}`,
  next: [text`Look again in a minute; what changed lately is told beside this`],
});

/** A look takes seconds, and a site may change while it lasts. */
const inBetween = (link: Link): Reason => ({
  ...orElse(link),
  code: "look-again",
  text: text`“${link.title}” was about to change while we looked`,
  next: [text`Look again in a minute`],
});

/** What stands before a broken link and could not be looked at: it may be why, and nobody can tell. */
const unseenBefore = (links: readonly Link[], first: Link): readonly Reason[] =>
  links
    .filter(({ id, outcome }) => outcome === "unknown" && taking(id).includes(first.id as PathLink))
    .map(
      (link): Reason => ({
        code: `${link.id}-unseen`,
        link: first.id as PathLink,
        certain: false,
        subject: { kind: "cluster", name: link.id },
        text: text`nobody could see whether “${link.title}” holds (${link.because}); where it does not, that is why`,
        next: [text`See what the bot may not read: ${code("/arpeggio doctor")}`],
      }),
    );

export type Concluded = Readonly<{
  conclusion: Conclusion;
  /** Broken links that the conclusion does not account for, in path order. */
  unexplained: readonly Link[];
}>;

/** A new connection opened outside the cluster: nothing else proves that clients are served. */
const connected = (links: readonly Link[]): boolean =>
  links.some(({ id, outcome }) => id === "tcp" && outcome === "passed");

export type ConcludeOptions = Readonly<{
  /** What is said when all is well. */
  summary: Text;
  needed: readonly string[];
  /** Whether what was asked is proven; by default that somebody outside the cluster connected. */
  proven?: (links: readonly Link[]) => boolean;
}>;

function healthOf(
  links: readonly Link[],
  { needed, summary, proven = connected }: ConcludeOptions,
): Conclusion {
  const unseen = links.filter(({ id, outcome }) => outcome === "unknown" && needed.includes(id));
  const [first] = unseen;
  if (first !== undefined)
    return {
      kind: "unknown",
      text: text`nothing is seen to be broken, but ${unseen.length === 1 ? "one thing that matters" : `${unseen.length} things that matter`} could not be seen, first “${first.title}”: ${first.because}`,
    };
  if (!proven(links))
    return {
      kind: "unknown",
      text: text`nothing is seen to be broken, and nothing is proven from outside the cluster either`,
    };
  return { kind: "healthy", text: summary };
}

/**
 * What the judged links come to. Pure. A certain reason that another one accounts for is told as its consequence and no
 * cause of its own; two that do not account for each other are both told. Where nothing is certain the readings stay
 * readings. Never healthy with a broken link, never a cause without its broken link.
 */
export function conclude(judged: readonly Judged[], options: ConcludeOptions): Concluded {
  const links = judged.map(({ link }) => link);
  const failed = links.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return { conclusion: healthOf(links, options), unexplained: [] };
  const isFailed = (id: string): boolean => failed.some((link) => link.id === id);
  const reasons = judged.flatMap((each) => each.reasons).filter(({ link }) => isFailed(link));
  const certain = inPathOrder(reasons.filter((reason) => reason.certain));
  const roots = certain.filter(
    (reason) =>
      !certain.some(
        (other) =>
          other !== reason &&
          other.link !== reason.link &&
          !standsByItself(reason, other) &&
          explainedBy(other).includes(reason.link),
      ),
  );
  const covered = new Set<string>(roots.flatMap((root) => [root.link, ...explainedBy(root)]));
  const open = failed.filter(({ id }) => !covered.has(id));
  const [root, ...also] = roots;
  if (root !== undefined)
    return {
      conclusion: { kind: "cause", cause: causeOf(root), also: also.map(causeOf) },
      unexplained: open,
    };
  // The first broken link's readings come first; those of links that it would take along come after, if at all.
  const leading = open.filter(
    ({ id }) => !open.some((other) => other.id !== id && taking(other.id).includes(id as PathLink)),
  );
  const readings = (list: readonly Link[]): readonly Reason[] =>
    list.flatMap((link) => reasons.filter((reason) => reason.link === link.id));
  const first = leading[0] ?? open[0] ?? (failed[0] as Link);
  const found = readings(leading);
  const all: readonly Reason[] = [
    ...found,
    ...(found.length < 2 ? readings(open.filter((link) => !leading.includes(link))) : []),
  ];
  const distinct = all.filter(
    (reason, i) => all.findIndex(({ code, link }) => code === reason.code && link === reason.link) === i,
  );
  const unseen = unseenBefore(links, first);
  // Not the likeliest, but left out they would be denied.
  const readable = distinct.slice(0, mostCandidates - Math.min(unseen.length, mostUnseen));
  const causes = [
    ...readable,
    ...unseen.slice(0, mostUnseen),
    ...[orElse(first), inBetween(first)].slice(0, Math.max(0, 2 - readable.length - unseen.length)),
  ]
    .slice(0, mostCandidates)
    .map(causeOf);
  return {
    conclusion: { kind: "candidates", causes: causes as unknown as readonly [Cause, Cause, ...Cause[]] },
    unexplained: open.filter(
      ({ id }) =>
        !causes.some((cause) => cause.link === id) &&
        !leading.some((link) => taking(link.id).includes(id as PathLink)),
    ),
  };
}
