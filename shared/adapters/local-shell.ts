import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";
import type { Shell } from "../probes/shell.ts";
import { gatherOutput, outputLimit } from "./gather-output.ts";

/** Between SIGTERM and SIGKILL. */
const graceMs = 1000;

/** Nothing of our own environment is passed on: it holds tokens. Tools live in sbin, and their output is parsed. */
const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/",
  LC_ALL: "C",
};

function signalGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone, or it is root's under sudo; sudo passes on what it can.
  }
}

/**
 * The Shell port on this very machine, for vantages with `access: local`. The target's name is used in messages only.
 * With `sudo`, privileged commands get `sudo -n --` in front, as over SSH.
 */
export function createLocalShell(options: Readonly<{ clock: Clock; sudo: boolean }>): Shell {
  const { clock } = options;
  return (target, command, { signal, onLine } = {}) =>
    new Promise((resolve, reject) => {
      const what = `${command.argv[0]} on ${target.name}`;
      if (signal?.aborted) {
        reject(new FaultError({ kind: "cancelled", what, detail: "cancelled before it started" }));
        return;
      }
      const [program, ...args] =
        command.privileged && options.sudo ? (["sudo", "-n", "--", ...command.argv] as const) : command.argv;
      const output = gatherOutput(clock.now, onLine);
      // detached: a process group of its own, so that what the command started ends with it.
      const child = spawn(program, args, {
        env: environment,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      const over = new AbortController();
      let fault: FaultError | undefined;
      let aborted = false;

      const end = () => {
        signalGroup(child, "SIGTERM");
        void clock.sleep(graceMs, over.signal).then(() => {
          if (!over.signal.aborted) signalGroup(child, "SIGKILL");
        });
      };
      const onAbort = () => {
        aborted = true;
        end();
      };
      const finish = (exitCode: number | null) => {
        if (over.signal.aborted) return;
        over.abort();
        signal?.removeEventListener("abort", onAbort);
        if (fault) reject(fault);
        else resolve(output.finish(aborted ? null : exitCode));
      };
      const take = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
        if (fault || output.push(stream, chunk)) return;
        const detail = `more than ${outputLimit / 1024 / 1024} MiB of output`;
        fault = new FaultError({ kind: "truncated", what, detail });
        end();
      };

      signal?.addEventListener("abort", onAbort, { once: true });
      void clock.sleep(command.timeoutMs, over.signal).then(() => {
        if (over.signal.aborted || aborted || fault) return;
        const detail = `not done after ${command.timeoutMs / 1000} s`;
        fault = new FaultError({ kind: "timed-out", what, detail });
        end();
      });
      child.stdout.on("data", take("stdout"));
      child.stderr.on("data", take("stderr"));
      child.once("error", (error: NodeJS.ErrnoException) => {
        // The exit codes a POSIX shell gives for these.
        const missing = error.code === "ENOENT";
        output.push(
          "stderr",
          Buffer.from(`${program}: ${missing ? "command not found" : (error.code ?? error.message)}\n`),
        );
        finish(missing ? 127 : 126);
      });
      child.once("close", (exitCode) => finish(exitCode));
    });
}
