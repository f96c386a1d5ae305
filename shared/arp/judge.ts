import type { Fault } from "../fault.ts";
import { contains, parseAddresses, parseIp } from "../metallb/ip.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import { whyNotWords } from "../metallb/why-not-words.ts";
import type { Site, VantagePlace } from "../site/site.ts";
import type { Claim } from "./claims.ts";
import { claimedNodes } from "./claims.ts";
import type { MacOwnership, MacTable } from "./mac-table.ts";
import { lanNics, theLanNic } from "./mac-table.ts";
import type { SilenceCandidate, SilenceFacts } from "./silence.ts";
import { silenceCandidates } from "./silence.ts";
import type { VerdictCode } from "./verdict-codes.ts";

/** One MAC that answered, and how often. */
export type Answer = Readonly<{ mac: string; replies: number }>;

export type VantagePoint = Readonly<{ name: string; place: VantagePlace; clusterNode?: string }>;

/** What was seen on the wire, or why nobody could look. */
export type Wire =
  | Readonly<{
      kind: "looked";
      answers: readonly Answer[];
      /** Broadcast requests sent. */
      sent: number;
      /** MACs that answered for an address nobody uses; absent when it was not asked. */
      unusedAnswers?: readonly string[];
    }>
  | Readonly<{ kind: "not-looked"; fault: Fault }>;

export type ArpEvidence = Readonly<{
  ip: string;
  service: string | undefined;
  vantage: VantagePoint | undefined;
  wire: Wire;
  table: MacTable;
  site: Site;
  status: Claim;
  event: Claim;
  /** The fault says why nothing could be predicted. */
  prediction: AddressPrediction | Fault;
  /** Other Services that have the same address (allow-shared-ip); each elects on its own. */
  sharing: readonly AddressPrediction[];
  silence: SilenceFacts;
}>;

export type JudgedAnswer = Answer & Readonly<{ ownership: MacOwnership }>;

export type ArpVerdict = Readonly<{
  code: VerdictCode;
  /** What follows the subject in the first line, `two MACs answer, both on karstark`. */
  headline: string;
  /** One or two sentences: what it means. */
  why: string;
  answers: readonly JudgedAnswer[];
  /** Node that answers, where exactly one does. */
  node?: string;
  nic?: string;
  /** Who announces next if the predicted announcer dies. */
  next?: string;
  predicted?: string;
  /** Sources that contradict the wire or each other, each in one sentence. */
  disagreements: readonly string[];
  /** What is known to lie about this kind of evidence, where it could have here. */
  caveats: readonly string[];
  /** For silence: causes in order of likelihood, each with the test that decides it. */
  candidates: readonly SilenceCandidate[];
  /** What to type next. */
  nextCommands: readonly string[];
  fixes: readonly string[];
}>;

const isPrediction = (prediction: AddressPrediction | Fault): prediction is AddressPrediction =>
  "order" in prediction;

const list = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

const counted = (count: number): string =>
  ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][count] ?? String(count);

/** Node names in a sentence; of many only the first, and how many more. */
export const nodeNames = (nodes: readonly string[]): string =>
  nodes.length > 6 ? `${nodes.slice(0, 5).join(", ")} and ${nodes.length - 5} more` : list(nodes);

/** Nodes that a MAC could belong to. Many are counted: the notes name them, once. */
export const anyOf = (nodes: readonly string[]): string =>
  nodes.length > 3 ? `any of ${nodes.length} nodes that were not read` : list(nodes);

/** `karstark eth0`, or what is known instead of it. */
export function ownerText(ownership: MacOwnership): string {
  switch (ownership.kind) {
    case "node":
      return `${ownership.owner.node} ${ownership.owner.nic}`;
    case "several-nodes":
      return `same MAC on ${list(ownership.owners.map(({ node, nic }) => `${node} ${nic}`))}`;
    case "could-be":
      return `unknown: could be ${anyOf(ownership.nodes)}`;
    case "nobody":
      return "no node has it";
  }
}

type Core = Pick<ArpVerdict, "code" | "headline" | "why"> &
  Partial<Pick<ArpVerdict, "node" | "nic" | "candidates" | "nextCommands" | "fixes">>;

