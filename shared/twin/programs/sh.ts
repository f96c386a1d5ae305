import { evidenceScript, longest } from "../../probes/evidence-script.ts";
import type { Program, ProgramContext } from "./program.ts";
import { readShellLine, type SimpleCommand } from "./shell-line.ts";
import { writtenOn } from "./written-files.ts";

const encoder = new TextEncoder();

/** The first bytes of a text, as `printf '%.Ns'` prints them. */
function firstBytes(text: string, limit: number): Readonly<{ bytes: number; shown: string }> {
  const bytes = encoder.encode(text);
  const shown = bytes.length <= limit ? text : new TextDecoder().decode(bytes.subarray(0, limit));
  return { bytes: bytes.length, shown };
}

async function runOne(
  context: ProgramContext,
  request: Readonly<{ limit: string; asRoot: boolean; argv: readonly string[] }>,
): Promise<Readonly<{ code: number; out: string; err: string }>> {
  const { limit, asRoot, argv } = request;
  const said = { stdout: "", stderr: "" };
  const timed = ["timeout", "-k", "1", limit, ...argv];
  const words =
    asRoot && !context.privileged
      ? ["timeout", "-k", "1", String(Number(limit) + 1), "sudo", "-n", "--", ...timed]
      : timed;
  const code = await context.exec(words, {
    caller: "shell",
    write: (stream, text) => {
      said[stream] += text;
    },
  });
  return { code, out: said.stdout, err: said.stderr };
}

/** Commands one after the other, as far as the operators between them let them run. */
async function runLine(context: ProgramContext, line: readonly SimpleCommand[]): Promise<number> {
  let code = 0;
  for (const { after, words, to } of line) {
    if ((after === "&&" && code !== 0) || (after === "||" && code === 0)) continue;
    const [name, status] = words;
    if (name === "exit") return Number(status ?? code);
    if (name === "exec" && words.length === 1) continue;
    if (context.signal.aborted) return 143;
    let text = "";
    code = await context.exec(words, {
      caller: "shell",
      ...(to === undefined
        ? {}
        : {
            write: (stream: "stdout" | "stderr", piece: string) => {
              if (stream === "stdout") text += piece;
            },
          }),
    });
    if (to !== undefined && to !== "/dev/null") writtenOn(context.machine).set(to, text);
  }
  return code;
}

/**
 * The lab has no shell, so `sh -c` runs lists of simple commands, and one script: the one that brings evidence, told by its whole text. What it
 * runs is read from its arguments, and every command among them is a program of this machine.
 */
export const sh: Program = async (args, context) => {
  const [flag, script, , nonce, ...words] = args;
  const line = flag === "-c" && script !== evidenceScript ? readShellLine(script ?? "") : undefined;
  if (line !== undefined && line.length > 0 && args.length === 2) return runLine(context, line);
  if (flag !== "-c" || script !== evidenceScript || nonce === undefined) {
    context.err("sh: lab: no shell runs here, only the script that brings evidence\n");
    return 2;
  }
  if (!context.installed("timeout")) {
    context.out(`${nonce} no-timeout\n`);
    return 0;
  }
  let rest = words;
  while (rest.length > 4 && !context.signal.aborted) {
    const [key, limit = "1", as, count] = rest;
    const argv = rest.slice(4, 4 + Number(count));
    rest = rest.slice(4 + Number(count));
    const { code, out, err } = await runOne(context, { limit, asRoot: as === "root", argv });
    if (context.signal.aborted) break;
    const said = firstBytes(out, longest.out);
    const complained = firstBytes(err, longest.err);
    context.out(`${nonce} out ${key} ${code} ${said.bytes}\n${said.shown}\n${nonce} end\n`);
    context.out(`${nonce} err ${key} ${complained.bytes}\n${complained.shown}\n${nonce} end\n`);
  }
  if (context.signal.aborted) return 143;
  context.out(`${nonce} done\n`);
  return 0;
};
