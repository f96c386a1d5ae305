import { FaultError } from "../fault.ts";
import type { OutputLine, Shell, ShellOutput } from "../probes/shell.ts";
import type { Twin } from "./twin.ts";

const limitBytes = 4 * 1024 * 1024;

/** The port that probes use, on the machines of a twin and on its clock; no sockets, no processes. */
export const shellOn =
  (twin: Twin): Shell =>
  async (target, command, options = {}) => {
    const what = `${command.argv[0]} on ${target.name}`;
    const { signal, onLine, via } = options;
    if (signal?.aborted)
      throw new FaultError({ kind: "cancelled", what, detail: "cancelled before it started" });
    if (!twin.hasMachine(target.name))
      throw new FaultError({ kind: "not-configured", what, detail: `no machine ${target.name}` });
    const startedAt = twin.clock.now();
    if (!twin.isReachable(target.name, via)) {
      const waited = new AbortController();
      await twin.clock.sleep(
        command.timeoutMs,
        signal === undefined ? waited.signal : AbortSignal.any([waited.signal, signal]),
      );
      throw new FaultError({ kind: "unreachable", what, detail: `no answer from ${target.name}` });
    }

    const lines: OutputLine[] = [];
    const texts = { stdout: "", stderr: "" };
    const partial = { stdout: "", stderr: "" };
    const push = (stream: "stdout" | "stderr", text: string) => {
      const line: OutputLine = { at: twin.clock.now(), stream, text };
      lines.push(line);
      onLine?.(line);
    };
    const late = new AbortController();
    const over = new AbortController();
    let timedOut = false;
    void twin.clock.sleep(command.timeoutMs, over.signal).then(() => {
      if (over.signal.aborted) return;
      timedOut = true;
      late.abort();
    });
    const stop = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
    const { exitCode } = await twin.run(target.name, command.argv, {
      signal: stop,
      write: (stream, text) => {
        texts[stream] += text;
        const pieces = (partial[stream] + text).split("\n");
        partial[stream] = pieces.pop() ?? "";
        for (const piece of pieces) push(stream, piece);
      },
    });
    over.abort();
    for (const stream of ["stdout", "stderr"] as const)
      if (partial[stream] !== "") push(stream, partial[stream]);
    if (timedOut && signal?.aborted !== true)
      throw new FaultError({
        kind: "timed-out",
        what,
        detail: `no end within ${command.timeoutMs / 1000} s`,
      });
    if (texts.stdout.length + texts.stderr.length > limitBytes)
      throw new FaultError({ kind: "truncated", what, detail: "more than 4 MiB of output" });
    const output: ShellOutput = {
      exitCode: signal?.aborted === true ? null : exitCode,
      stdout: texts.stdout,
      stderr: texts.stderr,
      lines,
      startedAt,
      endedAt: twin.clock.now(),
    };
    return output;
  };
