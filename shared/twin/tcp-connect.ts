import { addressesOf, isWorking, type Machine, routeTo } from "./machine.ts";

/** What the kernel tells a program that connects; `silence` is known only by waiting. */
export type TcpAnswer = "open" | "refused" | "silence" | "no-route";

type Network = Readonly<{
  machines: readonly Machine[];
  gossipPort: (from: string, to: string) => TcpAnswer;
}>;

const ssh = 22;
const memberlist = 7946;

/** Opens a port of another machine: SSH and the speakers' port are modelled, nobody listens on others. */
export function tcpConnect(network: Network, from: Machine, ip: string, port: number): TcpAnswer {
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
  return port === memberlist ? network.gossipPort(from.name, target.name) : "refused";
}
