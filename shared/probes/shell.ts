import type { NonEmpty } from "../finding.ts";

/** Where a command runs. Names come from the config or the cluster; the composition root resolves them. */
export type Target = Readonly<{ kind: "node" | "vantage"; name: string }>;

/** A command from our catalogue: an argv, never a shell string. */
export type ShellCommand = Readonly<{
  argv: NonEmpty<string>;
  /** Needs root on the target: prefixed with `sudo -n --` where the target's config says so. */
  privileged: boolean;
  timeoutMs: number;
}>;

/** One line of output with the moment we received it, in milliseconds since the epoch by our own clock. */
export type OutputLine = Readonly<{ at: number; stream: "stdout" | "stderr"; text: string }>;

export type ShellOutput = Readonly<{
  /** null when the command was ended by a signal, an abort of ours included. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  lines: readonly OutputLine[];
  startedAt: number;
  endedAt: number;
}>;

/**
 * Runs one command. Throws `FaultError` when it could not be run to its end: timed-out, unreachable, refused,
 * host-key-changed, cancelled (signal aborted before start), truncated (more than 4 MiB). An exit code is not a fault;
 * 127 "command not found" is left to the probe, which turns it into missing-tool.
 * An abort after the start ends the remote command and resolves with what came so far and `exitCode: null`.
 */
export type Shell = (
  target: Target,
  command: ShellCommand,
  options?: Readonly<{
    signal?: AbortSignal;
    onLine?: (line: OutputLine) => void;
    /** Over a new connection of its own to this address of the target, closed afterwards: none that is kept is used. */
    via?: string;
  }>,
) => Promise<ShellOutput>;
