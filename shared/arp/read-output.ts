import type { Fault } from "../fault.ts";
import type { ArpingProgram } from "../probes/arping-identify.ts";
import type { ArpingOutput, ArpingReply } from "../probes/arping-output.ts";
import { readArping } from "../probes/arping-output.ts";
import type { VerdictCode } from "./verdict-codes.ts";

/** Whose MAC is whose, as a file told: every owner of a MAC, lower case. */
export type MacOwners = ReadonlyMap<string, readonly Readonly<{ node: string; nic: string }>[]>;

export type Expectation = Readonly<{ node: string; nic?: string }>;

export type NamedMac = Readonly<{ mac: string; node?: string; nic?: string }>;

export type OutputVerdict = Readonly<{
  program: ArpingProgram | undefined;
  replies: readonly ArpingReply[];
  macs: readonly NamedMac[];
  sent: number | undefined;
  received: number | undefined;
  verdict: VerdictCode;
  /** One sentence for people. */
  why: string;
  /** How somebody else may answer unseen in this output. */
  caveats: readonly string[];
  fault?: Fault;
}>;

const nameOf = (mac: string, owners: MacOwners | undefined): NamedMac => {
  const known = owners?.get(mac) ?? [];
  const [owner] = known;
  const nodes = new Set(known.map(({ node }) => node));
  // A MAC on several nodes is told as nobody's in particular.
  return owner && nodes.size === 1 ? { mac, ...owner } : { mac };
};

/**
 * Judges pasted output of either arping by itself: by the number of MACs, by their owners where a file tells them, and
 * against an expectation where one was given. Two answers prove a conflict even in a cut text; one answer or none in a
 * cut text proves nothing.
 */
export function judgeOutput(
  text: string,
  about: Readonly<{ owners?: MacOwners; expect?: Expectation }>,
): OutputVerdict {
  const { owners, expect } = about;
  const reading = readArping([{ text }]);
  if (!reading.ok)
    return {
      program: reading.program,
      replies: [],
      macs: reading.macs.map((mac) => nameOf(mac, owners)),
      sent: undefined,
      received: undefined,
      verdict: "could-not-look",
      why: `${reading.fault.what}: ${reading.fault.detail}`,
      caveats: [],
      fault: reading.fault,
    };
  const { output } = reading;
  const macs = output.macs.map((mac) => nameOf(mac, owners));
  const { verdict, why } = verdictOf(macs, output.incomplete, owners, expect);
  return {
    program: output.program,
    replies: output.replies,
    macs,
    sent: output.sent,
    received: output.received ?? (output.sent === undefined ? output.replies.length : undefined),
    verdict,
    why,
    caveats: macs.length === 1 && verdict !== "could-not-look" ? hidingPlaces(output, text) : [],
    ...(verdict === "could-not-look"
      ? { fault: { kind: "truncated" as const, what: "arping output", detail: why } }
      : {}),
  };
}

/**
 * Where a second answerer can hide: iputils asks only the first MAC after its first answer (without `-b`), `-f` stops
 * at that answer, and one probe has one chance to be heard.
 */
function hidingPlaces({ program, sent, broadcasts }: ArpingOutput, text: string): readonly string[] {
  const better = program === "iputils" ? "arping -b -c 3" : "arping -d -c 3";
  const because =
    program === "iputils" && /\barping\b[^\n]* -[A-Za-z]*f\b/.test(text)
      ? "-f stops at the first answer"
      : sent === 1
        ? "only one probe was sent"
        : sent !== undefined && broadcasts !== undefined && broadcasts < sent
          ? `only ${broadcasts} of ${sent} probes ${broadcasts === 1 ? "was a broadcast" : "were broadcasts"}, the rest asked the first answerer alone`
          : undefined;
  return because === undefined ? [] : [`${because}: a second answerer can hide. Ask with ${better}`];
}

type Judged = Readonly<{ verdict: VerdictCode; why: string }>;

function verdictOf(
  macs: readonly NamedMac[],
  incomplete: string | undefined,
  owners: MacOwners | undefined,
  expect: Expectation | undefined,
): Judged {
  const [only] = macs;
  if (macs.length > 1) return severalMacs(macs, owners);
  if (incomplete !== undefined)
    return { verdict: "could-not-look", why: `the text is not complete: ${incomplete}` };
  if (only === undefined) return { verdict: "silence", why: "nobody answered" };
  const where = only.node === undefined ? only.mac : `${only.node} ${only.nic}`;
  if (owners === undefined)
    return expect === undefined
      ? { verdict: "answered", why: `one MAC answered: ${only.mac}` }
      : {
          verdict: "could-not-look",
          why: `whose MAC ${only.mac} is cannot be told without --macs, so ${expect.node} cannot be compared`,
        };
  if (only.node === undefined) {
    const several = owners.get(only.mac) ?? [];
    return several.length > 0
      ? {
          verdict: "could-not-look",
          why: `${only.mac} is on several nodes: ${several.map(({ node, nic }) => `${node} ${nic}`).join(", ")}`,
        }
      : { verdict: "foreign-mac", why: `${only.mac} answered, and no node has that MAC` };
  }
  if (expect === undefined) return { verdict: "answered", why: `${where} answered` };
  if (only.node !== expect.node)
    return { verdict: "elsewhere", why: `${where} answered, expected was ${expect.node}` };
  if (expect.nic !== undefined && only.nic !== expect.nic)
    return { verdict: "wrong-nic", why: `${where} answered, expected was ${expect.nic}` };
  return { verdict: "expected", why: `${where} answered, as expected` };
}

function severalMacs(macs: readonly NamedMac[], owners: MacOwners | undefined): Judged {
  if (owners === undefined)
    return { verdict: "two-macs", why: `${macs.length} MACs answered; whose they are, --macs would tell` };
  const strangers = macs.filter(({ mac }) => !owners.has(mac));
  if (strangers.length > 0)
    return {
      verdict: "foreign-mac",
      why: `no node has ${strangers.map(({ mac }) => mac).join(", ")}, and others answered too`,
    };
  if (macs.some(({ node }) => node === undefined))
    return { verdict: "two-macs", why: `${macs.length} MACs answered, and one of them is on several nodes` };
  const nodes = [...new Set(macs.map(({ node }) => node))];
  return nodes.length > 1
    ? { verdict: "two-nodes", why: `${nodes.length} nodes answered: ${nodes.join(", ")}` }
    : { verdict: "two-nics", why: `${nodes[0]} answered on ${macs.map(({ nic }) => nic).join(" and ")}` };
}
