import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { FaultError } from "../fault.ts";

/** Runs git in a clone and gives what it printed. Throws FaultError with git's own first words when it fails. */
export type RunGit = (
  args: readonly string[],
  options?: Readonly<{
    input?: string;
    env?: Readonly<Record<string, string>>;
    /** Exit codes that are answers. Default: 0 alone. */
    answers?: readonly number[];
  }>,
) => Promise<Readonly<{ exitCode: number; stdout: Buffer }>>;

const timeoutMs = 30_000;
const limitBytes = 16 * 1024 * 1024;

/**
 * Git without a shell, a terminal, hooks, a file system monitor or a network: only what is on this machine. Of our own
 * environment it gets what it needs to find itself and the configuration of its user.
 */
export function runGitIn(tree: string, path: string): RunGit {
  const what = `git in working tree ${tree}`;
  const base = {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    ...(process.env.HOME === undefined ? {} : { HOME: process.env.HOME }),
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    // A directory that is no clone must not lead to the repository around it.
    GIT_CEILING_DIRECTORIES: dirname(path),
  };
  const settings = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "log.showSignature=false",
  ];
  return (args, { input = "", env = {}, answers = [0] } = {}) =>
    new Promise((resolve, reject) => {
      const child = execFile(
        "git",
        ["-C", path, ...settings, ...args],
        { env: { ...base, ...env }, encoding: "buffer", timeout: timeoutMs, maxBuffer: limitBytes },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code;
          if (typeof code === "number" && answers.includes(code)) return resolve({ exitCode: code, stdout });
          const said = stderr.toString().trim().split("\n")[0] ?? "";
          const why = (kind: "missing-tool" | "timed-out" | "truncated" | "refused", detail: string) =>
            reject(new FaultError({ kind, what, detail }));
          if (String(code) === "ENOENT") return why("missing-tool", "git is not installed here");
          if (String(code) === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
            return why("truncated", `more than ${limitBytes / 1024 / 1024} MiB of output`);
          if (error?.killed) return why("timed-out", `git ${args[0]} did not end in ${timeoutMs / 1_000} s`);
          return why("refused", said.replace(/^(fatal|error): /, "") || `git ${args[0]} ended with ${code}`);
        },
      );
      // Git that ends without reading its input is told of by its exit code.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    });
}
