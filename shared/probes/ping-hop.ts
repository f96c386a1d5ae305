import { FaultError } from "../fault.ts";
import { checkedAddress } from "./checked-argument.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** What came back for a packet that may pass `ttl - 1` routers. */
export type Hop =
  /** The machine that had to drop it: the hop of that number. */
  | Readonly<{ kind: "hop"; from: string }>
  | Readonly<{ kind: "answer"; from: string }>
  /** A machine on the way says that it goes no further. */
  | Readonly<{ kind: "unreachable"; from: string; because: string }>
  /** Nothing within the second: dropped, or a machine that does not say. */
  | Readonly<{ kind: "silence" }>
  | Readonly<{ kind: "no-route"; because: string }>;

const checkedTtl = (ttl: number): string => {
  if (Number.isInteger(ttl) && ttl >= 1 && ttl <= 255) return String(ttl);
  throw new FaultError({ kind: "unreadable", what: "time to live", detail: `${ttl} is none` });
};

/**
 * One echo request with a limited time to live (ping of iputils). The node that answers ARP for a LoadBalancer address
 * shows up as a hop itself: the address is on no interface of it (captured in test/fixtures/hops).
 */
export const pingHop: Probe<readonly [address: string, ttl: number], Hop> = {
  id: "ping-hop",
  tool: "ping",
  about: "which machine a packet to an address reaches after so many hops",
  sample: ["10.4.11.1", 2],
  argv: (address, ttl) => ({
    argv: ["ping", "-n", "-c", "1", "-W", "1", "-t", checkedTtl(ttl), checkedAddress(address)],
    privileged: false,
    timeoutMs: 6_000,
  }),
  read: (output) => {
    const route = /^ping: (?:connect|sendmsg): ((?:network|host) is unreachable|no route to host)/im.exec(
      output.stderr,
    )?.[1];
    if (output.exitCode === 2 && route !== undefined) return { kind: "no-route", because: route };
    const fault = commandFailure(output, "ping");
    if (fault) throw new FaultError(fault);
    const said = output.stdout;
    const sent = /^(\d+) packets transmitted, \d+ received.*packet loss, time \d+ms$/m.exec(said)?.[1];
    if (sent === undefined)
      throw said.startsWith("PING ")
        ? new FaultError({ kind: "truncated", what: "ping", detail: "its summary is missing" })
        : unreadable("ping", firstLine(output.stderr) || firstLine(said) || "printed nothing");
    const answer = /^\d+ bytes from ([0-9A-Fa-f.:]+): /m.exec(said)?.[1];
    if (answer !== undefined) return { kind: "answer", from: answer };
    const [, from, because] = /^From ([0-9A-Fa-f.:]+?):? icmp_seq=\d+ (.+)$/m.exec(said) ?? [];
    if (from === undefined || because === undefined) return { kind: "silence" };
    return /time to live exceeded|hop limit/i.test(because)
      ? { kind: "hop", from }
      : { kind: "unreachable", from, because: firstLine(because) };
  },
};
