import type { Fault } from "../fault.ts";
import type { NonEmpty } from "../finding.ts";
import type { Answer } from "./answer.ts";
import { commandFailure, firstLine } from "./command-failure.ts";
import type { ShellCommand, ShellOutput } from "./shell.ts";

/** Longest output of one command that travels, in bytes: stdout, stderr. What is longer is a fault, never a shorter answer. */
export const longest = { out: 1_048_576, err: 8_192 } as const;

/**
 * The one script that runs on nodes: many commands of the catalogue in one SSH exec. It never changes; what to run are
 * its arguments: a nonce, then for each command a key, a time limit in seconds, `user` or `root`, the number of words,
 * and the words. It prints, for each,
 *
 *     NONCE out KEY EXIT-CODE BYTES       NONCE err KEY BYTES
 *     ...the bytes...                     ...the bytes...
 *     NONCE end                           NONCE end
 *
 * and `NONCE done` at the end. Lengths decide where a body ends; the nonce, which a program cannot guess, tells bodies
 * from frames again after something went wrong. One command alone needs no lengths, so nothing is held back to count it,
 * which saves two processes: its output begins after the first frame and ends before the last bytes of the answer, which
 * the script prints when the command is over. Its standard error goes to that of the script and to its end.
 *
 *     NONCE only KEY                      NONCE only KEY
 *     ...the bytes...                     ...the bytes...
 *     NONCE end EXIT-CODE
 *     NONCE done
 *
 * POSIX sh alone: `$(...)` drops trailing newlines, so an `x` guards them; `${#out}` counts bytes because LC_ALL is C.
 * Standard input is closed. The folders of root's search path are added because sshd leaves them out for other users.
 * Commands for root go by `sudo -n`, with the time limit inside, since only root can end them. Who we are is asked for
 * those alone, and once: a process less for each visit that needs no root, and for each further command that does.
 */
export const evidenceScript = [
  "LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH",
  "exec </dev/null",
  "nonce=$1; uid=; shift",
  `command -v timeout >/dev/null 2>&1 || { printf '%s no-timeout\\n' "$nonce"; exit 0; }`,
  'identify() { if [ "$1" = root ] && [ -z "$uid" ]; then uid=$(id -u); fi; }',
  'run() { limit=$1; as=$2; count=$3; shift 3; i=0; if [ "$#" -gt "$count" ]; then while [ "$i" -lt "$count" ]; do word=$1; shift; set -- "$@" "$word"; i=$((i + 1)); done; shift "$(($# - count))"; fi; if [ "$as" = root ] && [ "$uid" != 0 ]; then timeout -k 1 "$((limit + 1))" sudo -n -- timeout -k 1 "$limit" "$@"; else timeout -k 1 "$limit" "$@"; fi; }',
  `if [ "$#" -eq "$((\${4:-0} + 4))" ]; then key=$1; shift; identify "$2"; printf '%s only %s\\n' "$nonce" "$key" >&2; printf '%s only %s\\n' "$nonce" "$key"; run "$@"; printf '\\n%s end %s\\n%s done\\n' "$nonce" "$?" "$nonce"; exit 0; fi`,
  "exec 3>&1",
  `while [ "$#" -gt 4 ]; do key=$1; limit=$2; as=$3; count=$4; shift 4; identify "$as"; err=$({ out=$(run "$limit" "$as" "$count" "$@" 3>&-; code=$?; printf x; exit "$code"); code=$?; out=\${out%x}; printf '%s out %s %s %s\\n%.${longest.out}s\\n%s end\\n' "$nonce" "$key" "$code" "\${#out}" "$out" "$nonce" >&3; } 2>&1; printf x); err=\${err%x}; printf '%s err %s %s\\n%.${longest.err}s\\n%s end\\n' "$nonce" "$key" "\${#err}" "$err" "$nonce"; shift "$count"; done`,
  `printf '%s done\\n' "$nonce"`,
].join("; ");

/** The name the script goes by in process lists. */
export const evidenceScriptName = "arpeggio";

export type EvidenceRequest = Readonly<{
  /** Letters, digits and dashes, another one for each request. */
  key: string;
  command: ShellCommand;
}>;

const wordPattern = /^[A-Za-z0-9-]+$/;

export const limitSeconds = ({ timeoutMs }: ShellCommand): number =>
  Math.max(1, Math.ceil(timeoutMs / 1_000));