/**
 * Says who answers for an address, from evidence alone: the wire first, then status, event and prediction against it.
 * Pure; whatever could not be seen makes the verdict `could-not-look` and never a pass, never silence.
 */
export function judge(evidence: ArpEvidence): ArpVerdict {
  const prediction = isPrediction(evidence.prediction) ? evidence.prediction : undefined;
  const answers: readonly JudgedAnswer[] =
    evidence.wire.kind === "looked"
      ? evidence.wire.answers.map((answer) => ({ ...answer, ownership: evidence.table.ownerOf(answer.mac) }))
      : [];
  const core = coreVerdict(evidence, answers, prediction);
  const [predicted, next] = prediction?.order ?? [];
  return {
    candidates: [],
    nextCommands: [],
    fixes: [],
    ...core,
    answers,
    ...(predicted === undefined ? {} : { predicted }),
    ...(next === undefined ? {} : { next }),
    disagreements: disagreements(evidence, answers, prediction),
    caveats: caveats(evidence, answers),
  };
}

const couldNotLook = (headline: string, why: string): Core => ({ code: "could-not-look", headline, why });

function coreVerdict(
  evidence: ArpEvidence,
  answers: readonly JudgedAnswer[],
  prediction: AddressPrediction | undefined,
): Core {
  const { wire, ip } = evidence;
  if (ip.includes(":"))
    return couldNotLook("NDP is not probed", "ARP is IPv4 only; nothing is known about who answers for it.");
  if (wire.kind === "not-looked")
    return couldNotLook(
      "could not look at the wire",
      `${evidence.vantage ? `${evidence.vantage.name}: ` : ""}${wire.fault.what}: ${wire.fault.detail}`,
    );
  if (wire.sent < 1) return couldNotLook("could not look at the wire", "Not one request was sent.");
  if (answers.length === 0) return silent(evidence, prediction);

  const proxied = answers.filter(({ mac }) => wire.unusedAnswers?.includes(mac));
  const [proxy] = proxied;
  if (proxy)
    return {
      code: "proxy-arp",
      headline: `${proxy.mac} answers for every address, this one included`,
      why:
        `It answered for ${evidence.site.unusedAddress ?? "an address nobody uses"} too: proxy ARP on ` +
        `${proxy.ownership.kind === "node" ? ownerText(proxy.ownership) : "a router, bridge or access point"}. Who else announces cannot be told through it.`,
      nextCommands: proxy.ownership.kind === "node" ? [`/nodes check ${proxy.ownership.owner.node}`] : [],
    };
  return answers.length === 1
    ? single(evidence, answers[0] as JudgedAnswer, prediction)
    : several(evidence, answers);
}

/** Whether ARP on the vantage's segment can be about the address at all. */
function onSegment({ ip, site, silence: { route, vantageNic } }: ArpEvidence): boolean {
  if (vantageNic?.onLan === false) return false;
  if (route !== undefined && route.kind === "on-link") return true;
  const prefix = parseAddresses(site.lanPrefix);
  const address = parseIp(ip);
  return address !== undefined && !("error" in prefix) && prefix.some((range) => contains(range, address));
}

function silent(evidence: ArpEvidence, prediction: AddressPrediction | undefined): Core {
  const self = evidence.vantage?.clusterNode;
  if (self !== undefined) {
    const announcers = [
      ...claimedNodes(evidence.status),
      ...claimedNodes(evidence.event),
      ...(prediction?.order.slice(0, 1) ?? []),
    ];
    if (announcers.length === 0 || announcers.includes(self))
      return couldNotLook(
        `no answer, but ${self} may be the announcer itself`,
        "A node gets no answer for an address that it announces. Look from a vantage outside the cluster.",
      );
  }
  if (evidence.service === undefined && evidence.silence.assigned === false)
    return onSegment(evidence)
      ? {
          code: "free",
          headline: "free: nobody answers, and no Service has it",
          why: "",
          nextCommands: [],
        }
      : couldNotLook(
          "nobody answers, and no Service has it",
          `It is outside ${evidence.site.lanPrefix}, so nobody on this segment would answer for it anyway.`,
        );
  const candidates = silenceCandidates({ ...evidence, prediction });
  const [first] = candidates;
  return {
    code: "silence",
    headline: "nobody answers",
    why: first ? `${first.seen ? "" : "Most likely: "}${first.text}` : "Nothing that was read explains it.",
    candidates,
    nextCommands: prediction?.order[0] ? [`/nodes check ${prediction.order[0]}`] : [],
  };
}

