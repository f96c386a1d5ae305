import type { ClientChannel } from "ssh2";
import type { Clock } from "../clock.ts";
import { FaultError, type FaultKind } from "../fault.ts";
import type { OutputLine, ShellOutput } from "../probes/shell.ts";
import { gatherOutput, outputLimit } from "./gather-output.ts";
import { keepKeyObjects } from "./ssh-cipher-keys.ts";
import type { SshConnection } from "./ssh-connect.ts";

export type RemoteCommand = Readonly<{
  connection: SshConnection;
  /** "arping on karstark": starts every message. */
  what: string;
  /** For the remote login shell, already quoted. */
  commandLine: string;
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal | undefined;
  onLine: ((line: OutputLine) => void) | undefined;
}>;

export type RemoteRun = Readonly<{
  output: Promise<ShellOutput>;
  /** Resolves when the channel is gone: only then its place on the connection is free again. */
  over: Promise<void>;
  /** After a rejection: whether the command can have begun on the other side. */
  mayHaveStarted: () => boolean;
}>;

/** Between SIGTERM, SIGKILL and closing the channel. */
const graceMs = 500;

/** For the other side to confirm that; others may be at work on the same connection, so it is not given up lightly. */
const confirmMs = 2_000;

/**
 * Sends a signal over a channel whose stdin is closed already. The library's own `signal()` is silent then, though the
 * protocol allows it (RFC 4254 section 6.9), so this goes to the layer below it.
 */
function sendSignal(channel: ClientChannel, name: "TERM" | "KILL"): void {
  const inner = channel as unknown as {
    outgoing: { id: number; state: string };
    _client: { _protocol: { signal: (channel: number, name: string) => void } };
  };
  if (inner.outgoing.state === "open" || inner.outgoing.state === "eof")
    inner._client._protocol.signal(inner.outgoing.id, name);
}

/**
 * Runs one command line on an open connection. The remote end is told to stop by signal first, then by closing the
 * channel. sshd passes signals on as the login user, and none at all when that is root: a command under sudo, or of root,
 * ends by itself or at its next write. So privileged commands of the catalogue bound their own run time.
 */
export function runOverSsh(remote: RemoteCommand): RemoteRun {
  const { connection, what, clock, signal, timeoutMs } = remote;
  const output = gatherOutput(clock.now, remote.onLine);
  const settled = new AbortController();
  const gone = new AbortController();
  let mayHaveStarted = false;
  let settle: { resolve: (output: ShellOutput) => void; reject: (fault: FaultError) => void };
  const result = new Promise<ShellOutput>((resolve, reject) => {
    settle = { resolve, reject };
  });
  let overResolve: () => void;
  const over = new Promise<void>((resolve) => {
    overResolve = resolve;
  });

  let channel: ClientChannel | undefined;
  let exit: { code: number | null } | undefined;
  let aborted = false;

  const fail = (kind: FaultKind, detail: string) => {
    settled.abort("over");
    settle.reject(new FaultError({ kind, what, detail }));
  };
  const succeed = (exitCode: number | null) => {
    settled.abort("over");
    settle.resolve(output.finish(exitCode));
  };
  const isOver = () => {
    gone.abort("over");
    signal?.removeEventListener("abort", onAbort);
    overResolve();
  };
  const endRemote = async () => {
    if (!channel) return;
    sendSignal(channel, "TERM");
    await clock.sleep(graceMs, gone.signal);
    if (gone.signal.aborted) return;
    sendSignal(channel, "KILL");
    await clock.sleep(graceMs, gone.signal);
    if (gone.signal.aborted) return;
    channel.close();
    await clock.sleep(confirmMs, gone.signal);
    if (gone.signal.aborted) return;
    // Not even the close is confirmed: the peer hangs, and so would the next command.
    if (aborted && !settled.signal.aborted) succeed(null);
    connection.close();
    isOver();
  };
  function onAbort() {
    if (settled.signal.aborted) return;
    aborted = true;
    if (channel) void endRemote();
    else fail("cancelled", "cancelled before it started");
  }

  signal?.addEventListener("abort", onAbort, { once: true });
  void clock.sleep(timeoutMs, settled.signal).then(() => {
    if (settled.signal.aborted || aborted) return;
    fail("timed-out", `not done after ${timeoutMs / 1000} s`);
    if (channel) void endRemote();
    else {
      // The server did not even open a channel in that time.
      connection.close();
      isOver();
    }
  });

  const take = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
    if (settled.signal.aborted || output.push(stream, chunk)) return;
    fail("truncated", `more than ${outputLimit / 1024 / 1024} MiB of output`);
    void endRemote();
  };
  const onChannel = (error: Error | undefined, opened: ClientChannel) => {
    if (error) {
      mayHaveStarted = error.message === "Unable to exec";
      const reason = error.message.replace("(SSH) ", "");
      if (!settled.signal.aborted)
        fail(
          connection.isClosed() ? "unreachable" : "refused",
          `the command could not be started: ${reason}`,
        );
      isOver();
      return;
    }
    mayHaveStarted = true;
    channel = opened;
    channel.on("data", take("stdout"));
    channel.stderr.on("data", take("stderr"));
    channel.on("exit", (code: number | null) => {
      exit = { code };
    });
    channel.once("close", () => {
      if (!settled.signal.aborted) {
        if (aborted) succeed(null);
        else if (exit) succeed(exit.code);
        else fail("unreachable", "the connection was lost while the command ran");
      }
      isOver();
    });
    channel.end();
    if (settled.signal.aborted) void endRemote();
  };

  keepKeyObjects(connection.client);
  try {
    connection.client.exec(remote.commandLine, onChannel);
  } catch (error) {
    fail("unreachable", `the command could not be started: ${(error as Error).message}`);
    isOver();
  }
  return { output: result, over, mayHaveStarted: () => mayHaveStarted };
}
