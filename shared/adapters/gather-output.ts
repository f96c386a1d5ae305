import { StringDecoder } from "node:string_decoder";
import type { OutputLine, ShellOutput } from "../probes/shell.ts";

/** Both streams together; what the Shell port promises before it says truncated. */
export const outputLimit = 4 * 1024 * 1024;

type Stream = OutputLine["stream"];

/** Collects what a command writes and stamps each line with the moment its end arrived. */
export type OutputGatherer = Readonly<{
  /** False once the limit is passed; nothing is kept from then on. */
  push: (stream: Stream, chunk: Buffer) => boolean;
  finish: (exitCode: number | null) => ShellOutput;
}>;

export function gatherOutput(
  now: () => number,
  onLine: ((line: OutputLine) => void) | undefined,
): OutputGatherer {
  const startedAt = now();
  const lines: OutputLine[] = [];
  const streams = {
    stdout: { decoder: new StringDecoder("utf8"), text: [] as string[], rest: "" },
    stderr: { decoder: new StringDecoder("utf8"), text: [] as string[], rest: "" },
  };
  let bytes = 0;

  const addLine = (stream: Stream, at: number, text: string) => {
    const line = { at, stream, text };
    lines.push(line);
    onLine?.(line);
  };
  const addText = (stream: Stream, text: string) => {
    const state = streams[stream];
    state.text.push(text);
    const parts = (state.rest + text).split("\n");
    state.rest = parts.pop() ?? "";
    if (parts.length === 0) return;
    const at = now();
    for (const part of parts) addLine(stream, at, part);
  };

  return {
    push: (stream, chunk) => {
      bytes += chunk.length;
      if (bytes > outputLimit) return false;
      addText(stream, streams[stream].decoder.write(chunk));
      return true;
    },
    finish: (exitCode) => {
      const endedAt = now();
      for (const stream of ["stdout", "stderr"] as const) {
        addText(stream, streams[stream].decoder.end());
        if (streams[stream].rest !== "") addLine(stream, endedAt, streams[stream].rest);
        streams[stream].rest = "";
      }
      return {
        exitCode,
        stdout: streams.stdout.text.join(""),
        stderr: streams.stderr.text.join(""),
        lines,
        startedAt,
        endedAt,
      };
    },
  };
}