function several(evidence: ArpEvidence, answers: readonly JudgedAnswer[]): Core {
  const strangers = answers.filter(({ ownership }) => ownership.kind === "nobody");
  const vague = answers.filter(
    ({ ownership }) => ownership.kind === "could-be" || ownership.kind === "several-nodes",
  );
  const owners = answers.flatMap(({ ownership }) => (ownership.kind === "node" ? [ownership.owner] : []));
  const nodes = [...new Set(owners.map(({ node }) => node))];
  const [node] = nodes;
  const check = nodes.map((each) => `/nodes check ${each}`);
  if (strangers.length > 0)
    return {
      code: "foreign-mac",
      headline: `${list(strangers.map(({ mac }) => mac))} answers, and no node has that MAC`,
      why:
        (owners.length > 0 ? `${list(owners.map((o) => `${o.node} ${o.nic}`))} answers as well. ` : "") +
        "Another machine uses this address, or a device answers in its place (proxy ARP).",
      nextCommands: check,
    };
  if (vague.length > 0)
    return {
      code: "two-macs",
      headline: `${counted(answers.length)} MACs answer`,
      why: `Whose they are is not certain: ${list(vague.map(({ mac, ownership }) => `${mac} is ${ownerText(ownership)}`))}.`,
      nextCommands: check,
    };
  if (nodes.length > 1 || node === undefined)
    return {
      code: "two-nodes",
      headline: `${counted(nodes.length)} nodes answer: ${list(nodes)}`,
      why:
        sharedSplit(evidence, nodes) ??
        (nodes.length > 2 && nodes.length === evidence.table.nodes.length
          ? "Every node answers: kube-proxy in IPVS mode without strictARP does that."
          : "Split brain: their speakers do not see each other, or a second program announces the address."),
      nextCommands: check,
    };
  const nics = owners.map(({ nic }) => nic);
  const right = rightNic(evidence, node, nics);
  const wrong = nics.filter((nic) => nic !== right);
  return {
    code: "two-nics",
    headline: `${counted(nics.length)} MACs answer, ${nics.length === 2 ? "both" : "all"} on ${node}`,
    why: right
      ? `${right} is right. ${list(wrong)} answers too: caches will flap between them.`
      : `${list(nics)} answer: caches will flap between them. Which one is right is not certain; name it under site.lanNic.`,
    node,
    nextCommands: check,
    fixes: wrong.some((nic) => /^wl/.test(nic)) ? [`/nodes fix ${node} wired-and-wifi`] : [],
  };
}

/** Services on one address elect separately, and their winners differ (metallb#598): then each of them answers. */
function sharedSplit(evidence: ArpEvidence, nodes: readonly string[]): string | undefined {
  const all = [...(isPrediction(evidence.prediction) ? [evidence.prediction] : []), ...evidence.sharing];
  const elected = new Set(all.flatMap(({ order }) => order.slice(0, 1)));
  if (elected.size < 2 || !nodes.every((node) => elected.has(node))) return undefined;
  return `Services that share the address elect different nodes: ${list(
    all.map(({ service, order }) => `${service} elects ${order[0] ?? "nobody"}`),
  )}.`;
}

/** The NIC that should answer: what the advertisements limit it to, else the node's LAN NIC where that is certain. */
function rightNic(evidence: ArpEvidence, node: string, among: readonly string[]): string | undefined {
  const limited = isPrediction(evidence.prediction) ? evidence.prediction.interfaces[node] : undefined;
  if (limited !== undefined && limited !== "all") {
    const fitting = among.filter((nic) => limited.includes(nic));
    if (fitting.length === 1) return fitting[0];
  }
  const nics = evidence.table.nicsOf(node);
  const lan = nics && theLanNic(node, nics, evidence.site)?.name;
  return lan !== undefined && among.includes(lan) ? lan : undefined;
}

