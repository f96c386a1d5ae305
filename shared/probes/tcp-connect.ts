import { FaultError } from "../fault.ts";
import { checkedAddress } from "./checked-argument.ts";
import { nodeMemberlist, type PortState } from "./node-memberlist.ts";
import type { Probe } from "./probe.ts";

/** How long one connection may take. A lost first packet is sent again after a second, so a client waits as long. */
export const connectSeconds = 1;

const checkedPort = (port: number): string => {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return String(port);
  throw new FaultError({ kind: "unreadable", what: "TCP port", detail: `${port} is none` });
};

/** Opens one new TCP connection and closes it: what a client that comes new would feel. Sends no data. */
export const tcpConnect: Probe<readonly [address: string, port: number], PortState> = {
  id: "tcp-connect",
  tool: "nc",
  about: "whether a new TCP connection to an address opens",
  sample: ["10.4.11.1", 80],
  argv: (address, port) => ({
    argv: ["nc", "-z", "-v", "-w", String(connectSeconds), checkedAddress(address), checkedPort(port)],
    privileged: false,
    timeoutMs: (connectSeconds + 4) * 1_000,
  }),
  read: nodeMemberlist.read,
};
