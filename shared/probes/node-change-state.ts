import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

/** Names of the files in /var/lib by which a node tells where a change of a run stands, without the run's own part. */
export type ChangeState = ReadonlySet<string>;

/** Is everywhere, and is found last: what came before it is whole. */
const lastPath = "/dev/null";

const checkedRun = (run: string): string => {
  if (/^[A-Za-z0-9-]{1,40}$/.test(run)) return run;
  throw new FaultError({
    kind: "unreadable",
    what: "name of a run",
    detail: `${JSON.stringify(run)} is none`,
  });
};

/** The empty set where the node knows nothing of the run; `""` stands for the file itself, `.kept` and the like for others. */
export const nodeChangeState: Probe<readonly [run: string], ChangeState> = {
  id: "change-state",
  tool: "find",
  about: "where a change stands that takes itself back unless it is confirmed",
  sample: ["R-17"],
  argv: (run) => ({
    argv: [
      "find",
      "/var/lib",
      lastPath,
      "-maxdepth",
      "1",
      "(",
      "-name",
      `arpeggio-${checkedRun(run)}`,
      "-o",
      "-name",
      // With the dot: what R-17 left behind says nothing of R-1.
      `arpeggio-${checkedRun(run)}.*`,
      "-o",
      "-name",
      "null",
      ")",
    ],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const fault = commandFailure(output, "find");
    if (fault) throw new FaultError(fault);
    const lines = wholeLines(output, "change-state");
    if (lines.at(-1) !== lastPath) throw unreadable("change-state", "the search did not come to its end");
    return new Set(
      lines.slice(0, -1).map((path) => {
        const state = /^\/var\/lib\/arpeggio-[A-Za-z0-9-]+((?:\.[a-z]+)?)$/.exec(path)?.[1];
        if (state === undefined)
          throw unreadable("change-state", `not a file that was asked for: ${firstLine(path)}`);
        return state;
      }),
    );
  },
};