function single(
  evidence: ArpEvidence,
  answer: JudgedAnswer,
  prediction: AddressPrediction | undefined,
): Core {
  const { ownership, mac } = answer;
  if (ownership.kind === "nobody")
    return {
      code: "foreign-mac",
      headline: `${mac} answers, and no node has that MAC`,
      why:
        evidence.wire.kind === "looked" && evidence.wire.unusedAnswers !== undefined
          ? "Another machine uses this address: a DHCP lease, a fixed address or another cluster."
          : "Another machine uses this address, or a device answers for many (proxy ARP); site.unusedAddress would tell which.",
    };
  if (ownership.kind === "could-be")
    return couldNotLook(
      `${mac} answers; ${ownerText(ownership)}`,
      `${ownership.nodes.length > 3 ? `${ownership.nodes.length} nodes` : list(ownership.nodes)} could not be read, so it is not known whether the MAC is a node's or a stranger's.`,
    );
  if (ownership.kind === "several-nodes")
    return couldNotLook(
      `${mac} answers; ${ownerText(ownership)}`,
      "A MAC must be unique on a segment: which node answers cannot be told.",
    );
  const { node, nic } = ownership.owner;
  const place = { node, nic };
  if (evidence.service === undefined && evidence.silence.assigned === false) {
    const own = evidence.table
      .nicsOf(node)
      ?.some(({ addresses }) => addresses.some(({ address }) => parseIp(address)?.text === evidence.ip));
    return own
      ? {
          ...place,
          code: "expected",
          headline: `${node} ${nic} answers: the address is ${node}'s own, and no Service has it`,
          why: "",
        }
      : {
          ...place,
          code: "elsewhere",
          headline: `${node} ${nic} answers, although no Service has the address`,
          why: "A speaker that kept what it had, another program (keepalived, kube-vip), or an address set by hand.",
          nextCommands: [`/nodes check ${node}`],
        };
  }
  if (prediction === undefined)
    return {
      ...place,
      code: "answered",
      headline: `${node} ${nic} answers; nothing to compare it with`,
      why: `Who should answer could not be predicted: ${(evidence.prediction as Fault).detail}`,
    };
  const [predicted, next] = prediction.order;
  if (predicted === undefined)
    return {
      ...place,
      code: "elsewhere",
      headline: `${node} ${nic} answers, although nobody should`,
      why: prediction.configError
        ? `MetalLB rejects its configuration (${prediction.configError}); speakers keep the last good one until they restart.`
        : `No node may announce it: ${list([...new Set(Object.values(prediction.why))].map(whyNotWords))}.`,
      nextCommands: [`/nodes check ${node}`],
    };
  if (node !== predicted)
    return {
      ...place,
      code: "elsewhere",
      headline: `${node} ${nic} answers, predicted was ${predicted}`,
      why: prediction.order.includes(node)
        ? `${node} is a candidate, but not the first: ${predicted}'s speaker is not in the member list, or did not announce.`
        : `${node} is no candidate${prediction.why[node] ? ` (${whyNotWords(prediction.why[node])})` : ""}; something else than MetalLB's election put the address there.`,
      nextCommands: [`/nodes check ${predicted}`],
    };
  const nics = evidence.table.nicsOf(node) ?? [];
  const lan = theLanNic(node, nics, evidence.site)?.name;
  const allowed = lanNics(node, nics, evidence.site).map(({ name }) => name);
  const limited = prediction.interfaces[node];
  const permitted = limited === undefined || limited === "all" || limited.includes(nic);
  if (!permitted || (lan !== undefined && nic !== lan) || (lan === undefined && !allowed.includes(nic)))
    return {
      ...place,
      code: "wrong-nic",
      headline: `${node} answers on ${nic}${lan === undefined || lan === nic ? "" : `, not on ${lan}`}`,
      why: permitted
        ? `The node is right, the interface is not: ${nic} is not its LAN NIC.`
        : `The advertisements allow ${list(limited as readonly string[])} on ${node}, and ${nic} is none of them.`,
      nextCommands: [`/nodes check ${node}`],
    };
  return {
    ...place,
    code: "expected",
    headline: `${node} ${nic} answers, as predicted (next: ${next ?? "nobody"})`,
    why: next === undefined ? "No other node could take over." : "",
  };
}

/** The nodes that a MAC may belong to without it being certain. */
export const couldBeOf = (ownership: MacOwnership): readonly string[] =>
  ownership.kind === "could-be"
    ? ownership.nodes
    : ownership.kind === "several-nodes"
      ? ownership.owners.map(({ node }) => node)
      : [];

