import { FaultError } from "../fault.ts";
import { commandFailure, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** Programs that probes of the catalogue call on a node. */
export const nodeTools = ["arping", "tcpdump", "ip", "timeout", "nc"] as const;

/** Where root's search path looks; a login shell of somebody else often leaves the `sbin` folders out. */
const folders = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/run/current-system/sw/bin",
];

/** Paths by program; a program without an entry is not installed where root's search path would find it. */
export type InstalledTools = ReadonlyMap<string, string>;

/** `find` names itself among the tools, which proves that the search really looked. */
export const nodeToolsProbe: Probe<readonly [], InstalledTools> = {
  id: "tools",
  tool: "find",
  about: "which of the programs that probes need are installed",
  sample: [],
  argv: () => ({
    argv: [
      "find",
      ...folders,
      "-maxdepth",
      "1",
      "(",
      ...["find", ...nodeTools].flatMap((tool, i) => (i === 0 ? ["-name", tool] : ["-o", "-name", tool])),
      ")",
    ],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const found = new Map<string, string>();
    for (const path of output.stdout.split("\n")) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (path.startsWith("/") && !found.has(name)) found.set(name, path);
    }
    if (!found.has("find")) {
      // Folders that do not exist are complained of, so only a search without result is looked at for other trouble.
      const fault = commandFailure(output, "find");
      throw fault ? new FaultError(fault) : unreadable("tools", "the search did not even find itself");
    }
    return found;
  },
};
