import { addressesOf, isLocal, type Machine } from "./machine.ts";
import type { Reach } from "./reach.ts";

/** What comes back for an echo request that may pass `ttl - 1` machines. */
export type EchoAnswer =
  | Readonly<{ kind: "answer"; ttl: number }>
  | Readonly<{ kind: "error"; from: string; because: string }>
  | Readonly<{ kind: "silence" }>
  | Readonly<{ kind: "no-route" }>;

/** The address a machine sends its errors from: that of the interface towards where the packet came from. */
function addressTowards(machine: Machine, previous: Machine): string | undefined {
  const segments = previous.nics.map(({ segment }) => segment);
  const facing = machine.nics.find(
    (nic) => nic.segment !== undefined && segments.includes(nic.segment) && addressesOf(nic).length > 0,
  );
  return (facing === undefined ? machine.nics.flatMap(addressesOf) : addressesOf(facing))[0];
}

/**
 * Sends an echo request along a way. The node that announces an address has it on no interface, so it counts as a hop
 * and answers nothing itself, unless IPVS puts it on one.
 */
export function echo(machines: readonly Machine[], way: Reach, ip: string, ttl: number): EchoAnswer {
  const path = way.path.flatMap((name) => machines.find((machine) => machine.name === name) ?? []);
  const last = path.at(-1);
  const answers = last !== undefined && isLocal(last, ip);
  if (path.length <= 1 && !way.ok && way.because === "no-route") return { kind: "no-route" };
  // Machines that the packet passes: all on the way but the one that has the address.
  const hops = path.slice(1, answers ? -1 : undefined).filter(({ powered }) => powered);
  const dropper = hops[ttl - 1];
  if (dropper !== undefined) {
    const from = addressTowards(dropper, path[path.indexOf(dropper) - 1] ?? dropper);
    return from === undefined
      ? { kind: "silence" }
      : { kind: "error", from, because: "Time to live exceeded" };
  }
  if (answers && last.powered) return { kind: "answer", ttl: 64 - hops.length };
  if (!way.ok && way.because === "no-route" && last !== undefined && path.length > 1) {
    const from = addressTowards(last, path.at(-2) ?? last);
    if (from !== undefined) return { kind: "error", from, because: "Destination Net Unreachable" };
  }
  return { kind: "silence" };
}
