import { FaultError } from "../fault.ts";
import { checkedAddress } from "./checked-argument.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** Port on which speakers gossip about who is alive (metallb v0.16.1, speaker/main.go; TCP and UDP). */
export const memberlistPort = 7946;

/** `filtered`: nothing came back in the time, as a firewall that drops does; `refused`: nobody listens there. */
export type PortState = "open" | "refused" | "filtered" | "unreachable";

const seconds = 2;

const states: readonly (readonly [RegExp, PortState])[] = [
  [/connection refused/i, "refused"],
  [/timed out|timeout/i, "filtered"],
  [/no route to host|network is unreachable|host is unreachable|host is down/i, "unreachable"],
];

/**
 * Opens a TCP connection and closes it. Three programs are called nc; they agree on `-z -v -w`, on exit code 0 for open
 * and on the system's own words otherwise. One without `-z` prints its usage, which is a fault, never a closed port.
 */
export const nodeMemberlist: Probe<readonly [address: string], PortState> = {
  id: "memberlist-tcp",
  tool: "nc",
  about: "whether the speakers' port answers on a neighbour",
  sample: ["10.4.0.11"],
  argv: (address) => ({
    argv: ["nc", "-z", "-v", "-w", String(seconds), checkedAddress(address), String(memberlistPort)],
    privileged: false,
    timeoutMs: (seconds + 2) * 1_000,
  }),
  read: (output) => {
    const fault = commandFailure(output, "nc");
    if (fault) throw new FaultError(fault);
    const said = `${output.stderr}\n${output.stdout}`;
    // A usage text speaks of time-outs too.
    if (/usage:|(invalid|unrecognized) option/i.test(said)) throw unreadable("nc", firstLine(said));
    if (output.exitCode === 0 && /\b(succeeded|open|connected to)\b/i.test(said)) return "open";
    const state = output.exitCode === 0 ? undefined : states.find(([words]) => words.test(said))?.[1];
    if (state === undefined)
      throw unreadable("nc", firstLine(said) || `exit code ${output.exitCode} without a word`);
    return state;
  },
};
