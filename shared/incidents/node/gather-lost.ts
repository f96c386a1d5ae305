import { sharedFrameBudget } from "../../arp/frame-budget.ts";
import { type Investigation, investigate, look } from "../../arp/investigate.ts";
import { sharedSingleFlight } from "../../arp/single-flight.ts";
import { inParallel, readSurroundings, type Surroundings } from "../../arp/surroundings.ts";
import { arpVantages, nodeOf, type ReadyVantage, readyVantage } from "../../arp/vantage.ts";
import { type Fault, FaultError, isFault } from "../../fault.ts";
import type { ResourceKind } from "../../kubernetes/kinds.ts";
import type { Listed, ReadCluster } from "../../kubernetes/read.ts";
import type { Answer } from "../../probes/answer.ts";
import type { Nic } from "../../probes/ip-addr.ts";
import type { PortState } from "../../probes/node-memberlist.ts";
import { type Hop, pingHop } from "../../probes/ping-hop.ts";
import type { Probe } from "../../probes/probe.ts";
import { tcpConnect } from "../../probes/tcp-connect.ts";
import type { Vantage } from "../../site/site.ts";
import { changeKinds } from "../recent-changes.ts";
import type { DiagnoseOptions, DiagnosePorts } from "../runbook.ts";
import { type Carried, type Election, electionWith } from "./carried.ts";
import { type NodeState, readNodeState } from "./node-state.ts";

/** What a vantage outside the cluster found of the node itself. */
export type FromOutside = Readonly<{ vantage: Vantage; ping: Answer<Hop>; ssh: Answer<PortState> }>;

/** Who answers ARP for the node's InternalIP, and whether the vantage hears anybody at all. */
export type HeardByArp = Readonly<{
  vantage: Vantage;
  macs: readonly string[];
  sent: number;
  /** Another node was asked for in the same way. Without an answer of it silence proves nothing. */
  control: Readonly<{ node: string; answered: boolean }> | undefined;
}>;

export type LostEvidence = Readonly<{
  node: string;
  now: number;
  lists: Readonly<Partial<Record<ResourceKind, Listed>>>;
  /** `absent`: the API lists nodes, and none of this name. */
  state: NodeState | "absent" | Fault;
  surroundings: Surroundings;
  ssh: Answer<readonly Nic[]>;
  arp: HeardByArp | Fault;
  outside: readonly FromOutside[];
  election: Election | Fault;
  /** The addresses that it carried, each with what the wire says; at most {@link mostAddresses}. */
  addresses: readonly Readonly<{ carried: Carried; seen: Investigation }>[];
  /** Carried, and not asked for on the wire. */
  unasked: readonly Carried[];
}>;

/** One arping each; more would keep somebody waiting who was woken for this. */
export const mostAddresses = 6;

const requests = 2;
const echoHops = 64;
const sshPort = 22;

/** Everything that {@link gatherLost} and the last hour's changes are read from. */
export const lostKinds: readonly ResourceKind[] = [...changeKinds, "endpointslices"];

/** Answers from lists that were read already: nobody lists the same thing twice for one question. */
export const readFrom = (lists: Readonly<Partial<Record<ResourceKind, Listed>>>): ReadCluster =>
  (async (kinds: readonly ResourceKind[]) => {
    const missing = (kind: ResourceKind): Fault => ({
      kind: "not-configured",
      what: `list of ${kind}`,
      detail: "it was not asked for",
    });
    return Object.fromEntries(kinds.map((kind) => [kind, lists[kind] ?? missing(kind)]));
  }) as ReadCluster;

/** The Node as the API has it, that there is none, or why nobody can tell. */
export function nodeStateIn(listed: Listed | undefined, node: string): NodeState | "absent" | Fault {
  const what = "list of nodes";
  if (listed === undefined) return { kind: "not-configured", what, detail: "it was not asked for" };
  if (isFault(listed)) return listed;
  if (listed.length === 0)
    return { kind: "unreadable", what, detail: "the API server listed none, which no running cluster does" };
  const found = listed.find(({ metadata }) => metadata.name === node);
  if (found === undefined) return "absent";
  return (
    readNodeState(found) ?? {
      kind: "unreadable",
      what: `Node ${node}`,
      detail: "its object has no usual shape",
    }
  );
}

type Ports = DiagnosePorts & Readonly<{ signal: AbortSignal }>;

