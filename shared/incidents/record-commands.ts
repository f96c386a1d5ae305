import { FaultError } from "../fault.ts";
import type { Shell } from "../probes/shell.ts";
import type { RanCommand, RanCommands } from "./incident-events.ts";

const mostKept = 150;
const mostChars = 300;

/** A script for a node is long: its beginning tells which it is. */
const shortArgv = (argv: readonly string[]): string => {
  const line = argv.join(" ").replace(/\s+/g, " ").toWellFormed();
  return line.length <= mostChars
    ? line
    : `${line.slice(0, mostChars)} (${line.length - mostChars} more characters)`;
};

/** The shell, and what was run through it: argv, where, and how it ended. Output is not kept here. */
export function recordingShell(
  shell: Shell,
  now: () => number,
): Readonly<{ shell: Shell; ran: () => RanCommands }> {
  const kept: RanCommand[] = [];
  let more = 0;
  const keep = (command: RanCommand): void => {
    if (kept.length < mostKept) kept.push(command);
    else more += 1;
  };
  return {
    shell: async (target, command, options) => {
      const begun = { at: now(), on: `${target.kind} ${target.name}`, argv: shortArgv(command.argv) };
      try {
        const output = await shell(target, command, options);
        keep({ ...begun, exitCode: output.exitCode });
        return output;
      } catch (error) {
        if (error instanceof FaultError)
          keep({ ...begun, fault: `${error.fault.kind}: ${error.fault.detail}`.slice(0, mostChars) });
        throw error;
      }
    },
    ran: () => ({ ran: kept.toSorted((a, b) => a.at - b.at), more }),
  };
}
