import type { Fault } from "../fault.ts";
import { FaultError } from "../fault.ts";
import type { ShellOutput } from "./shell.ts";

/** The first line that says something, cut to a length that fits a message. */
export const firstLine = (text: string): string => {
  const line = text.split("\n").find((each) => each.trim() !== "") ?? "";
  const clean = line.replace(/[\0-\x1f\x7f]/g, " ").trim();
  return clean.length > 160 ? `${clean.slice(0, 159)}…` : clean;
};

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const missingPrivilege =
  /operation not permitted|permission denied|don't have permission|CAP_NET_RAW|need to run as root|must be root|password is required|terminal is required|not in the sudoers|is not allowed to|may not run sudo|no new privileges/i;

/**
 * Why a program gave no evidence, from its exit code and its complaints: `sudo`, `sh`, `env` and `timeout` each have
 * their own words for a missing program, and only some of them their own exit code (`sudo` says 1).
 * `undefined` when nothing says that the program could not do its work.
 */
export function commandFailure(output: ShellOutput, tool: string): Fault | undefined {
  const said = output.stderr;
  const detail = firstLine(said) || firstLine(output.stdout);
  const missing = new RegExp(
    `(?:^|[\\s:'"‘“/])${escaped(tool)}['"’”]?:? (?:command )?not found|failed to run command ['"‘“]?\\S*${escaped(tool)}['"’”]?: No such file|${escaped(tool)}['"’”]?: No such file or directory`,
    "im",
  );
  if (output.exitCode === 127 || (output.exitCode !== 0 && missing.test(said)))
    return { kind: "missing-tool", what: tool, detail: detail || "command not found (exit code 127)" };
  if (output.exitCode === 126 || (output.exitCode !== 0 && missingPrivilege.test(said)))
    return { kind: "missing-privilege", what: tool, detail: detail || "cannot be run (exit code 126)" };
  if (output.exitCode === null)
    return { kind: "cancelled", what: tool, detail: "ended by a signal before it was done" };
  if (output.exitCode === 124 || output.exitCode === 137)
    return {
      kind: "timed-out",
      what: tool,
      detail: `stopped by its time limit (exit code ${output.exitCode})`,
    };
  return undefined;
}

/** For programs whose every failure means that we could not look. */
export function expectSuccess(output: ShellOutput, tool: string): void {
  const fault = commandFailure(output, tool);
  if (fault) throw new FaultError(fault);
  if (output.exitCode !== 0)
    throw new FaultError({
      kind: "unreadable",
      what: tool,
      detail: firstLine(output.stderr) || `exit code ${output.exitCode} without a word`,
    });
}

export const unreadable = (what: string, detail: string): FaultError =>
  new FaultError({ kind: "unreadable", what, detail });

/** Parses JSON that a program printed. Cut output is `truncated`, anything else that is no JSON `unreadable`. */
export function readJson(output: ShellOutput, tool: string): unknown {
  const text = output.stdout.trim();
  if (text === "") throw unreadable(tool, "printed nothing");
  try {
    return JSON.parse(text);
  } catch (error) {
    const cut = /^[[{]/.test(text) && !/[\]}]$/.test(text);
    throw cut
      ? new FaultError(
          { kind: "truncated", what: tool, detail: "the JSON ends in the middle" },
          { cause: error },
        )
      : new FaultError(
          { kind: "unreadable", what: tool, detail: `not JSON: ${firstLine(text)}` },
          { cause: error },
        );
  }
}
