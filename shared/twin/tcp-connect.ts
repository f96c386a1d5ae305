import { addressesOf, isWorking, type Machine, routeTo } from "./machine.ts";
import type { Reach, ServedAddress } from "./reach.ts";

/** What the kernel tells a program that connects; `silence` is known only by waiting. */
export type TcpAnswer = "open" | "refused" | "silence" | "no-route";

type Network = Readonly<{
  machines: readonly Machine[];
  gossipPort: (from: string, to: string) => TcpAnswer;
  /** Whether the router speaks BGP; it listens on the BGP port then. */
  routerSpeaksBgp: () => boolean;
  served: (ip: string) => ServedAddress | undefined;
  reach: (from: Machine, ip: string) => Reach;
}>;

const ssh = 22;
const memberlist = 7946;
const bgp = 179;

/** A LoadBalancer address: kube-proxy rejects where no endpoint is, and lets other ports than the Service's pass by. */
function serviceConnect(
  network: Network,
  served: ServedAddress,
  from: Machine,
  ip: string,
  port: number,
): TcpAnswer {
  const way = network.reach(from, ip);
  if (!way.ok && way.because === "no-route" && way.path.length <= 1) return "no-route";
  if (!served.ports.includes(port)) return "silence";
  if (way.ok) return served.listens(port) ? "open" : "refused";
  return way.because === "no-endpoint" ? "refused" : "silence";
}

/**
 * Opens a port of another machine, where SSH, the speakers' port and the router's BGP are modelled and nobody listens on others, or of a
 * Service's address.
 */
export function tcpConnect(network: Network, from: Machine, ip: string, port: number): TcpAnswer {
  const served = network.served(ip);
  const isMachines = network.machines.some((each) => each.nics.flatMap(addressesOf).includes(ip));
  // kube-proxy takes a Service's ports alone: others of a machine's own address reach the machine.
  if (served !== undefined && !(isMachines && !served.ports.includes(port)))
    return serviceConnect(network, served, from, ip, port);
  const route = routeTo(from, ip);
  if (route === undefined) return "no-route";
  const target =
    route.type === "local"
      ? from
      : network.machines.find((each) => each.nics.flatMap(addressesOf).includes(ip));
  if (target === undefined) return "silence";
  const leavesBy = from.nics.find((nic) => route.type === "unicast" && nic.name === route.dev);
  const arrivesAt = target.nics.find((nic) => addressesOf(nic).includes(ip));
  if (leavesBy !== undefined && !isWorking(from, leavesBy)) return "silence";
  if (arrivesAt !== undefined && target !== from && !isWorking(target, arrivesAt)) return "silence";
  if (target.hung || target.spec.droppedPorts?.includes(port) === true) return "silence";
  if (port === ssh) return "open";
  if (port === bgp && target.kind === "router") return network.routerSpeaksBgp() ? "open" : "refused";
  return port === memberlist ? network.gossipPort(from.name, target.name) : "refused";
}
