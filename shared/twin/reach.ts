import type { Clock } from "../clock.ts";
import type { Machine, Neighbour, Nic } from "./machine.ts";
import { addressesOf, isLocal, isWorking, reversePathAccepts, routeTo, transmit } from "./machine.ts";
import type { ArpFrame } from "./segment.ts";
import { broadcastMac } from "./segment.ts";

/** Why a client gets no connection. */
export type Unreached =
  /** The machine itself is off or has no route. */
  | "off"
  | "no-route"
  /** Nobody answers ARP for the next hop. */
  | "no-answer"
  /** The neighbour cache still points at a machine that is gone. */
  | "dead-neighbour"
  /** The MAC that answered belongs to no machine of the cluster. */
  | "foreign-mac"
  /** The machine that got the packet does not serve the address. */
  | "not-served"
  | "no-endpoint"
  /** rp_filter drops what came in on an interface that the way back does not use. */
  | "reverse-path"
  | "loop";

export type Reach =
  | Readonly<{ ok: true /** Machines the packet went through, the client first. */; path: readonly string[] }>
  | Readonly<{ ok: false; because: Unreached; path: readonly string[] }>;

/** A LoadBalancer address as kube-proxy knows it. */
export type ServedAddress = Readonly<{
  local: boolean;
  /** Nodes with an endpoint that Kubernetes takes for ready. */
  readyOn: readonly string[];
  /** TCP ports of the Service. */
  ports: readonly number[];
  /** Whether a container behind the port listens where the Service leads. */
  listens: (port: number) => boolean;
}>;

export type Network = Readonly<{
  clock: Clock;
  machines: readonly Machine[];
  served: (ip: string) => ServedAddress | undefined;
  /** Nodes that the router has a BGP route through for the address. */
  bgpNextHops: (ip: string) => readonly string[];
}>;

/** A cached neighbour that stopped answering: 5 s delay and three probes a second apart before Linux gives it up. */
const neighbourDeathMs = 8_000;

const machineWithMac = (machines: readonly Machine[], mac: string, on: Nic) => {
  for (const machine of machines)
    for (const nic of machine.nics)
      if (nic.mac === mac && nic.segment === on.segment) return { machine, nic };
  return undefined;
};

/** Asks by ARP as the kernel does; the first answer wins, later ones fall into the lock time. */
function resolve(machine: Machine, nic: Nic, ip: string): string | undefined {
  const answers: ArpFrame[] = [];
  const tap = {
    promiscuous: false,
    see: (frame: ArpFrame, _at: number, direction: string) => {
      if (direction === "in" && frame.operation === "reply" && frame.senderIp === ip) answers.push(frame);
    },
  };
  const route = routeTo(machine, ip);
  nic.taps.add(tap);
  transmit(machine, nic, {
    destination: broadcastMac,
    source: nic.mac,
    operation: "request",
    senderMac: nic.mac,
    senderIp: (route?.type === "unicast" ? route.prefsrc : undefined) ?? addressesOf(nic)[0] ?? "0.0.0.0",
    targetMac: "00:00:00:00:00:00",
    targetIp: ip,
    payloadBytes: 28,
  });
  nic.taps.delete(tap);
  return answers[0]?.senderMac;
}

const isAlive = (network: Network, nic: Nic, mac: string): boolean => {
  const owner = machineWithMac(network.machines, mac, nic);
  return owner === undefined || isWorking(owner.machine, owner.nic);
};

function neighbourOf(
  network: Network,
  machine: Machine,
  nic: Nic,
  ip: string,
): Readonly<{ mac: string }> | "no-answer" | "dead-neighbour" {
  const known = machine.neighbours.find((entry) => entry.dst === ip && entry.dev === nic.name);
  if (known?.lladdr !== undefined) {
    if (isAlive(network, nic, known.lladdr)) {
      delete known.failingSince;
      return { mac: known.lladdr };
    }
    known.failingSince ??= network.clock.now();
    if (network.clock.now() - known.failingSince < neighbourDeathMs) return "dead-neighbour";
  }
  const entry: Neighbour = known ?? { dst: ip, dev: nic.name, state: "INCOMPLETE" };
  if (known === undefined) machine.neighbours.push(entry);
  delete entry.failingSince;
  const mac = resolve(machine, nic, ip);
  if (mac === undefined) {
    delete entry.lladdr;
    entry.state = "FAILED";
    return "no-answer";
  }
  entry.lladdr = mac;
  entry.state = "REACHABLE";
  return { mac };
}

/** One of many routes, the same for the same connection. */
function spread(key: string): number {
  let hash = 2_166_136_261;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16_777_619) >>> 0;
  return hash >>> 8;
}

const serving = (network: Network, node: string, served: ServedAddress): boolean => {
  const alive = served.readyOn.filter(
    (name) => network.machines.find((machine) => machine.name === name)?.powered === true,
  );
  return served.local ? alive.includes(node) : alive.length > 0;
};

/**
 * What a client on a machine feels when it opens a connection to an address: the packet goes where routes, neighbour
 * caches and answers lead it. A cluster node never leaves itself, kube-proxy short-circuits the address there. A router
 * with several routes to the address spreads connections over them, by addresses and `flow`.
 */
export function reach(network: Network, from: Machine, ip: string, flow = 0): Reach {
  const path: string[] = [];
  let machine = from;
  let arrivedOn: Nic | undefined;
  const source = from.nics.flatMap(addressesOf)[0];
  const fail = (because: Unreached): Reach => ({ ok: false, because, path });
  for (;;) {
    if (path.includes(machine.name)) return fail("loop");
    path.push(machine.name);
    if (!machine.powered) return fail("off");
    const served = network.served(ip);
    if (machine.kind === "node" && served !== undefined) {
      if (arrivedOn !== undefined && source !== undefined && !reversePathAccepts(machine, arrivedOn, source))
        return fail("reverse-path");
      return serving(network, machine.name, served) ? { ok: true, path } : fail("no-endpoint");
    }
    if (isLocal(machine, ip)) return { ok: true, path };
    if (machine.kind !== "router" && arrivedOn !== undefined) return fail("not-served");
    const hops = machine.kind === "router" ? network.bgpNextHops(ip) : [];
    const hop = hops[spread(`${source} ${ip} ${flow}`) % hops.length];
    const next = hop === undefined ? undefined : network.machines.find(({ name }) => name === hop);
    const target = next === undefined ? ip : (next.nics.flatMap(addressesOf)[0] ?? ip);
    const route = routeTo(machine, target);
    if (route?.type !== "unicast") return fail("no-route");
    const nic = machine.nics.find(({ name }) => name === route.dev);
    if (nic === undefined) return fail("no-route");
    const neighbour = neighbourOf(network, machine, nic, route.gateway ?? target);
    if (typeof neighbour === "string") return fail(neighbour);
    const owner = machineWithMac(network.machines, neighbour.mac, nic);
    if (owner === undefined) return fail("foreign-mac");
    machine = owner.machine;
    arrivedOn = owner.nic;
  }
}