/** Who answers where no MAC is certainly a node's: `unknown (could be cargyll)`, or the MAC of no node. */
export function wireWords(answers: readonly JudgedAnswer[]): string {
  const possible = [...new Set(answers.flatMap(({ ownership }) => couldBeOf(ownership)))];
  return possible.length === 0 ? "a MAC of no node" : `unknown (could be ${anyOf(possible)})`;
}

function disagreements(
  evidence: ArpEvidence,
  answers: readonly JudgedAnswer[],
  prediction: AddressPrediction | undefined,
): readonly string[] {
  const wire = [
    ...new Set(answers.flatMap(({ ownership }) => (ownership.kind === "node" ? [ownership.owner.node] : []))),
  ];
  const looked = evidence.wire.kind === "looked" && !evidence.ip.includes(":");
  const out: string[] = [];
  const wireSays = wire.length > 0 ? list(wire) : answers.length > 0 ? wireWords(answers) : "nobody";
  // A MAC that could be the named node's contradicts nobody.
  const open = (nodes: readonly string[]): boolean =>
    answers.some(({ ownership }) => nodes.some((node) => couldBeOf(ownership).includes(node)));
  const against = (source: string, claim: Claim) => {
    const nodes = claimedNodes(claim);
    if (nodes.length === 0 || open(nodes)) return;
    const tied = claim.kind === "nodes" && claim.oneOf === true;
    if (tied && wire.length === 1 && nodes.includes(wire[0] ?? "")) return;
    const doubts = claim.kind === "node" || claim.kind === "nodes" ? claim.doubts : [];
    const doubt = doubts.length === 0 ? "" : ` (${doubts.join("; ")})`;
    if (looked && (wire.length !== nodes.length || nodes.some((node) => !wire.includes(node))))
      out.push(
        `${source} says ${tied ? nodes.join(" or ") : list(nodes)}, the wire says ${wireSays}${doubt}`,
      );
  };
  against("status", evidence.status);
  against("event", evidence.event);
  const predicted = prediction?.order[0];
  if (looked && prediction) {
    if (predicted === undefined && wire.length > 0)
      out.push(`prediction says nobody, the wire says ${wireSays}`);
    if (predicted !== undefined && !open([predicted]) && (wire.length !== 1 || wire[0] !== predicted))
      out.push(`prediction says ${predicted}, the wire says ${wireSays}`);
  }
  const status = claimedNodes(evidence.status);
  const event = claimedNodes(evidence.event);
  if (status.length > 0 && event.length > 0 && !status.some((node) => event.includes(node)))
    out.push(`status says ${list(status)}, the newest event says ${event.join(" or ")}`);
  return out;
}

function caveats(evidence: ArpEvidence, answers: readonly JudgedAnswer[]): readonly string[] {
  const out: string[] = [];
  for (const { ownership } of answers) {
    if (ownership.kind !== "node") continue;
    const { node, nic } = ownership.owner;
    const found = evidence.table.nicsOf(node)?.find(({ name }) => name === nic);
    if ((found?.promiscuity ?? 0) > 0)
      out.push(
        `${node} ${nic} is promiscuous (${found?.promiscuity}): a capture running there can make a Wi-Fi chip hear broadcasts it would miss`,
      );
  }
  const { wire, vantage } = evidence;
  if (wire.kind === "looked")
    for (const { mac, replies } of answers)
      if (replies < wire.sent)
        out.push(`${mac} answered ${replies} of ${wire.sent} requests: frames are lost somewhere`);
  if (vantage?.clusterNode !== undefined)
    out.push(
      `${vantage.name} is the cluster node ${vantage.clusterNode}: ARP evidence only, not reachability`,
    );
  for (const other of evidence.sharing)
    out.push(`${other.service} has the same address and elects ${other.order[0] ?? "nobody"}`);
  if (vantage?.place === "lan-wifi")
    out.push(`${vantage.name} is on Wi-Fi: access points filter or answer ARP themselves`);
  if (wire.kind === "looked" && answers.length !== 1)
    out.push("clients with a warm ARP cache keep what they learnt, whatever answers now");
  return out;
}