async function tell<const Args extends readonly unknown[], Evidence>(
  ports: Ports,
  vantage: Vantage,
  probe: Probe<Args, Evidence>,
  ...args: Args
): Promise<Answer<Evidence>> {
  try {
    const target = { kind: "vantage", name: vantage.name } as const;
    return { ok: true, evidence: probe.read(await ports.shell(target, probe.argv(...args), ports)) };
  } catch (error) {
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}

async function ready(ports: Ports): Promise<readonly ReadyVantage[] | Fault> {
  const vantages = arpVantages(ports.config.vantages);
  if (vantages.length === 0)
    return {
      kind: "not-configured",
      what: "vantage",
      detail: "none is configured on the LAN, and ARP is seen from nowhere else",
    };
  const asked = await Promise.all(
    vantages.map(async (vantage): Promise<ReadyVantage | Fault> => {
      try {
        return await readyVantage(ports, vantage);
      } catch (error) {
        if (error instanceof FaultError) return error.fault;
        throw error;
      }
    }),
  );
  const able = asked.filter((each): each is ReadyVantage => !isFault(each));
  const [fault] = asked.filter(isFault);
  return able.length > 0 || fault === undefined ? able : fault;
}

/** Another node that kubelet speaks for: if it is not heard either, the vantage is what is deaf. */
const controlFor = (listed: Listed | undefined, node: string): NodeState | undefined =>
  (listed === undefined || isFault(listed) ? [] : listed)
    .flatMap((object) => readNodeState(object) ?? [])
    .find((each) => each.name !== node && each.ready?.status === "True" && each.internalIp !== undefined);

async function hear(
  ports: Ports,
  vantage: ReadyVantage | undefined,
  ip: string,
  control: NodeState | undefined,
): Promise<HeardByArp | Fault> {
  if (vantage === undefined)
    return {
      kind: "not-configured",
      what: "vantage",
      detail: "the only ones on the LAN are the node itself",
    };
  const by = { ports, budget: sharedFrameBudget(ports.clock), flights: sharedSingleFlight(ports.clock) };
  const [asked, other] = await Promise.all([
    look(by, vantage, ip, requests),
    control?.internalIp === undefined ? undefined : look(by, vantage, control.internalIp, 1),
  ]);
  if (asked.wire.kind === "not-looked") return asked.wire.fault;
  const answered = other?.wire.kind === "looked" ? other.wire.answers.length > 0 : undefined;
  return {
    vantage: vantage.vantage,
    macs: asked.wire.answers.map(({ mac }) => mac),
    sent: asked.wire.sent,
    control: control === undefined || answered === undefined ? undefined : { node: control.name, answered },
  };
}

/** Everything at once: objects, SSH, ARP, ping and TCP; then the addresses that the node carried. Throws only bugs. */
export async function gatherLost(
  given: DiagnosePorts,
  node: string,
  lists: LostEvidence["lists"],
  { signal, show }: DiagnoseOptions,
): Promise<LostEvidence> {
  const ports: Ports = { ...given, signal };
  show(["asking the node, and others about it"]);
  const able = await ready(ports);
  const state = nodeStateIn(lists.nodes, node);
  const ip = isFault(state) || state === "absent" ? undefined : state.internalIp;
  const noAddress: Fault = isFault(state)
    ? state
    : {
        kind: "not-configured",
        what: `InternalIP of ${node}`,
        detail: state === "absent" ? "there is no Node object to read it from" : "the Node object names none",
      };
  const notTheNode = isFault(able) ? [] : able.filter(({ vantage }) => vantage.clusterNode !== node);
  const [surroundings, heard, outside] = await Promise.all([
    readSurroundings({ ...ports, read: readFrom(lists) }),
    isFault(able)
      ? able
      : ip === undefined
        ? noAddress
        : hear(ports, notTheNode[0], ip, controlFor(lists.nodes, node)),
    ip === undefined
      ? []
      : Promise.all(
          ports.config.vantages
            .filter(({ clusterNode }) => clusterNode === undefined)
            .map(async (vantage): Promise<FromOutside> => {
              const [ping, ssh] = await Promise.all([
                tell(ports, vantage, pingHop, ip, echoHops),
                tell(ports, vantage, tcpConnect, ip, sshPort),
              ]);
              return { vantage, ping, ssh };
            }),
        ),
  ]);
  const nics = surroundings.table.nicsOf(node);
  const unread = surroundings.table.unread.find((each) => each.node === node)?.fault;
  const ssh: Answer<readonly Nic[]> =
    nics !== undefined
      ? { ok: true, evidence: nics }
      : {
          ok: false,
          fault: unread ?? {
            kind: "not-configured",
            what: `ssh to ${node}`,
            detail: "neither the API nor the config says where it is",
          },
        };
  const election: Election | Fault = isFault(surroundings.prediction)
    ? surroundings.prediction
    : electionWith(surroundings.objects, node, "before");
  const carried = isFault(election) ? [] : election.carried;
  const first = carried.slice(0, mostAddresses);
  show(first.length === 0 ? ["judging"] : [`asking the wire for ${first.length} of its addresses`]);
  const whose = (each: ReadyVantage) => nodeOf(each, surroundings.table);
  const vantage =
    notTheNode.find((each) => whose(each) === undefined) ?? notTheNode.find((each) => whose(each) !== node);
  // A vantage with a MAC of the node is the node, whatever the config calls it: it cannot miss itself.
  const isItself = notTheNode[0] !== undefined && whose(notTheNode[0]) === node;
  const arp: HeardByArp | Fault =
    isItself && !isFault(heard)
      ? {
          kind: "not-configured",
          what: `vantage ${heard.vantage.name}`,
          detail: `it is ${node} itself, by its MAC`,
        }
      : heard;
  const options = {
    ports,
    surroundings,
    budget: sharedFrameBudget(ports.clock),
    flights: sharedSingleFlight(ports.clock),
    count: requests,
  };
  const blind: Fault = isFault(able)
    ? able
    : { kind: "not-configured", what: "vantage", detail: "none on the LAN that is not the node itself" };
  const addresses = await inParallel(first, mostAddresses, async (each) => ({
    carried: each,
    seen: await investigate(options, { ip: each.ip, service: each.service }, vantage ?? blind),
  }));
  return {
    node,
    now: ports.clock.now(),
    lists,
    state,
    surroundings,
    ssh,
    arp,
    outside,
    election,
    addresses,
    unasked: carried.slice(mostAddresses),
  };
}
