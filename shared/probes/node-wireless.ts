import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

/**
 * The interfaces that the kernel says are wireless: `phy80211` links an interface to its radio, `wireless` is there with
 * drivers that speak wireless extensions. `find -L` complains of loops that `/sys` has, and exits with 1 for it.
 * `queues`, which every interface has, proves that the search really looked.
 */
export const nodeWireless: Probe<readonly [], readonly string[]> = {
  id: "wireless-nics",
  tool: "find",
  about: "which interfaces are wireless, by what the kernel says",
  sample: [],
  argv: () => ({
    argv: [
      ..."find -L /sys/class/net -mindepth 2 -maxdepth 2".split(" "),
      ..."( -name wireless -o -name phy80211 -o -name queues )".split(" "),
    ] as unknown as readonly [string, ...string[]],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const fault = commandFailure({ ...output, stderr: withoutLoops(output.stderr) }, "find");
    if (fault) throw new FaultError(fault);
    const nics = new Set<string>();
    let seen = 0;
    for (const text of wholeLines(output, "wireless interfaces")) {
      const [, nic, what] = /^\/sys\/class\/net\/([^/]+)\/(wireless|phy80211|queues)$/.exec(text) ?? [];
      if (nic === undefined) throw unreadable("wireless interfaces", `not a path: ${firstLine(text)}`);
      seen++;
      if (what !== "queues") nics.add(nic);
    }
    if (seen === 0)
      throw unreadable(
        "wireless interfaces",
        firstLine(output.stderr) || "no interface under /sys/class/net",
      );
    return [...nics].sort();
  },
};

const withoutLoops = (stderr: string): string =>
  stderr
    .split("\n")
    .filter((text) => !/loop detected/i.test(text))
    .join("\n");