/** The command that runs all requests on a node, one after the other. */
export function evidenceCommand(
  nonce: string,
  requests: readonly EvidenceRequest[],
  timeoutMs: number,
): ShellCommand {
  const bad = [nonce, ...requests.map(({ key }) => key)].find((word) => !wordPattern.test(word));
  if (bad !== undefined) throw new RangeError(`${JSON.stringify(bad)} cannot stand in a frame`);
  const words = requests.flatMap(({ key, command }) => [
    key,
    String(limitSeconds(command)),
    command.privileged ? "root" : "user",
    String(command.argv.length),
    ...command.argv,
  ]);
  const argv: NonEmpty<string> = ["sh", "-c", evidenceScript, evidenceScriptName, nonce, ...words];
  return { argv, privileged: false, timeoutMs };
}

type Part = Readonly<{ ok: true; text: string; exitCode: number }> | Readonly<{ ok: false; fault: Fault }>;

const fault = (kind: Fault["kind"], what: string, detail: string): Readonly<{ ok: false; fault: Fault }> => ({
  ok: false,
  fault: { kind, what, detail },
});

const startsWith = (bytes: Uint8Array, at: number, wanted: Uint8Array): boolean =>
  at + wanted.length <= bytes.length && wanted.every((byte, i) => bytes[at + i] === byte);

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (
    let at = bytes.indexOf(wanted[0] as number, from);
    at >= 0;
    at = bytes.indexOf(wanted[0] as number, at + 1)
  )
    if (startsWith(bytes, at, wanted)) return at;
  return -1;
}

type Frames = Readonly<{ parts: ReadonlyMap<string, Part>; noTimeout: boolean; done: boolean }>;

/** A body whose length was not said: the limit is kept here, and a byte that was no UTF-8 cannot be told from U+FFFD. */
function uncounted(stream: "out" | "err", name: string, text: string, exitCode: number): Part {
  const size = new TextEncoder().encode(text).length;
  if (size > longest[stream])
    return fault("truncated", name, `${size} bytes of output, ${longest[stream]} travel at most`);
  if (text.includes("\ufffd")) return fault("unreadable", name, "its output is not UTF-8");
  return { ok: true, text, exitCode };
}

/**
 * Takes the answer of one command alone apart, or undefined when it does not begin as one. Nothing that the command
 * prints can end its body: the script's last words are the last bytes of the answer, or there is no evidence.
 */
function readOnly({ stdout, stderr, exitCode }: ShellOutput, nonce: string, key: string): Frames | undefined {
  const begin = `${nonce} only ${key}\n`;
  const bodyOf = (text: string): string | undefined => {
    const at = `\n${text}`.indexOf(`\n${begin}`);
    return at < 0 ? undefined : text.slice(at + begin.length);
  };
  const said = bodyOf(stdout);
  if (said === undefined) return undefined;
  const out = `out ${key}`;
  const err = `err ${key}`;
  const end = said.lastIndexOf(`\n${nonce} end `);
  const last = /^(\S+) end (\d{1,3})\n\1 done\n$/.exec(end < 0 ? "" : said.slice(end + 1));
  const without = (): Part => {
    if (said.includes(`\n${nonce} done\n`))
      return fault("unreadable", out, "its answer goes on after its end");
    return exitCode === null
      ? fault("timed-out", out, "the node's time was over before it was done")
      : fault("truncated", out, "the answer was cut");
  };
  const complained = bodyOf(stderr);
  const parts = new Map([
    [out, last === null ? without() : uncounted("out", out, said.slice(0, end), Number(last[2]))],
    [
      err,
      complained === undefined
        ? fault("unreadable", err, "its frame is missing")
        : uncounted("err", err, complained, 0),
    ],
  ]);
  return { parts, noTimeout: false, done: last !== null };
}

