import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

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
    const fault = commandFailure(output, "find");
    if (fault) throw new FaultError(fault);
    for (const path of wholeLines(output, "tools")) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (!folders.some((folder) => path === `${folder}/${name}`))
        throw unreadable("tools", `not a path that was asked for: ${firstLine(path)}`);
      if (!found.has(name)) found.set(name, path);
    }
    if (!found.has("find")) throw unreadable("tools", "the search did not even find itself");
    return found;
  },
};
