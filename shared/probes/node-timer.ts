import { FaultError } from "../fault.ts";
import { commandFailure, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

export type NodeTimers = Readonly<{ systemdRun: boolean; setsid: boolean }>;

/** Is everywhere, and is found last: what came before it is whole. */
const lastPath = "/dev/null";

/** `/run/systemd/system` is there exactly where systemd runs as the first process (sd_booted(3)). */
export const nodeTimer: Probe<readonly [], NodeTimers> = {
  id: "timer",
  tool: "find",
  about: "what the node can wait with: systemd's transient timers, or a process of its own",
  sample: [],
  argv: () => ({
    argv: [
      "find",
      "/run/systemd",
      "/usr/bin",
      lastPath,
      "-maxdepth",
      "1",
      "(",
      "-name",
      "system",
      "-o",
      "-name",
      "systemd-run",
      "-o",
      "-name",
      "setsid",
      "-o",
      "-name",
      "null",
      ")",
    ],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    // Without systemd there is no /run/systemd, which find complains of and goes on.
    const onlyMissing = /^find: .?\/run\/systemd.?: No such file or directory\s*$/.test(output.stderr);
    const fault = onlyMissing ? undefined : commandFailure(output, "find");
    if (fault) throw new FaultError(fault);
    const paths = wholeLines(output, "timer");
    if (paths.at(-1) !== lastPath) throw unreadable("timer", "the search did not come to its end");
    return {
      systemdRun: paths.includes("/run/systemd/system") && paths.includes("/usr/bin/systemd-run"),
      setsid: paths.includes("/usr/bin/setsid"),
    };
  },
};