/** Takes the frames apart. Never looks for frames inside a body that is as long as was said. */
function readFrames(stdout: string, nonce: string): Frames {
  const bytes = new TextEncoder().encode(stdout);
  const decoder = new TextDecoder();
  const mark = new TextEncoder().encode(`${nonce} `);
  const end = new TextEncoder().encode(`\n${nonce} end\n`);
  const parts = new Map<string, Part>();
  let noTimeout = false;
  let done = false;
  const keep = (name: string, part: Part) => {
    parts.set(name, parts.has(name) ? fault("unreadable", name, "it came twice") : part);
  };

  let at = 0;
  while (at >= 0 && at < bytes.length) {
    if (!startsWith(bytes, at, mark)) {
      // A login message, or what is left of something broken: on to the next line.
      const newline = bytes.indexOf(10, at);
      at = newline < 0 ? bytes.length : newline + 1;
      continue;
    }
    const newline = bytes.indexOf(10, at);
    if (newline < 0) break;
    const line = decoder.decode(bytes.subarray(at + mark.length, newline));
    const body = newline + 1;
    at = body;
    if (line === "no-timeout") noTimeout = true;
    if (line === "done") done = true;
    const header = /^(?:out ([A-Za-z0-9-]+) (\d{1,3})|err ([A-Za-z0-9-]+)) (\d{1,10})$/.exec(line);
    if (header === null) continue;
    const stream = header[1] === undefined ? "err" : "out";
    const name = `${stream} ${header[1] ?? header[3]}`;
    const said = Number(header[4]);
    const after = body + Math.min(said, longest[stream]);
    if (startsWith(bytes, after, end)) {
      at = after + end.length;
      keep(
        name,
        said > longest[stream]
          ? fault("truncated", name, `${said} bytes of output, ${longest[stream]} travel at most`)
          : { ok: true, text: decoder.decode(bytes.subarray(body, after)), exitCode: Number(header[2] ?? 0) },
      );
      continue;
    }
    const found = find(bytes, end, body - 1);
    const text = decoder.decode(bytes.subarray(body, found < 0 ? bytes.length : found));
    if (found < 0 && after >= bytes.length) keep(name, fault("truncated", name, "the answer was cut"));
    else if (text.includes("\ufffd")) keep(name, fault("unreadable", name, "its output is not UTF-8"));
    else keep(name, fault("unreadable", name, `its output is not the ${said} bytes that were announced`));
    at = found < 0 ? bytes.length : found + end.length;
  }
  return { parts, noTimeout, done };
}

const named = (part: Part & { ok: false }, what: string): Answer<never> => ({
  ok: false,
  fault: { ...part.fault, what },
});

/**
 * Gives each request its own output, or why there is none. Pure; takes any text. `output` is what the script printed,
 * as far as it came: with `exitCode: null` the rest was not waited for.
 */
export function readEvidence(
  output: ShellOutput,
  nonce: string,
  requests: readonly EvidenceRequest[],
): readonly Answer<ShellOutput>[] {
  const [first, ...others] = requests;
  const only = first && others.length === 0 ? readOnly(output, nonce, first.key) : undefined;
  const { parts, noTimeout, done } = only ?? readFrames(output.stdout, nonce);
  const whole = parts.size > 0 || done ? undefined : commandFailure(output, "sh");
  return requests.map(({ key, command }) => {
    const what = command.argv[0];
    const out = parts.get(`out ${key}`);
    const err = parts.get(`err ${key}`);
    if (out?.ok === false) return named(out, what);
    if (err?.ok === false && err.fault.kind !== "truncated") return named(err, what);
    if (out === undefined || err === undefined) {
      if (noTimeout)
        return fault(
          "missing-tool",
          "timeout",
          "not installed; without it no command is started (coreutils)",
        );
      if (output.exitCode === null)
        return fault("timed-out", what, "the node's time was over before it came to this command");
      if (whole) return { ok: false, fault: whole };
      if (parts.size === 0 && !done)
        return fault("unreadable", what, firstLine(output.stderr) || "the script printed no frame");
      return done
        ? fault("unreadable", what, "its frame is missing")
        : fault("truncated", what, "the answer ends before it");
    }
    const stderr = err.ok ? err.text : "";
    const lines = (stream: "stdout" | "stderr", text: string) =>
      text
        .split("\n")
        .filter((line, i, all) => i < all.length - 1 || line !== "")
        .map((line) => ({ at: output.endedAt, stream, text: line }));
    return {
      ok: true,
      evidence: {
        exitCode: out.exitCode,
        stdout: out.text,
        stderr,
        lines: [...lines("stdout", out.text), ...lines("stderr", stderr)],
        startedAt: output.startedAt,
        endedAt: output.endedAt,
      },
    };
  });
}
