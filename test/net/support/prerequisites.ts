import { execFileSync } from "node:child_process";
import { describe } from "vitest";

const tools = ["ip", "sshd", "ssh-keygen", "arping", "tcpdump", "setpriv", "pgrep", "sysctl", "ss"];

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function isThere(tool: string): boolean {
  try {
    execFileSync("sh", ["-c", 'command -v -- "$0"', tool], { env: { PATH: searchPath }, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function refusesNamespaces(): string | undefined {
  const name = `arpt-probe-${process.pid}`;
  try {
    execFileSync("ip", ["netns", "add", name], { stdio: "pipe" });
    execFileSync("ip", ["netns", "del", name], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    return `network namespaces cannot be made here (${stderr?.toString().trim() || "ip netns add failed"})`;
  }
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const missing = tools.filter((tool) => !isThere(tool));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  return refusesNamespaces();
}

/** Why the tests on real kernels cannot run here; `undefined` when they can. */
export const obstacle = whyNot();

/** A suite on real kernels. Where it cannot run it is skipped under a name that says why. */
export function describeNet(title: string, suite: () => void, further?: string): void {
  const reason = obstacle ?? further;
  describe.skipIf(reason !== undefined)(
    reason === undefined ? title : `${title} [skipped: ${reason}]`,
    suite,
  );
}
