import { spawnSync } from "node:child_process";

/** Process ids whose command line matches the pattern wholly. */
export function pidsOf(pattern: string): readonly number[] {
  const { stdout } = spawnSync("pgrep", ["-fx", "--", pattern], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** Sends a signal to each; one that ended meanwhile is fine. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Ended meanwhile.
    }
  }
}
